package endtoend_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// everyWay runs a test on the route that is waited for by the update and on the one that
// is waited for by its close.
func (ts *typescript) everyWay(t *testing.T, docID, body string, check func(t *testing.T, a answer)) {
	t.Helper()
	for _, target := range []string{"/trials/" + docID + "/all", "/endings/" + docID} {
		if a := ts.send(t, http.MethodPut, target, body); a.path() == "temporal" {
			check(t, a)
		} else {
			t.Errorf("%s: %v", target, a)
		}
	}
}

// results: an object with a status is an answer, any other JSON is the body of one.
func (ts *typescript) results(t *testing.T) {
	for id, row := range map[string]struct {
		returned string
		status   int
		body     string
		fields   map[string]string // "a|b" is two values
	}{
		"object":        {`{"doc_id": "x", "ok": true}`, 200, `{"doc_id":"x","ok":true}`, map[string]string{"Content-Type": "application/json"}},
		"string":        {`"done"`, 200, `"done"`, nil},
		"number":        {`7`, 200, `7`, nil},
		"null":          {`null`, 200, `null`, nil},
		"list":          {`[1, 2]`, 200, `[1,2]`, nil},
		"capital":       {`{"Status": 404}`, 200, `{"Status":404}`, nil},
		"answer":        {`{"status": 201, "headers": {"X-Kind": "invoice", "X-Sum": ["a", "b"]}, "body": {"n": 1}}`, 201, `{"n":1}`, map[string]string{"X-Kind": "invoice", "X-Sum": "a|b"}},
		"refusal":       {`{"status": 422, "body": {"errors": ["total"]}}`, 422, `{"errors":["total"]}`, nil},
		"text":          {`{"status": 200, "headers": {"content-type": "text/csv"}, "body": "a,é\n"}`, 200, "a,é\n", map[string]string{"Content-Type": "text/csv"}},
		"without body":  {`{"status": 204}`, 204, "", nil},
		"server error":  {`{"status": 500, "body": "broken"}`, 500, `"broken"`, nil},
		"a status only": {`{"status": 404}`, 404, "", nil},
	} {
		ts.everyWay(t, "results-"+strings.ReplaceAll(id, " ", "-"), `{"returns": [`+row.returned+`]}`, func(t *testing.T, a answer) {
			t.Helper()
			if a.status != row.status || string(a.body) != row.body {
				t.Errorf("%s: got %v, want %d %s", id, a, row.status, row.body)
			}
			for name, want := range row.fields {
				if got := strings.Join(a.header[name], "|"); got != want {
					t.Errorf("%s: %s is %q, want %q", id, name, got, want)
				}
			}
		})
	}
}

// malformed: what looks like an answer and is none is an error, not a success, and says
// which member is wrong.
func (ts *typescript) malformed(t *testing.T) {
	for id, row := range map[string]struct{ returned, member string }{
		"status-text":   {`{"status": "201"}`, "status"},
		"status-low":    {`{"status": 99}`, "status"},
		"status-high":   {`{"status": 600}`, "status"},
		"status-part":   {`{"status": 201.5}`, "status"},
		"header-number": {`{"status": 201, "headers": {"X-Kind": 7}}`, `headers["X-Kind"]`},
		"header-list":   {`{"status": 201, "headers": {"X-Kind": ["a", 7]}}`, `headers["X-Kind"]`},
		"headers":       {`{"status": 201, "headers": "X-Kind"}`, "headers"},
		"capital":       {`{"status": 201, "Body": {}}`, "Body"},
		"another":       {`{"status": 201, "message": "x"}`, "message"},
	} {
		ts.everyWay(t, "malformed-"+id, `{"returns": [`+row.returned+`]}`, func(t *testing.T, a answer) {
			t.Helper()
			if a.status != http.StatusBadGateway || a.problem(t) != "urn:sluice:problem:workflow-failed" || !bytes.Contains(a.body, []byte(`"reason":"BadResult"`)) {
				t.Errorf("%s: %v", id, a)
			}
		})
	}
}

// inviting: an answer that invites a repeat is not replayed, any other is.
func (ts *typescript) inviting(t *testing.T) {
	for _, status := range []int{429, 503} {
		id := fmt.Sprint("inviting-", status)
		body := fmt.Sprintf(`{"returns": [{"status": %d, "headers": {"Retry-After": "1"}, "body": "later"}, "done"]}`, status)
		if a := ts.trial(t, id, body); a.status != status || a.header.Get("Retry-After") != "1" || string(a.body) != `"later"` {
			t.Errorf("%v", a)
		}
		for _, replayed := range []string{"", "true"} {
			if a := ts.trial(t, id, body); a.status != http.StatusOK || string(a.body) != `"done"` || a.header.Get("Rollout-Replayed") != replayed {
				t.Errorf("%v, replayed: %s", a, a.header.Get("Rollout-Replayed"))
			}
		}
	}
	body := `{"returns": [{"status": 422, "body": "no"}, "done"]}`
	for range 2 {
		if a := ts.trial(t, "not-inviting", body); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%v", a)
		}
	}
}

