package router_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"sluice/rollout"
	"sluice/router"
)

// inSpace is a route of its own name and path, whose documents a DELETE changes too.
func inSpace(t *testing.T, name, space string) router.Route {
	t.Helper()
	r := route(t, "body:/doc_id")
	at, err := router.ParseLocator("path:id")
	if err != nil {
		t.Fatal(err)
	}
	r.Name, r.Pattern, r.IDSpace = name, "/v1/"+name, space
	r.Touches = []router.Touch{{Method: http.MethodDelete, Pattern: r.Pattern + "/{id}", DocID: at}}
	return r
}

// A run that goes on holds back a document of the same doc_id that comes by another route
// of its space, and no other's.
func TestRoutesOfOneSpaceShareDocuments(t *testing.T) {
	for name, row := range map[string]struct {
		first, second string
		held          bool
	}{
		"no space has a name": {"", "", true},
		"one space":           {"a", "a", true},
		"two spaces":          {"a", "b", false},
		"one without a name":  {"", "b", false},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, at(100), looking(nil), routes(inSpace(t, "orders", row.first), inSpace(t, "invoices", row.second)))
			d.send(http.MethodPost, "/v1/orders", document("7"), "Prefer", "wait=0").want(t, http.StatusAccepted, "")
			d.send(http.MethodPost, "/v1/invoices", document("7"), "Prefer", "wait=0").want(t, http.StatusAccepted, "")
			all := d.temporal.all()
			if len(all) != 2 || (all[1].doc.Delay > 0) != row.held || all[0].doc.Bucket != all[1].doc.Bucket || all[1].doc.DocID != "7" {
				t.Errorf("Temporal got %+v", all)
			}
			if n := len(d.records.holdings); (n == 1) != row.held {
				t.Errorf("%d documents are on record", n)
			}
		})
	}
}

// A request that changes a route's documents by another way changes those of its space,
// and waits for no others.
func TestATouchIsOfItsRoutesSpace(t *testing.T) {
	d := openDoor(t, at(100), looking(nil), routes(inSpace(t, "orders", "a"), inSpace(t, "invoices", "b")), func(s *setup) { s.Wait = 0 })
	d.send(http.MethodPost, "/v1/orders", document("7"), "Prefer", "wait=0").want(t, http.StatusAccepted, "")
	d.send(http.MethodDelete, "/v1/orders/7", "").wantProblem(t, http.StatusServiceUnavailable, "held", "")
	d.send(http.MethodDelete, "/v1/invoices/7", "").want(t, http.StatusOK, "by legacy")
	d.send(http.MethodDelete, "/v1/orders/8", "").want(t, http.StatusOK, "by legacy")
	if got := d.legacy.all(); len(got) != 2 {
		t.Errorf("legacy got %+v", got)
	}
}

// A doc_id that looks like another space's document is none; and tenants are told apart
// within a space.
func TestNoClientReachesAnotherSpace(t *testing.T) {
	d := openDoor(t, at(100), routes(inSpace(t, "orders", "a"), inSpace(t, "notes", "")), tenants)
	d.send(http.MethodPost, "/v1/orders", document("7"), "X-Tenant", "t/")
	d.send(http.MethodPost, "/v1/notes", document("7"), "X-Tenant", "%space:a/t/")
	without := openDoor(t, at(100), routes(inSpace(t, "orders", "a"), inSpace(t, "notes", "")))
	without.send(http.MethodPost, "/v1/orders", document("7"))
	without.send(http.MethodPost, "/v1/notes", document("%space:a/7"))
	without.send(http.MethodPost, "/v1/notes", document("7"))
	var names []string
	for _, run := range append(d.temporal.all(), without.temporal.all()...) {
		names = append(names, run.doc.Identity())
	}
	want := []string{"%space:a/t%2F/7", "%25space:a%2Ft%2F/7", "%space:a/7", "%space:/%space:a/7", "7"}
	if !slices.Equal(names, want) {
		t.Errorf("documents %q, want %q", names, want)
	}
}

// Where no space has a name, every doc_id is the document's whole name, as it always was.
func TestWithoutSpacesNothingIsEscaped(t *testing.T) {
	d := openDoor(t, at(100))
	d.post(document("%space:a/7"))
	if run := d.temporal.all()[0]; run.doc.Identity() != "%space:a/7" {
		t.Errorf("it is %q", run.doc.Identity())
	}
}

// Who only recognises documents names them as the door does.
func TestRecognisedInItsSpace(t *testing.T) {
	rec, err := router.NewRecogniser([]router.Route{inSpace(t, "orders", "a")}, "", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := rec.Document(httptest.NewRequest(http.MethodPost, "/v1/orders", strings.NewReader("")), []byte(document("7")))
	if err != nil || doc.Identity() != "%space:a/7" {
		t.Errorf("%+v, %v", doc, err)
	}
}

func TestASpacesNameIsChecked(t *testing.T) {
	if err := router.CheckRoutes([]router.Route{inSpace(t, "orders", "a/b")})[0]; err == nil || !strings.Contains(err.Error(), rollout.ErrIDSpace.Error()) {
		t.Errorf("%v", err)
	}
}
