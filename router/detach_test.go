package router_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"sluice/rollout"
)

// leaver is a client that leaves once its request has come to its path, and the
// proof that the server has noticed.
type leaver struct {
	reached chan struct{}
	left    chan struct{}
}

func newLeaver() *leaver { return &leaver{make(chan struct{}), make(chan struct{})} }

// watch closes left when the server has found out that the client has left.
func (l *leaver) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		context.AfterFunc(r.Context(), func() { close(l.left) })
		next.ServeHTTP(w, r)
	})
}

// outlast says that the request is on its path, and returns when its client has
// left: nil if that left ctx alone.
func (l *leaver) outlast(ctx context.Context) error {
	close(l.reached)
	select {
	case <-l.left:
	case <-time.After(patience):
		return errors.New("the server does not notice that the client has left")
	}
	return ctx.Err()
}

func (l *leaver) send(d *door, raw string) {
	d.t.Helper()
	c := d.dial()
	c.send(raw)
	select {
	case <-l.reached:
	case <-time.After(patience):
		d.t.Fatal("the request does not come to its path")
	}
	c.Close()
}

const rawDocument = "POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\n" + `{"doc_id":"a"}`

func TestTemporalRunOutlastsItsClient(t *testing.T) {
	l := newLeaver()
	d := openDoor(t, at(100), func(s *setup) { s.around = l.watch },
		running(func(ctx context.Context, doc *rollout.Document, _ time.Duration) (rollout.Run, error) {
			if err := l.outlast(ctx); err != nil {
				return rollout.Run{}, err
			}
			if _, limited := ctx.Deadline(); limited {
				t.Error("the run has a deadline that Temporal does not know of")
			}
			return goesOn(ctx, doc, 0)
		}))
	l.send(d, rawDocument)
	if record := d.observer.next(); !record.Sent || record.Result.Outcome != rollout.OutcomeAccepted {
		t.Errorf("record %+v", record)
	}
}

func TestLegacyDocumentOutlastsItsClient(t *testing.T) {
	l := newLeaver()
	d := openDoor(t, func(s *setup) { s.around = l.watch },
		answering(func(ctx context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
			if err := l.outlast(ctx); err != nil {
				return rollout.Result{}, err
			}
			w.WriteHeader(http.StatusNoContent)
			return rollout.Result{Status: http.StatusNoContent}, nil
		}))
	l.send(d, rawDocument)
	if record := d.observer.next(); !record.Sent || record.Result.Outcome != rollout.OutcomeOK {
		t.Errorf("record %+v", record)
	}
}

// An error of legacy's is told as what it is, though nobody hears it.
func TestLegacyErrorAfterTheClientHasLeft(t *testing.T) {
	l := newLeaver()
	d := openDoor(t, func(s *setup) { s.around = l.watch },
		answering(func(ctx context.Context, _ http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
			return rollout.Result{}, errors.Join(l.outlast(ctx), errors.New("broken"))
		}))
	l.send(d, rawDocument)
	if record := d.observer.next(); record.Result.Outcome != rollout.OutcomeAmbiguous || record.Result.Status != 502 {
		t.Errorf("record %+v", record)
	}
}

// What brings no document is the client's alone, and ends with it.
func TestPassedRequestEndsWithItsClient(t *testing.T) {
	l := newLeaver()
	d := openDoor(t, func(s *setup) { s.around = l.watch },
		answering(func(ctx context.Context, _ http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
			err := l.outlast(ctx)
			if err == nil {
				t.Error("the client has left and the call goes on")
			}
			return rollout.Result{}, err
		}))
	l.send(d, "GET /other HTTP/1.1\r\nHost: a\r\n\r\n")
	if record := d.observer.next(); record.Result.Outcome != rollout.OutcomeCanceled || record.Result.Status != 499 {
		t.Errorf("record %+v", record)
	}
}
