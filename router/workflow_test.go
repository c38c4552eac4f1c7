package router_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/rollout"
)

func failing(err error) runFunc {
	return func(context.Context, *rollout.Document, time.Duration) (rollout.Run, error) {
		return rollout.Run{}, err
	}
}

func failed(failure rollout.Failure) runFunc {
	return func(context.Context, *rollout.Document, time.Duration) (rollout.Run, error) {
		return rollout.Run{State: rollout.RunFailed, Failure: failure}, nil
	}
}

func TestWorkflowAnswers(t *testing.T) {
	json := map[string][]string{"Content-Type": {"application/json"}}
	for _, row := range []struct {
		name    string
		answer  rollout.Answer
		body    string
		fields  []string
		outcome rollout.Outcome
	}{
		{"JSON", rollout.Answer{Status: 200, Header: json, Body: []byte(`{"a":1}`)}, `{"a":1}`,
			[]string{"Content-Type", "application/json", "Content-Length", "7"}, rollout.OutcomeOK},
		{"status, fields and body", rollout.Answer{Status: 201, Body: []byte("text"), Header: map[string][]string{
			"Content-Type": {"text/x"}, "Location": {"/v1/documents/a"}, "Set-Cookie": {"a=b", "c=d"}}}, "text",
			[]string{"Content-Type", "text/x", "Location", "/v1/documents/a", "Set-Cookie", "a=b | c=d"}, rollout.OutcomeOK},
		{"no body", rollout.Answer{Status: 200}, "", []string{"Content-Length", "0"}, rollout.OutcomeOK},
		{"204 with a body", rollout.Answer{Status: 204, Body: []byte("x")}, "", []string{"Content-Length", ""}, rollout.OutcomeOK},
		{"304 with a body", rollout.Answer{Status: 304, Body: []byte("x")}, "", []string{"Content-Length", ""}, rollout.OutcomeOK},
		{"303", rollout.Answer{Status: 303, Header: map[string][]string{"Location": {"/a"}}}, "", []string{"Location", "/a"}, rollout.OutcomeOK},
		{"the client's fault", rollout.Answer{Status: 409, Body: []byte("x")}, "x", nil, rollout.OutcomeInvalid},
		{"the workflow's fault", rollout.Answer{Status: 500, Body: []byte("x")}, "x", nil, rollout.OutcomeFailed},
		{"fields that are not the workflow's to set", rollout.Answer{Status: 200, Body: []byte("xyz"), Header: map[string][]string{
			"Connection": {"close"}, "Keep-Alive": {"a"}, "Transfer-Encoding": {"chunked"}, "Content-Length": {"1"}, "Te": {"a"},
			"Trailer": {"X-A"}, "Upgrade": {"a"}, "Proxy-Authenticate": {"a"}, "Rollout-Path": {"legacy"}, "X-Own": {"a"}}}, "xyz",
			[]string{"Keep-Alive", "", "Te", "", "Trailer", "", "Upgrade", "", "Proxy-Authenticate", "",
				"Content-Length", "3", "Rollout-Path", "temporal", "X-Own", "a"}, rollout.OutcomeOK},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, at(100), running(completed(row.answer)))
			got := d.post(document("a"))
			if got.status != row.answer.Status || got.body != row.body || got.closes {
				t.Errorf("answer %d %q, closes %t", got.status, got.body, got.closes)
			}
			got.wantFields(t, row.fields...)
			record := d.observer.next()
			if !record.Sent || record.Result.Status != got.status || record.Result.Outcome != row.outcome || record.Result.BytesOut != int64(len(row.body)) {
				t.Errorf("record %+v", record)
			}
			if len(d.legacy.all()) > 0 {
				t.Error("legacy got it too")
			}
		})
	}
}

func TestWorkflowThatFailed(t *testing.T) {
	for _, row := range []struct {
		failure rollout.Failure
		outcome rollout.Outcome
	}{
		{rollout.Failure{Type: "InvalidDocument", Message: "page 3 is missing", Status: 422, Public: true}, rollout.OutcomeInvalid},
		{rollout.Failure{Type: "DeadLetter", Message: "gave up", Status: 500, Public: true}, rollout.OutcomeFailed},
		{rollout.Failure{Type: "terminated", Message: "the workflow ended", Status: 502, Public: true}, rollout.OutcomeFailed},
	} {
		t.Run(row.failure.Type, func(t *testing.T) {
			d := openDoor(t, at(100), running(failed(row.failure)))
			got := d.post(document("a"))
			if p := got.wantProblem(t, row.failure.Status, "workflow-failed", row.failure.Type); p.Detail != row.failure.Message {
				t.Errorf("detail %q", p.Detail)
			}
			got.wantFields(t, "Rollout-Path", "temporal")
			if record := d.observer.next(); record.Result.Outcome != row.outcome || record.Result.Err == nil {
				t.Errorf("record %+v", record)
			}
			if len(d.legacy.all()) > 0 {
				t.Error("legacy got it too")
			}
		})
	}
}

