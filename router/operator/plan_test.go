package operator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sluice/rollout"
	"sluice/router/operator"
)

// helm is a control loop that only remembers what it was told.
type helm struct {
	acts   []operator.PlanAct
	harms  []operator.Harm
	failed error  // what every act ends with
	before func() // runs before every act
}

func (h *helm) Steer(_ context.Context, act operator.PlanAct) error {
	h.before()
	h.acts = append(h.acts, act)
	return h.failed
}

func (h *helm) Confirm(_ context.Context, harm operator.Harm) error {
	h.before()
	h.harms = append(h.harms, harm)
	return h.failed
}

func openHelm(t *testing.T, options ...func(*operator.Config)) (*desk, *helm) {
	t.Helper()
	h := &helm{before: func() {}}
	return openDesk(t, append(options, func(c *operator.Config) { c.Plan = h })...), h
}

const (
	wanted    = `{"reason":"late"}`
	approving = `{"step":"5%","reason":"looked at it"}`
	harmed    = `{"doc_id":"doc-7","kind":"doubled","reason":"two invoices","force":true}`
)

// acted are all acts, each with a body that is right.
func acted() map[string]string {
	return map[string]string{"/api/plan/hold": wanted, "/api/plan/resume": wanted, "/api/plan/rearm": wanted,
		"/api/plan/approve": approving, "/api/plan/force": approving, "/api/conservation": harmed}
}

func (d *desk) onRecord() (actions []string) {
	for _, e := range d.entries() {
		actions = append(actions, strings.TrimSpace(e.Action+" "+e.Subject["step"]+e.Subject["kind"]+" "+e.Subject["entry"]))
	}
	return actions
}

func TestThePlanIsSteeredOnRecord(t *testing.T) {
	d, h := openHelm(t)
	h.before = func() {
		if len(d.entries()) != len(h.acts)+len(h.harms)+1 {
			t.Error("it is done before it is on record")
		}
	}
	var got operator.Steered
	for i, action := range operator.PlanActs() {
		body, step := wanted, ""
		if action == operator.PlanApprove || action == operator.PlanForce {
			body, step = approving, "5%"
		}
		d.do("POST", "/api/plan/"+action, body, http.StatusOK, &got)
		act := h.acts[i]
		if act.Action != action || act.Step != step || act.Actor != "loopback" || act.Reason == "" || act.At.IsZero() || got.Audit != uint64(i+1) {
			t.Errorf("%s: %+v, %+v", action, act, got)
		}
	}
	d.do("POST", "/api/conservation", harmed, http.StatusOK, &got)
	if harm := h.harms[0]; harm.DocID != "doc-7" || harm.Kind != "doubled" || harm.Actor != "loopback" || harm.Reason != "two invoices" || harm.At.IsZero() || got.Audit != 6 {
		t.Errorf("%+v, %+v", harm, got)
	}
	if want := []string{"plan-hold", "plan-resume", "plan-rearm", "plan-approve 5%", "plan-force 5%", "harm doubled"}; !slices.Equal(d.onRecord(), want) {
		t.Errorf("on record is %q", d.onRecord())
	}
}

// A slip of the pen rolls nothing back. What cannot be looked up is taken.
func TestConfirmingADocumentThatNoRecordKnows(t *testing.T) {
	d, h := openHelm(t)
	d.records.put("held", rollout.Claim{Intent: "d1", State: rollout.ClaimDone})
	body := `{"doc_id":%q,"kind":"lost","reason":"x"%s}`
	if slug := d.do("POST", "/api/conservation", fmt.Sprintf(body, "helt", ""), http.StatusNotFound, nil); slug != "unknown-document" || len(h.harms)+len(d.entries()) > 0 {
		t.Errorf("%s, %+v, %q", slug, h.harms, d.onRecord())
	}
	for i, known := range []string{"held", "ran", "away"} {
		d.do("POST", "/api/conservation", fmt.Sprintf(body, known, ""), http.StatusOK, nil)
		if len(h.harms) != i+1 {
			t.Errorf("%s: %+v", known, h.harms)
		}
	}
	d.do("POST", "/api/conservation", fmt.Sprintf(body, "helt", `,"force":true`), http.StatusOK, nil)
	d.records.broken = errors.New("the store is away")
	d.do("POST", "/api/conservation", fmt.Sprintf(body, "helt", ""), http.StatusOK, nil)
	if len(h.harms) != 5 {
		t.Errorf("%+v", h.harms)
	}
}

