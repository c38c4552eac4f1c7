package router_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"sluice/rollout"
)

type lookupFunc = func(ctx context.Context, route, workflowID string) (rollout.Run, bool, error)

func looking(lookup lookupFunc) func(*setup) {
	if lookup == nil {
		lookup = func(_ context.Context, _, workflowID string) (rollout.Run, bool, error) {
			return rollout.Run{WorkflowID: workflowID, State: rollout.RunRunning}, true, nil
		}
	}
	return func(s *setup) { s.temporal.run, s.temporal.lookup = goesOn, lookup }
}

// accepted posts a document that goes on and returns its status resource.
func (d *door) accepted(id string) (location string) {
	d.t.Helper()
	got := d.post(document(id))
	got.want(d.t, http.StatusAccepted, "")
	return got.header.Get("Location")
}

func TestAccepted(t *testing.T) {
	d := openDoor(t, at(100), running(goesOn))
	got := d.post(document("a/b"))
	got.want(t, http.StatusAccepted, "")
	got.wantFields(t, "Content-Type", "application/json", "Retry-After", "1", "Cache-Control", "no-store", "Rollout-Path", "temporal")
	location := got.header.Get("Location")
	if !strings.HasPrefix(location, "/_sluice/documents/") || strings.Contains(location[len("/_sluice/documents/"):], "/") {
		t.Errorf("location %q", location)
	}
	var body map[string]string
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Fatal(err)
	}
	if len(body) != 3 || body["doc_id"] != "a/b" || body["status"] != "running" || body["location"] != location {
		t.Errorf("body %s", got.body)
	}
	record := d.observer.next()
	if !record.Sent || record.Result.Outcome != rollout.OutcomeAccepted || record.Result.Status != 202 || record.Result.BytesOut != int64(len(got.body)) {
		t.Errorf("record %+v", record)
	}
}

func TestStatusResource(t *testing.T) {
	found := func(run rollout.Run) lookupFunc {
		return func(context.Context, string, string) (rollout.Run, bool, error) { return run, true, nil }
	}
	with := func(answer rollout.Answer) lookupFunc {
		return found(rollout.Run{State: rollout.RunCompleted, Answer: answer})
	}
	for _, row := range []struct {
		name       string
		lookup     lookupFunc
		body       string
		retryAfter string
	}{
		{"running", found(rollout.Run{State: rollout.RunRunning}), `{"status":"running"}`, "1"},
		{"completed", with(rollout.Answer{Status: 201, Header: map[string][]string{"X-A": {"b"}}, Body: []byte(`{"a": 1}`)}),
			`{"status":"completed","answer":{"status":201,"headers":{"X-A":["b"]},"body":{"a":1}}}`, ""},
		{"completed without a body", with(rollout.Answer{Status: 204}), `{"status":"completed","answer":{"status":204}}`, ""},
		{"completed with text", with(rollout.Answer{Status: 200, Body: []byte(`say "a"`)}),
			`{"status":"completed","answer":{"status":200,"body":"say \"a\""}}`, ""},
		{"completed with bytes", with(rollout.Answer{Status: 200, Body: []byte("\xff\x00")}),
			`{"status":"completed","answer":{"status":200,"body":"/wA=","body_encoding":"base64"}}`, ""},
		{"failed", found(rollout.Run{State: rollout.RunFailed, Failure: rollout.Failure{Type: "DeadLetter", Message: "gave up", Status: 500, Public: true}}),
			`{"status":"failed","failure":{"type":"DeadLetter","message":"gave up","status":500}}`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, at(100), looking(row.lookup))
			location := d.accepted("a")
			got := d.send(http.MethodGet, location, "")
			got.want(t, http.StatusOK, row.body)
			got.wantFields(t, "Content-Type", "application/json", "Cache-Control", "no-store", "Retry-After", row.retryAfter)
			head := d.send(http.MethodHead, location, "")
			if head.status != http.StatusOK || head.body != "" || head.header.Get("Content-Length") != got.header.Get("Content-Length") {
				t.Errorf("HEAD %+v", head)
			}
			if len(d.legacy.all()) > 0 {
				t.Error("legacy got it")
			}
		})
	}
}

func TestStatusResourceWithoutAState(t *testing.T) {
	d := openDoor(t, at(100), looking(func(context.Context, string, string) (rollout.Run, bool, error) {
		return rollout.Run{}, false, nil
	}))
	d.send(http.MethodGet, d.accepted("a"), "").wantProblem(t, http.StatusNotFound, "unknown-document", "")
	d = openDoor(t, at(100), looking(func(context.Context, string, string) (rollout.Run, bool, error) {
		return rollout.Run{}, false, errors.New("Temporal is away")
	}))
	got := d.send(http.MethodGet, d.accepted("a"), "")
	got.wantProblem(t, http.StatusServiceUnavailable, "status-unavailable", "")
	got.wantFields(t, "Retry-After", "2")
	if strings.Contains(got.body, "away") {
		t.Errorf("strangers are told what goes on inside: %s", got.body)
	}
}

// Every gateway with the key serves the URL, for exactly its document.
func TestStatusURLNamesItsDocument(t *testing.T) {
	var asked []string
	here := openDoor(t, at(100), looking(nil))
	there := openDoor(t, looking(func(_ context.Context, route, id string) (rollout.Run, bool, error) {
		asked = append(asked, route+" "+id)
		return rollout.Run{}, true, nil
	}))
	for _, id := range []string{"a", "a/b", "é\x01 ", strings.Repeat("x", 512)} {
		asked = nil
		there.send(http.MethodGet, here.accepted(id), "").want(t, http.StatusOK, "")
		all := here.temporal.all()
		if want := "documents " + workflowOf(&all[len(all)-1].doc); len(asked) != 1 || asked[0] != want {
			t.Errorf("Temporal was asked for %q, want %q", asked, want)
		}
	}
}

// Who knows a doc_id, or one status URL, must not find another document's.
func TestStatusURLCannotBeGuessed(t *testing.T) {
	d := openDoor(t, at(100), looking(func(_ context.Context, route, id string) (rollout.Run, bool, error) {
		t.Errorf("Temporal was asked for %s %s", route, id)
		return rollout.Run{}, true, nil
	}))
	location := d.accepted("a")
	prefix, token := location[:len("/_sluice/documents/")], location[len("/_sluice/documents/"):]
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	guesses := []string{
		token[:len(token)-1], token + "A", token + "=", token[1:], "A", "",
		base64.RawURLEncoding.EncodeToString(raw[16:]),
		base64.RawURLEncoding.EncodeToString(raw[:16]),
		base64.RawURLEncoding.EncodeToString(append(make([]byte, 16), raw[16:]...)),
		base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), "/a/", "/b/", 1))),
		"ingest%2Fa", "documents",
	}
	for i := range raw {
		changed := append([]byte(nil), raw...)
		changed[i] ^= 1
		guesses = append(guesses, base64.RawURLEncoding.EncodeToString(changed))
	}
	other := openDoor(t, at(100), running(goesOn), func(s *setup) { s.StatusKey = []byte("another key of 16 bytes") })
	guesses = append(guesses, strings.TrimPrefix(other.accepted("a"), prefix))
	for _, guess := range guesses {
		d.send(http.MethodGet, prefix+guess, "").wantProblem(t, http.StatusNotFound, "unknown-resource", "")
	}
	if len(d.legacy.all()) > 0 {
		t.Error("legacy got it")
	}
}
