// Package router is the front door: it takes every request, decides the path of
// those that bring a document, and passes all others to the legacy service.
//
// One request is data that grows step by step: body, Document, Decision,
// Result, Record. What can fail is a step; observers come after the answer and
// can neither fail nor delay it.
//
// Invariants:
//   - A document's body is read whole before anything is sent on either path,
//     so a client that stops in the middle leaves nothing behind. Only where
//     nothing can be on Temporal does a body that is over a limit go to legacy
//     as it comes.
//   - The policy is read once per request.
//   - A document's request is not cancelled by its client's leaving.
//   - Nothing under the gateway's own prefix reaches legacy.
//   - No answer is written that nobody gave: a handler that has written nothing ends
//     its connection.
//   - A field that Connection names is seen by no step: neither path, check nor
//     intent is told of it.
package router

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/router/breaker"
	"sluice/router/claims"
	"sluice/router/framing"
)

// Prefix begins the paths that are the gateway's own.
const Prefix = "/_sluice"

// Legacy is the path that forwards.
type Legacy interface {
	// Forward sends the request, with body if it has been read, and writes the
	// answer to w. An error means that nothing was written to w; it wraps
	// rollout.ErrNotAccepted if legacy provably got no byte of the request.
	// With OutcomeTruncated the client's connection has to be cut. A result with
	// the status 0 means that nothing was written, nor may be.
	Forward(ctx context.Context, w http.ResponseWriter, r *http.Request, body []byte) (rollout.Result, error)
}

// Temporal is the path that runs workflows.
type Temporal interface {
	// Run makes one attempt to start the document's life, and waits for its end,
	// at most for wait. An error wraps rollout.ErrNotAccepted if the attempt
	// started nothing and never will; any other leaves that open. It wraps
	// rollout.ErrUnavailable if the next document would fare no better.
	Run(ctx context.Context, doc *rollout.Document, wait time.Duration) (rollout.Run, error)
	// Follow waits for the end of a run that Temporal holds. It fails with
	// rollout.ErrFenced if it is a tombstone.
	Follow(ctx context.Context, route, workflowID string, wait time.Duration) (rollout.Run, error)
	// Oversize reports whether Temporal cannot hold the document.
	Oversize(doc *rollout.Document) bool
	// Lookup returns where a workflow stands; false if there is none.
	Lookup(ctx context.Context, route, workflowID string) (rollout.Run, bool, error)
}

// Observer sees what happens. Its methods neither block nor fail.
type Observer interface {
	// InFlight counts a request on its way until done is called.
	InFlight(path rollout.Path) (done func())
	// Observe takes the record of a request that was answered.
	Observe(record *rollout.Record)
	// AuthCheck counts an authorisation check: "allowed", "denied" or "error".
	AuthCheck(result string)
}

// Config configures a Router.
type Config struct {
	Routes   []Route
	Legacy   Legacy
	Temporal Temporal
	Claims   *claims.Book
	// Mirror may be nil. MirrorFields are header fields that it is to get of an answer,
	// besides those that describe it, in any letter case.
	Mirror       Mirror
	MirrorFields []string
	// Breaker is the Temporal path's.
	Breaker *breaker.Breaker
	// WorkersReady reports whether new documents of the route may be started: those who
	// work for it have declared what they must. nil means always.
	WorkersReady func(route string) bool
	// Horizon is how long a settled claim holds its own retries.
	Horizon time.Duration
	// Answers keeps what legacy answers to requests with an Idempotency-Key, up to
	// AnswerLimit bytes each; longer than Horizon. nil keeps none: legacy gets
	// every retry.
	Answers     Answers
	AnswerLimit int
	// Policy returns what is in force now.
	Policy   func() *rollout.Policy
	Splitter *rollout.Splitter
	Observer Observer
	Log      *zap.Logger
	// AccessLog writes one line for each request.
	AccessLog bool

	// OnUnroutable says what becomes of a request without a usable doc_id.
	OnUnroutable Unroutable
	// LegacyOnly reports whether nothing of any document can be on Temporal, now and
	// by what is under way: then a request whose body is over a limit is streamed to
	// legacy instead of being refused. nil means never.
	LegacyOnly func() bool
	// RejectSpellings answers 400 to a request for another spelling of a route's
	// path. Else it is passed to legacy like all that is no route's.
	RejectSpellings bool
	// Underscores is what becomes of fields with underscores in their names.
	Underscores Underscores
	// CountUnderscores counts a request with such a field, by what became of it:
	// the word of an Underscores. It may be nil, and must not block.
	CountUnderscores func(became string)
	// TenantHeader names the field that sets tenants apart; may be empty.
	TenantHeader string
	Body         BodyLimits
	// Arrival is how long a streamed request waits for the first part of its body; 0 is
	// DefaultArrival.
	Arrival time.Duration
	// Wait is how long a client waits for a workflow unless it says otherwise;
	// MaxWait the longest it may ask for.
	Wait, MaxWait time.Duration
	// RetryAfter is what a client is told to wait before it repeats.
	RetryAfter time.Duration
	// StatusKey signs the URLs of status resources: 16 bytes or more, the same
	// for all gateways of one migration.
	StatusKey []byte
}