// What the loop refuses is answered in its words; what nobody knows, as that. Both
// are put on record too.
func TestWhatWasNotDoneIsOnRecord(t *testing.T) {
	d, h := openHelm(t)
	h.failed = fmt.Errorf("%w: no approval is due", operator.ErrRefused)
	for path, body := range acted() {
		if slug := d.do("POST", path, body, http.StatusConflict, nil); slug != "plan-refused" {
			t.Errorf("%s: %v", path, slug)
		}
	}
	h.failed = errors.New("the store is away")
	for path, body := range acted() {
		if slug := d.do("POST", path, body, http.StatusServiceUnavailable, nil); slug != "store" {
			t.Errorf("%s: %v", path, slug)
		}
	}
	entries := d.entries()
	if len(entries) != 4*len(acted()) {
		t.Fatalf("on record is %q", d.onRecord())
	}
	for i := 1; i < len(entries); i += 2 {
		done, failed := entries[i-1], entries[i]
		if failed.Action != done.Action+"-failed" || failed.Subject["entry"] != fmt.Sprint(done.Seq) ||
			failed.Reason != "refused: no approval is due" && failed.Reason != "the store is away" {
			t.Errorf("%+v, after %+v", failed, done)
		}
	}
}

func TestWithoutARecordThePlanIsNotSteered(t *testing.T) {
	d, h := openHelm(t, func(c *operator.Config) { c.Audit = brokenAudit{c.Audit} })
	for path, body := range acted() {
		if slug := d.do("POST", path, body, http.StatusServiceUnavailable, nil); slug != "audit" {
			t.Errorf("%s: %v", path, slug)
		}
	}
	if len(h.acts)+len(h.harms) > 0 {
		t.Errorf("done all the same: %+v, %+v", h.acts, h.harms)
	}
}

func TestActsOnThePlanAreTakenStrictly(t *testing.T) {
	d, h := openHelm(t)
	long := strings.Repeat("x", 2001)
	bad := []string{"", "{}", "null", "[]", `{"reason":" "}`, `{"reason":"x","more":1}`, `{"reason":"x","reason":"y"}`, `{"reason":"\u0000"}`, `{"reason":"` + long + `"}`}
	stepless := append([]string{approving, `{"step":"","reason":"x"}`}, bad...)
	stepped := append([]string{wanted, `{"step":"","reason":"x"}`, `{"step":null,"reason":"x"}`, `{"step":5,"reason":"x"}`, `{"step":"5%"}`, `{"step":"` + long + `","reason":"x"}`, `{"step":"\u0000","reason":"x"}`}, bad...)
	for path, bodies := range map[string][]string{
		"/api/plan/hold": stepless, "/api/plan/resume": stepless, "/api/plan/rearm": stepless, "/api/plan/approve": stepped, "/api/plan/force": stepped,
		"/api/conservation": append(bad, wanted, `{"doc_id":"a","kind":"lost"}`, `{"doc_id":"a","kind":"gone","reason":"x"}`, `{"doc_id":"a","reason":"x"}`,
			`{"doc_id":"","kind":"lost","reason":"x"}`, `{"doc_id":7,"kind":"lost","reason":"x"}`, `{"doc_id":"a","kind":"lost","reason":"x","life":1}`),
	} {
		for _, body := range bodies {
			json := func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }
			if slug := d.do("POST", path, body, http.StatusBadRequest, nil, json); slug != "bad-request" {
				t.Errorf("%s %s: %v", path, body, slug)
			}
		}
		d.do("GET", path, "", http.StatusMethodNotAllowed, nil)
		right := acted()[path]
		d.do("POST", path, right, http.StatusForbidden, nil, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") })
		d.do("POST", path, right, http.StatusUnsupportedMediaType, nil, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") })
		d.do("POST", path, `{"reason":"`+strings.Repeat("x", 40<<10)+`"}`, http.StatusRequestEntityTooLarge, nil)
	}
	d.do("POST", "/api/plan/advance", wanted, http.StatusNotFound, nil)
	if len(d.entries()) > 0 || len(h.acts)+len(h.harms) > 0 {
		t.Errorf("on record is %q, done %+v, %+v", d.onRecord(), h.acts, h.harms)
	}
}
