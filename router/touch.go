package router

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"sluice/rollout"
	"sluice/router/claims"
)

// Touch is a kind of request that is no route's and changes its documents all the same,
// such as a DELETE. It goes to legacy as it comes, in order with what of the document is
// in flight on Temporal, and ends the replay of what was answered before.
type Touch struct {
	// Method and Pattern select the requests; the pattern is chi's.
	Method, Pattern string
	// DocID says where the doc_id is; not in the body, which is streamed.
	DocID Locator
}

func (t *Touch) check() error {
	allowed := append(methods(), http.MethodDelete)
	if !slices.Contains(allowed, t.Method) {
		return fmt.Errorf("method %q is not one of %s", t.Method, strings.Join(allowed, ", "))
	}
	if t.DocID.place == placeBody {
		return fmt.Errorf("the doc_id is to be at %s, and the body of such a request is not read: take it from the path, a header field or the query", t.DocID)
	}
	return checkPattern(t.Pattern, t.DocID)
}

// touching serves the request if it asks to be taken for one of the methods by which it
// is a touch. Frameworks do not ask that of requests that change nothing.
func (rt *Router) touching(w http.ResponseWriter, r *http.Request, methods []string) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	path := r.URL.Path
	if r.URL.RawPath != "" {
		path = routePath(r.URL)
	}
	for _, method := range methods {
		if rt.touches.Match(chi.NewRouteContext(), method, path) {
			match := chi.NewRouteContext()
			match.RouteMethod, match.RoutePath = method, path
			rt.touches.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, match)))
			return true
		}
	}
	return false
}

// touch returns the handler of such requests. Where the doc_id cannot be one of a
// document's, there is nothing to keep in order.
func (rt *Router) touch(route *Route, t *Touch) http.HandlerFunc {
	intent := rollout.TouchIntent(route.Name, t.Method, t.Pattern)
	return func(w http.ResponseWriter, r *http.Request) {
		v := &visit{rt: rt, route: route, w: w, r: r, fields: endToEnd(r.Header), policy: rt.config.Policy()}
		v.record = rollout.Record{Method: r.Method, Target: r.URL.Path, Started: time.Now(), BytesIn: max(r.ContentLength, 0)}
		id, err := t.DocID.find(rt.documents.codings, r, v.fields, nil)
		if v.doc.DocID = id; err == nil {
			err = rt.documents.place(route, v.fields, &v.doc)
		}
		if err != nil {
			rt.passThrough(w, r, "")
			return
		}
		v.doc.Intent = intent
		v.doc.Bucket = rt.config.Splitter.Bucket(id)
		v.inOrder()
	}
}

// inOrder streams the request to legacy under a claim of its document.
func (v *visit) inOrder() {
	ctx := context.WithoutCancel(v.r.Context())
	ticket, err := v.turn(ctx)
	if err != nil {
		v.record.Route, v.record.DocID = v.route.Name, v.doc.Identity()
		v.notClaimed(ctx, err)
		v.observe()
		return
	}
	if ticket.Stale(v.rt.config.Horizon / 2) {
		v.record.Route, v.record.DocID = v.route.Name, v.doc.Identity()
		v.stale(ctx, ticket)
		v.observe()
		return
	}
	result := rollout.Result{Outcome: rollout.OutcomeAmbiguous} // if this is cut off
	defer func() {
		v.warn("settle", ticket.Sent(ctx, concluded(result.Outcome), rollout.Ending{}))
	}()
	// It is not called off with its client: the claim must last as long as legacy is at
	// work on it.
	bounded, cancel := limited(ctx, ticket)
	defer cancel()
	v.rt.through(bounded, v.w, v.r, "", nil, func(r rollout.Result) { result = r })
}

// concluded reports whether it is known what legacy made of a request: it answered, or
// it got nothing.
func concluded(outcome rollout.Outcome) bool {
	return answersWhole(outcome) || outcome == rollout.OutcomeRefused
}

// turn claims the document once nothing of it is in flight on Temporal, and waits for
// that as long as a client waits for a workflow. It fails as claims.Book.Take does.
func (v *visit) turn(ctx context.Context) (*claims.Ticket, error) {
	ask := rollout.Ask{Intent: v.doc.Intent, Route: v.route.Name, Bucket: v.doc.Bucket, Touch: true, Own: v.policy.Exposure()}
	over := time.Now().Add(v.rt.config.Wait)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		ticket, err := v.rt.config.Claims.Take(ctx, v.doc.Identity(), ask)
		left := time.Until(over)
		if !errors.Is(err, rollout.ErrHeld) || left <= 0 || v.r.Context().Err() != nil {
			return ticket, err
		}
		time.Sleep(min(pause, left))
	}
}
