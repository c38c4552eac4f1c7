package router_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/router"
)

type authoriseFunc func(ctx context.Context, r *http.Request) (*router.Refusal, error)

func (f authoriseFunc) Authorise(ctx context.Context, r *http.Request) (*router.Refusal, error) {
	return f(ctx, r)
}

// guarded puts the check before the default route.
func guarded(check router.Authoriser) func(*setup) {
	return func(s *setup) { s.Routes[0].Authorise = check }
}

func TestAuthorised(t *testing.T) {
	var d *door
	d = openDoor(t, at(100), guarded(authoriseFunc(func(_ context.Context, r *http.Request) (*router.Refusal, error) {
		if len(d.temporal.all()) > 0 {
			t.Error("Temporal got the document before the check")
		}
		if r.Header.Get("Authorization") != "Bearer a" {
			t.Errorf("the check sees %v", r.Header)
		}
		return nil, nil
	})))
	d.post(document("a"), "Authorization", "Bearer a").want(t, http.StatusOK, `{"by":"temporal"}`)
	if got := d.observer.authChecks(); got != "[allowed]" {
		t.Errorf("checks %s", got)
	}
}

// The answer of whoever refused is the client's, but for what belongs to the
// connection.
func TestDenied(t *testing.T) {
	d := openDoor(t, at(100), guarded(authoriseFunc(func(context.Context, *http.Request) (*router.Refusal, error) {
		return &router.Refusal{Status: http.StatusUnauthorized, Body: []byte("who are you?"), Header: http.Header{
			"Www-Authenticate": {"Bearer", "Basic"}, "Content-Type": {"text/x"},
			"Content-Length": {"99"}, "Connection": {"close"}, "Transfer-Encoding": {"chunked"}, "Keep-Alive": {"a"},
		}}, nil
	})))
	got := d.post(document("a"))
	got.want(t, http.StatusUnauthorized, "who are you?")
	got.wantFields(t, "Www-Authenticate", "Bearer | Basic", "Content-Type", "text/x", "Content-Length", "12",
		"Keep-Alive", "", "Rollout-Path", "temporal", "Rollout-Reason", "split")
	if got.closes {
		t.Error("whoever refused closes the client's connection")
	}
	d.wantNothingSent()
	record := d.observer.next()
	if record.Sent || record.Result.Status != 401 || record.Result.Outcome != rollout.OutcomeInvalid || record.Result.BytesOut != 12 {
		t.Errorf("record %+v", record)
	}
	if got := d.observer.authChecks(); got != "[denied]" {
		t.Errorf("checks %s", got)
	}
}

// Without an answer nobody is let in, and nobody is sent to legacy instead.
func TestAuthorisationFailsClosed(t *testing.T) {
	for name, refusal := range map[string]*router.Refusal{
		"error":                nil,
		"error with an answer": {Status: http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, at(100), guarded(authoriseFunc(func(context.Context, *http.Request) (*router.Refusal, error) {
				return refusal, errors.New("as ordered")
			})))
			got := d.post(document("a"))
			got.wantProblem(t, http.StatusServiceUnavailable, "authorisation-unavailable", "")
			got.wantFields(t, "Retry-After", "2")
			d.wantNothingSent()
			record := d.observer.next()
			if record.Sent || record.Result.Outcome != rollout.OutcomeRefused || record.Result.Err == nil {
				t.Errorf("record %+v", record)
			}
			if got := d.observer.authChecks(); got != "[error]" {
				t.Errorf("checks %s", got)
			}
		})
	}
}

// Legacy asks for itself.
func TestLegacyDocumentsAreNotChecked(t *testing.T) {
	for name, row := range map[string]struct {
		body    string
		status  int
		options []func(*setup)
	}{
		"split": {document("a"), 200, []func(*setup){at(0)}},
		"kill":  {document("a"), 200, []func(*setup){under(&rollout.Policy{Flag: rollout.All, Plan: rollout.All, Brake: rollout.All, Kill: true})}},
		"size": {document("a"), 200, []func(*setup){at(100), func(s *setup) {
			s.temporal.oversize = func(*rollout.Document) bool { return true }
		}}},
		"unroutable, rejected": {"{}", 400, []func(*setup){at(100), rejecting}},
		"unroutable, passed":   {"{}", 200, []func(*setup){at(100)}},
	} {
		t.Run(name, func(t *testing.T) {
			asked := authoriseFunc(func(context.Context, *http.Request) (*router.Refusal, error) {
				t.Error("the check was asked")
				return nil, errors.New("as ordered")
			})
			d := openDoor(t, append(row.options, guarded(asked))...)
			d.post(row.body).want(t, row.status, "")
			if got := d.observer.authChecks(); got != "[]" {
				t.Errorf("checks %s", got)
			}
		})
	}
}

// Nobody's document goes out once the one who asked has left: the check is tied
// to its client, and an error is a no.
func TestClientThatLeavesDuringTheCheck(t *testing.T) {
	asked := make(chan struct{})
	d := openDoor(t, at(100), guarded(authoriseFunc(func(ctx context.Context, _ *http.Request) (*router.Refusal, error) {
		close(asked)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(patience):
			return nil, nil
		}
	})))
	c := d.dial()
	c.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\n" + `{"doc_id":"a"}`)
	<-asked
	c.Close()
	if record := d.observer.next(); record.Sent {
		t.Errorf("record %+v", record)
	}
	d.wantNothingSent()
}