// What an error says that no table names was written for those who keep the workers.
func TestMessagesOfUnmappedFailuresStayInside(t *testing.T) {
	inside := rollout.Run{State: rollout.RunFailed, Failure: rollout.Failure{Type: "Error", Message: "password of db7 is wrong", Status: 502}}
	found := func(context.Context, string, string) (rollout.Run, bool, error) { return inside, true, nil }
	d := openDoor(t, at(100), looking(found))
	location := d.accepted("a")
	d.observer.next()
	d.temporal.run = failed(inside.Failure)
	got := d.post(document("b"))
	if p := got.wantProblem(t, 502, "workflow-failed", "Error"); strings.Contains(got.body, "db7") || p.Detail == "" {
		t.Errorf("clients read %s", got.body)
	}
	if record := d.observer.next(); !strings.Contains(record.Result.Err.Error(), "db7") {
		t.Errorf("the log does not say why: %v", record.Result.Err)
	}
	if got := d.send(http.MethodGet, location, ""); strings.Contains(got.body, "db7") || !strings.Contains(got.body, `"type":"Error"`) {
		t.Errorf("clients read %s", got.body)
	}
}

// A failure that carries an answer is answered with it, as legacy would have done.
func TestFailureWithAnAnswer(t *testing.T) {
	answer := rollout.Answer{Status: 422, Header: map[string][]string{"Content-Type": {"application/json"}, "X-Kind": {"invoice"}}, Body: []byte(`{"code":"E17"}`)}
	failure := rollout.Failure{Type: "InvalidDocument", Message: "inside", Status: 422, Answer: &answer}
	d := openDoor(t, at(100), looking(func(context.Context, string, string) (rollout.Run, bool, error) {
		return rollout.Run{State: rollout.RunFailed, Failure: failure}, true, nil
	}))
	location := d.accepted("a")
	d.observer.next()
	d.temporal.run = failed(failure)
	got := d.post(document("b"))
	got.want(t, 422, `{"code":"E17"}`)
	got.wantFields(t, "X-Kind", "invoice", "Content-Type", "application/json")
	record := d.observer.next()
	if record.Result.Outcome != rollout.OutcomeInvalid || record.Result.BytesOut != int64(len(answer.Body)) || !strings.Contains(record.Result.Err.Error(), "inside") {
		t.Errorf("record %+v", record.Result)
	}
	d.send(http.MethodGet, location, "").want(t, 200,
		`{"status":"failed","answer":{"status":422,"headers":{"Content-Type":["application/json"],"X-Kind":["invoice"]},"body":{"code":"E17"}},"failure":{"type":"InvalidDocument","status":422}}`)
}

// It may be repeated, and does not go to legacy without proof.
func TestDocumentThatTemporalMayHave(t *testing.T) {
	for _, row := range []struct {
		err     error
		slug    string
		outcome rollout.Outcome
	}{
		{errors.New("connection reset"), "temporal-ambiguous", rollout.OutcomeAmbiguous},
		{context.DeadlineExceeded, "temporal-ambiguous", rollout.OutcomeAmbiguous},
	} {
		t.Run(row.err.Error(), func(t *testing.T) {
			d := openDoor(t, at(100), running(failing(row.err)))
			got := d.post(document("a"), "Prefer", "wait=1")
			got.wantProblem(t, http.StatusServiceUnavailable, row.slug, "")
			got.wantFields(t, "Retry-After", "2", "Rollout-Path", "temporal", "Preference-Applied", "")
			record := d.observer.next()
			if !record.Sent || record.Result.Outcome != row.outcome || !errors.Is(record.Result.Err, row.err) || record.Result.Status != 503 {
				t.Errorf("record %+v", record)
			}
			if len(d.legacy.all()) > 0 {
				t.Error("legacy got it too")
			}
		})
	}
}

// What Temporal is given is the request, and of its header no more than the
// route hands on.
func TestDocumentForTemporal(t *testing.T) {
	d := openDoor(t, at(100), func(s *setup) { s.Routes[0].Headers = []string{"x-tenant", "X-NONE", "Accept-Language"} })
	d.post(document("doc-123"), "Content-Type", "application/json; a=b", "x-tenant", "t", "X-Tenant", "u", "Authorization", "secret").
		want(t, http.StatusOK, "")
	got := d.temporal.all()[0]
	if got.doc.Route != "documents" || got.doc.Bucket != 362_837 || got.doc.ContentType != "application/json; a=b" || got.wait != 20*time.Second {
		t.Errorf("Temporal got %+v", got)
	}
	if want := "map[X-Tenant:[t u]]"; fmt.Sprint(got.doc.Header) != want {
		t.Errorf("Temporal got the fields %v, want %s", got.doc.Header, want)
	}
	if record := d.observer.next(); record.Intent != got.doc.Intent || record.Intent == "" {
		t.Errorf("the record names the intent %q, Temporal got %q", record.Intent, got.doc.Intent)
	}
}