// Unroutable is what becomes of a request without a usable doc_id.
type Unroutable uint8

// The two ways.
const (
	// PassToLegacy forwards the request as it came.
	PassToLegacy Unroutable = iota
	// Reject answers 400 and forwards nothing.
	Reject
)

// Router is the front door. It is safe for concurrent use.
type Router struct {
	config    Config
	mux       *chi.Mux
	touches   *chi.Mux // those of the routes alone
	others    spellings
	bodies    *bodies
	documents documents
	tokens    tokens
	draining  atomic.Bool
}

// New returns the front door. It fails if a route is not sound.
func New(config Config) (*Router, error) {
	if len(config.StatusKey) < 16 {
		return nil, errors.New("the status key must be 16 bytes or more")
	}
	if config.LegacyOnly == nil {
		config.LegacyOnly = func() bool { return false }
	}
	if config.WorkersReady == nil {
		config.WorkersReady = func(string) bool { return true }
	}
	config.Arrival = cmp.Or(config.Arrival, DefaultArrival)
	rt := &Router{
		config:    config,
		mux:       chi.NewRouter(),
		touches:   chi.NewRouter(),
		bodies:    newBodies(config.Body),
		documents: newDocuments(config.Routes, config.TenantHeader, config.Body.Max),
		tokens:    tokens{key: config.StatusKey},
	}
	if err := checkRoutes(config.Routes); err != nil {
		return nil, err
	}
	for i := range config.Routes {
		route := &config.Routes[i]
		rt.mux.Method(route.Method, route.Pattern, rt.ingest(route))
		for j := range route.Touches {
			t := &route.Touches[j]
			rt.mux.Method(t.Method, t.Pattern, rt.touch(route, t))
			rt.touches.Method(t.Method, t.Pattern, rt.touch(route, t))
		}
	}
	rt.others = newSpellings(config.Routes)
	rt.mux.Get(statusPattern, rt.status)
	rt.mux.Head(statusPattern, rt.status)
	rt.mux.Handle(Prefix, http.HandlerFunc(unknownOwn))
	rt.mux.Handle(Prefix+"/*", http.HandlerFunc(unknownOwn))
	rt.mux.NotFound(rt.elsewhere)
	rt.mux.MethodNotAllowed(rt.elsewhere)
	return rt, nil
}

// BodyBytes returns the bytes of request bodies held in memory.
func (rt *Router) BodyBytes() int64 { return rt.bodies.inUse() }

// Drain makes every answer from now on close its connection, so that clients
// turn to another gateway before this one stops.
func (rt *Router) Drain() { rt.draining.Store(true) }

// Draining reports whether Drain was called.
func (rt *Router) Draining() bool { return rt.draining.Load() }

// ServeHTTP serves one request.
func (rt *Router) ServeHTTP(client http.ResponseWriter, r *http.Request) {
	framing.Prepare(r)
	w := &saying{ResponseWriter: client}
	rt.serve(w, r)
	w.said()
}

func (rt *Router) serve(w http.ResponseWriter, r *http.Request) {
	if rt.draining.Load() {
		w.Header().Set("Connection", "close")
	}
	switch {
	case r.Method == http.MethodConnect:
		writeProblem(w, problem{Slug: "connect", Status: http.StatusMethodNotAllowed,
			Detail: "this is a gateway to one service, not a proxy: send the request itself"})
	case strings.Contains(r.URL.Path, "\x00"):
		writeProblem(w, problem{Slug: "path", Status: http.StatusBadRequest, Detail: "the path holds a NUL byte"})
	case rt.dashed(w, r) && !rt.touching(w, r, overriding(r)):
		rt.mux.ServeHTTP(w, routed(r))
	}
}

// route returns the route of that name, or nil.
func (rt *Router) route(name string) *Route {
	for i := range rt.config.Routes {
		if rt.config.Routes[i].Name == name {
			return &rt.config.Routes[i]
		}
	}
	return nil
}

// elsewhere takes what no route matches. The gateway's own paths come here too,
// with methods that the mux does not know.
func (rt *Router) elsewhere(w http.ResponseWriter, r *http.Request) {
	if own(r.URL) {
		unknownOwn(w, r)
		return
	}
	if s := rt.others.find(r); s != nil {
		rt.spelt(w, r, s)
		return
	}
	rt.passThrough(w, r, "")
}

func unknownOwn(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, problem{Slug: "unknown-resource", Status: http.StatusNotFound,
		Detail: "the gateway has nothing at " + r.URL.Path + "; a status resource's URL comes in the Location field of a 202"})
}
