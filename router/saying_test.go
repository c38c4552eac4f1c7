package router_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"sluice/rollout"
)

// Whatever a path that writes nothing says of it, its client gets no answer, and
// never an empty success.
func TestNobodysAnswerIsNoAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		result rollout.Result
		err    error
	}{
		"nothing to say":      {result: rollout.Result{Outcome: rollout.OutcomeRefused}},
		"the client has left": {result: rollout.Result{Outcome: rollout.OutcomeCanceled}},
		"all is well":         {result: rollout.Result{Status: 200}},
	} {
		for method, target := range map[string]string{"POST": "/v1/documents", "GET": "/other", "DELETE": "/other", "HEAD": "/other"} {
			t.Run(name+" "+method, func(t *testing.T) {
				d := openDoor(t, answering(func(context.Context, http.ResponseWriter, *http.Request) (rollout.Result, error) {
					return row.result, row.err
				}))
				c := d.dial()
				c.send(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 14\r\n\r\n%s", method, target, docA))
				if all, err := io.ReadAll(c.in); err == nil && len(all) > 0 {
					t.Errorf("the client got %q", all)
				}
				d.observer.next()
			})
		}
	}
}

// A client that is taken for gone may only have shut down its sending side.
func TestCancelledRequestGetsNoEmptyAnswer(t *testing.T) {
	for method, target := range map[string]string{"GET": "/other", "DELETE": "/other"} {
		d := openDoor(t, func(s *setup) {
			s.around = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					ctx, cancel := context.WithCancel(r.Context())
					cancel()
					next.ServeHTTP(w, r.WithContext(ctx))
				})
			}
		}, answering(func(ctx context.Context, _ http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
			return rollout.Result{}, ctx.Err()
		}))
		c := d.dial()
		c.send(method + " " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if all, err := io.ReadAll(c.in); err == nil && len(all) > 0 {
			t.Errorf("%s: the client got %q", method, all)
		}
		if record := d.observer.next(); record.Result.Outcome != rollout.OutcomeCanceled {
			t.Errorf("record %+v", record)
		}
	}
}
