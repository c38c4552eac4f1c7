package router_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"sluice/rollout"
	"sluice/router"
)

// touched is the route with a DELETE that changes its documents.
func touched(t *testing.T) func(*setup) {
	t.Helper()
	r := route(t, "body:/doc_id")
	at, err := router.ParseLocator("path:id")
	if err != nil {
		t.Fatal(err)
	}
	r.Touches = []router.Touch{{Method: http.MethodDelete, Pattern: "/v1/documents/{id}", DocID: at}}
	return routes(r)
}

func TestTheSameBytesAfterAnotherVersionAreANewWish(t *testing.T) {
	d := openDoor(t, at(100))
	a, b := document("a"), `{"doc_id":"a","v":2}`
	for i, version := range []string{a, b, a, b, b, a} {
		got := d.post(version)
		replayed := ""
		if i == 4 { // nothing came after it
			replayed = "true"
		}
		got.wantFields(t, "Rollout-Path", "temporal", "Rollout-Replayed", replayed)
	}
	var ran []string
	for _, run := range d.temporal.all() {
		ran = append(ran, string(run.doc.Body))
	}
	if want := []string{a, b, a, b, a}; !slices.Equal(ran, want) {
		t.Errorf("Temporal ran %q, want %q", ran, want)
	}
}

func TestAKeyIsOneWishWhateverCameBetween(t *testing.T) {
	d := openDoor(t, at(100))
	d.post(document("a"), "Idempotency-Key", "k")
	d.post(`{"doc_id":"a","v":2}`)
	d.post(document("a"), "Idempotency-Key", "k").wantFields(t, "Rollout-Replayed", "true")
	if runs := len(d.temporal.all()); runs != 2 {
		t.Errorf("%d runs", runs)
	}
}

// A write by another way ends the replay of what was before, and goes to legacy as it
// came.
func TestATouchEndsTheReplay(t *testing.T) {
	d := openDoor(t, at(100), touched(t))
	d.post(document("a"))
	got := d.send(http.MethodDelete, "/v1/documents/a", "why")
	got.want(t, http.StatusOK, "by legacy")
	got.wantFields(t, "Rollout-Path", "", "Rollout-Reason", "")
	d.post(document("a")).wantFields(t, "Rollout-Path", "temporal", "Rollout-Replayed", "")
	if runs := len(d.temporal.all()); runs != 2 {
		t.Errorf("%d runs", runs)
	}
	if all := d.legacy.all(); len(all) != 1 || all[0].method != http.MethodDelete || all[0].buffered || all[0].body != "why" {
		t.Errorf("legacy got %+v", all)
	}
}

// A touch waits for what is in flight on Temporal, and is refused if that takes too
// long; a document that comes while it is at legacy goes there too.
func TestATouchGoesInOrder(t *testing.T) {
	d := openDoor(t, at(100), touched(t), looking(nil), func(s *setup) { s.Wait = 1 })
	d.post(document("a"), "Prefer", "wait=0").want(t, http.StatusAccepted, "")
	d.send(http.MethodDelete, "/v1/documents/a", "").wantProblem(t, http.StatusServiceUnavailable, "held", "")
	d.wantNoneAtLegacy()
	d.send(http.MethodDelete, "/v1/documents/b", "").want(t, http.StatusOK, "by legacy")

	arrived, proceed := make(chan struct{}), make(chan struct{})
	d = openDoor(t, at(100), touched(t), answering(func(_ context.Context, w http.ResponseWriter, r *http.Request) (rollout.Result, error) {
		if r.Method == http.MethodDelete {
			close(arrived)
			<-proceed
		}
		w.WriteHeader(http.StatusNoContent)
		return rollout.Result{Status: http.StatusNoContent}, nil
	}))
	deleted := make(chan answer)
	go func() { deleted <- d.send(http.MethodDelete, "/v1/documents/a", "") }()
	<-arrived
	d.post(document("a")).wantFields(t, "Rollout-Path", "legacy", "Rollout-Reason", "claim")
	close(proceed)
	(<-deleted).want(t, http.StatusNoContent, "")
}

func (d *door) wantNoneAtLegacy() {
	d.t.Helper()
	if got := d.legacy.all(); len(got) > 0 {
		d.t.Errorf("legacy got %+v", got)
	}
}

// What names no document is no touch: it is passed on.
func TestATouchWithoutADocumentIsPassedOn(t *testing.T) {
	d := openDoor(t, at(100), touched(t))
	d.send(http.MethodDelete, "/v1/documents/%ff", "").want(t, http.StatusOK, "by legacy")
	if len(d.records.holdings) != 0 {
		t.Error("it has a claim")
	}
}

// With `idempotency: pass` a key is legacy's to judge for what legacy serves.
func TestAKeyIsLegacysAffairOnLegacy(t *testing.T) {
	d := openDoor(t, at(0), answering(func(_ context.Context, w http.ResponseWriter, r *http.Request) (rollout.Result, error) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return rollout.Result{Status: http.StatusUnprocessableEntity}, nil
	}))
	for _, body := range []string{document("a"), `{"doc_id":"a","v":2}`, `{"doc_id":"a","v":3}`} {
		d.post(body, "Idempotency-Key", "k").want(t, http.StatusUnprocessableEntity, "")
	}
	if all := d.legacy.all(); len(all) != 3 {
		t.Errorf("legacy got %d", len(all))
	}
}