// failures: what a workflow's ApplicationFailure becomes.
func (ts *typescript) failures(t *testing.T) {
	failed := func(a answer, status int, reason string) bool {
		return a.status == status && a.problem(t) == "urn:sluice:problem:workflow-failed" && bytes.Contains(a.body, []byte(`"reason":"`+reason+`"`))
	}
	ts.everyWay(t, "mapped", `{"fails": {"message": "the total is odd", "type": "Known"}}`, func(t *testing.T, a answer) {
		if !failed(a, http.StatusConflict, "Known") || !bytes.Contains(a.body, []byte("the total is odd")) {
			t.Errorf("%v", a)
		}
	})
	ts.everyWay(t, "unmapped", `{"fails": {"message": "no route to 10.0.0.7", "type": "Unknown"}}`, func(t *testing.T, a answer) {
		if !failed(a, http.StatusBadGateway, "Unknown") || bytes.Contains(a.body, []byte("10.0.0.7")) {
			t.Errorf("%v", a)
		}
	})
	ts.everyWay(t, "details", `{"fails": {"message": "m", "type": "Known", "details": [{"why": 1}]}}`, func(t *testing.T, a answer) {
		if !failed(a, http.StatusConflict, "Known") {
			t.Errorf("%v", a)
		}
	})
	for _, kind := range []string{"Known", "Unknown"} {
		body := `{"fails": {"message": "m", "type": "` + kind + `", "details": [{"status": 423, "headers": {"X-Kind": "refusal"}, "body": {"code": 17}}]}}`
		ts.everyWay(t, "with-an-answer-"+kind, body, func(t *testing.T, a answer) {
			if a.status != http.StatusLocked || string(a.body) != `{"code":17}` || a.header.Get("X-Kind") != "refusal" {
				t.Errorf("%v, %v", a, a.header)
			}
		})
	}
	a := ts.send(t, http.MethodPost, "/invoices", `{"doc_id": "no-total"}`)
	if !failed(a, http.StatusUnprocessableEntity, "InvalidDocument") || !bytes.Contains(a.body, []byte("an invoice is a JSON object with a total")) {
		t.Errorf("%v", a)
	}
	a = ts.send(t, http.MethodPost, "/invoices", `{"doc_id": "in-dollars", "total": 1, "currency": "USD"}`)
	a.wantJSON(t, http.StatusConflict, `{"error": "currency", "supported": ["EUR"]}`)
}

// plainError: an Error that is no ApplicationFailure is no failure of the workflow's. It
// is tried again and again, until the route's execution_timeout.
func (ts *typescript) plainError(t *testing.T) {
	a := ts.send(t, http.MethodPut, "/stuck/plain", `{"throws": "a mistake at 10.0.0.7"}`)
	if a.status != http.StatusBadGateway || !bytes.Contains(a.body, []byte(`"reason":"timeout"`)) || bytes.Contains(a.body, []byte("10.0.0.7")) {
		t.Errorf("%v", a)
	}
}

// endedFromOutside: what a run becomes that somebody cancels or terminates.
func (ts *typescript) endedFromOutside(t *testing.T) {
	var group sync.WaitGroup
	for reason, end := range map[string]func(workflowID string) error{
		"canceled":   func(id string) error { return ts.temporal.CancelWorkflow(t.Context(), id, "") },
		"terminated": func(id string) error { return ts.temporal.TerminateWorkflow(t.Context(), id, "", "a test") },
	} {
		for id, target := range map[string]string{reason + "-update": "/trials/" + reason + "-update/all", reason + "-close": "/endings/" + reason + "-close"} {
			group.Go(func() {
				a := ts.send(t, http.MethodPut, target, `{"sleep": "50 s"}`)
				if a.status != http.StatusBadGateway || !bytes.Contains(a.body, []byte(`"reason":"`+reason+`"`)) {
					t.Errorf("%s: %v", target, a)
				}
			})
			group.Go(func() {
				if err := end(ts.running(t, id)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
}

// retried: an activity that fails is tried again.
func (ts *typescript) retried(t *testing.T) {
	ts.trial(t, "flaky", `{"flaky": 2}`).wantJSON(t, http.StatusOK, `{"doc_id": "flaky", "run": 1, "attempts": 3}`)
	if a := ts.trial(t, "broken", `{"flaky": 9}`); a.status != http.StatusBadGateway || bytes.Contains(a.body, []byte("attempt 5")) {
		t.Errorf("%v", a)
	}
}

// allowListed: a field that the workflow is told of makes another intent.
func (ts *typescript) allowListed(t *testing.T) {
	for _, row := range []struct {
		priority string
		run      int
		replayed string
	}{{"high", 1, ""}, {"low", 2, ""}, {"low", 2, "true"}} {
		a := ts.trial(t, "fields", `{}`, "X-Priority", row.priority, "X-Other", row.priority)
		a.wantJSON(t, http.StatusOK, fmt.Sprintf(`{"doc_id": "fields", "run": %d, "attempts": 1}`, row.run))
		if got := a.header.Get("Rollout-Replayed"); got != row.replayed {
			t.Errorf("%s: replayed %q", row.priority, got)
		}
	}
	for _, other := range []string{"a", "b"} { // not on the list
		ts.trial(t, "others", `{}`, "X-Other", other).wantJSON(t, http.StatusOK, `{"doc_id": "others", "run": 1, "attempts": 1}`)
	}
}