// A document is tenant and doc_id: two tenants' documents of one doc_id do not wait for
// each other, and have claims and workflows of their own.
func TestTenantsHaveDocumentsOfTheirOwn(t *testing.T) {
	d := openDoor(t, at(100), looking(nil), func(s *setup) { s.TenantHeader = "X-Tenant" })
	for _, tenant := range []string{"a", "b", "a/b", "a%2Fb"} {
		got := d.post(document("doc"), "X-Tenant", tenant, "Prefer", "wait=0")
		got.want(t, http.StatusAccepted, "")
	}
	d.post(document("doc"), "Prefer", "wait=0").want(t, http.StatusAccepted, "")
	names := map[string]bool{}
	for _, run := range d.temporal.all() {
		names[run.doc.Identity()] = true
		if run.doc.Delay != 0 || run.doc.DocID != "doc" {
			t.Errorf("%q waits for another tenant's document: %+v", run.doc.Identity(), run.doc)
		}
	}
	if len(names) != 5 || !names["a/doc"] || !names["/doc"] || len(d.records.holdings) != 5 {
		t.Errorf("documents %v, records %v", names, d.records.holdings)
	}
}

// A body that is not held goes to legacy under a claim where the document is known all
// the same: at any percentage, and in order with what is in flight on Temporal.
func TestTooLargeIsStreamedUnderAClaimWhereTheDocumentIsKnown(t *testing.T) {
	l := openRawLegacy(t)
	d := openDoor(t, at(100), l.forwarding, routes(route(t, "header:X-Doc-Id")), looking(nil),
		limits(func(l *router.BodyLimits) { l.Max = 100 }), func(s *setup) { s.Wait = 1 })
	for range 2 {
		got := d.post(padded(101), "X-Doc-Id", "a")
		got.want(t, http.StatusOK, "by legacy")
		got.wantFields(t, "Rollout-Path", "legacy", "Rollout-Reason", "size")
		if f := l.next(); f.body != padded(101) {
			t.Errorf("legacy got %q", f.body)
		}
	}
	d.post("small", "X-Doc-Id", "b", "Prefer", "wait=0").want(t, http.StatusAccepted, "")
	d.post(padded(101), "X-Doc-Id", "b").wantProblem(t, http.StatusServiceUnavailable, "held", "")
}

// A slow body, or one that came when many were held, says nothing of its retry: that may
// be on Temporal by then. So it is refused there, whatever is known of the document.
func TestWhatIsSlowIsNotStreamedUnderAClaim(t *testing.T) {
	d := openDoor(t, at(100), routes(route(t, "header:X-Doc-Id")), impatient())
	c := d.dial()
	c.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\nX-Doc-Id: a\r\nContent-Length: 50\r\n\r\nhalf")
	c.answer().wantProblem(t, http.StatusRequestTimeout, "too-slow", "")
	d.wantNothingSent()
}

// A request that legacy takes for a touch by an override is one, in a form's body too; a
// GET never is.
func TestAnOverriddenMethodIsATouch(t *testing.T) {
	r := route(t, "body:/doc_id")
	at0, err := router.ParseLocator("header:X-Doc-Id")
	if err != nil {
		t.Fatal(err)
	}
	r.Touches = []router.Touch{{Method: http.MethodDelete, Pattern: "/v1/documents", DocID: at0}}
	const form = "application/x-www-form-urlencoded"
	for name, row := range map[string]struct {
		method, body string
		fields       []string
		touch        bool
	}{
		"a field":    {http.MethodPost, "x", []string{"X-HTTP-Method-Override", "DELETE"}, true},
		"two fields": {http.MethodPost, "x", []string{"X-HTTP-Method-Override", "PURGE", "X-Method-Override", "DELETE"}, true},
		"a form":     {http.MethodPost, "a=b&_method=DELETE", []string{"Content-Type", form}, true},
		"a GET":      {http.MethodGet, "", []string{"X-HTTP-Method-Override", "DELETE"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, at(100), routes(r))
			d.post(document("a"))
			d.send(row.method, "/v1/documents", row.body, append(row.fields, "X-Doc-Id", "a")...).want(t, http.StatusOK, "by legacy")
			if all := d.legacy.all(); len(all) != 1 || all[0].body != row.body {
				t.Errorf("legacy got %+v", all)
			}
			replayed := "true"
			if row.touch {
				replayed = ""
			}
			d.post(document("a")).wantFields(t, "Rollout-Replayed", replayed)
		})
	}
}

// The claim of a touch lasts as long as legacy is at work, not as long as its client.
func TestATouchOutlivesItsClient(t *testing.T) {
	arrived, proceed := make(chan struct{}), make(chan struct{})
	d := openDoor(t, at(100), touched(t), answering(func(ctx context.Context, w http.ResponseWriter, r *http.Request) (rollout.Result, error) {
		if r.Method == http.MethodDelete {
			close(arrived)
			<-r.Context().Done() // its client has left
			if ctx.Err() != nil {
				return rollout.Result{}, ctx.Err()
			}
			<-proceed
		}
		w.WriteHeader(http.StatusNoContent)
		return rollout.Result{Status: http.StatusNoContent}, nil
	}))
	c := d.dial()
	c.send("DELETE /v1/documents/a HTTP/1.1\r\nHost: a\r\n\r\n")
	<-arrived
	c.Close()
	d.post(document("a")).wantFields(t, "Rollout-Path", "legacy", "Rollout-Reason", "claim")
	close(proceed)
}

// Another spelling of a touch's path may be one to legacy: it is told.
func TestOtherSpellingsOfATouchAreTold(t *testing.T) {
	d := openDoor(t, at(100), touched(t), func(s *setup) { s.RejectSpellings = true })
	d.send(http.MethodDelete, "/v1/Documents/a/", "").wantProblem(t, http.StatusBadRequest, "path-spelling", "")
	d.wantNothingSent()
}
