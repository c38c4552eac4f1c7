package router_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/router"
	"sluice/router/breaker"
	"sluice/router/framing"
)

// patience bounds how long a test waits for what must come; it never is what a
// test measures.
const patience = 20 * time.Second

// setup is what a test can change of the door before it opens.
type setup struct {
	router.Config
	legacy   *legacyFake
	temporal *temporalFake
	around   func(http.Handler) http.Handler       // nil: nothing
	observe  func(router.Observer) router.Observer // nil: as it is
	stored   func() *rollout.Policy                // the claim store's policy; nil: the door's
	framed   bool                                  // behind the framer, as in a gateway
}

// door is a net/http server on a loopback port with a Router in it.
type door struct {
	t        testing.TB
	addr     string
	router   *router.Router
	legacy   *legacyFake
	temporal *temporalFake
	observer *observerFake
	records  *records
	client   *http.Client
}

// openDoor serves one route, POST /v1/documents with the doc_id at body:/doc_id,
// at 0 % unless told otherwise.
func openDoor(t testing.TB, options ...func(*setup)) *door {
	t.Helper()
	s := setup{legacy: &legacyFake{}, temporal: &temporalFake{}}
	s.Config = router.Config{
		Routes:   []router.Route{route(t, "body:/doc_id")},
		Splitter: rollout.NewSplitter(rollout.DefaultSalt),
		Log:      zap.NewNop(), AccessLog: true,
		Body: router.BodyLimits{Max: 10 << 20, Budget: 64 << 20, Patience: patience, MinRate: 64 << 10},
		Wait: 20 * time.Second, MaxWait: time.Minute, RetryAfter: 1500 * time.Millisecond,
		StatusKey: []byte("sixteen bytes or more"),
	}
	at(0)(&s)
	for _, option := range options {
		option(&s)
	}
	d := &door{t: t, legacy: s.legacy, temporal: s.temporal, observer: newObserver(t)}
	s.Temporal, s.Observer = s.temporal, d.observer
	if s.Legacy == nil {
		s.Legacy = s.legacy
	}
	if s.observe != nil {
		s.Observer = s.observe(s.Observer)
	}
	if s.stored == nil {
		s.stored = s.Policy
	}
	d.records = &records{policy: s.stored, holdings: map[string][]byte{}}
	s.Claims, s.Horizon = newBook(t, d.records), time.Minute
	if s.Breaker == nil {
		s.Breaker = breaker.New()
	}
	var err error
	if d.router, err = router.New(s.Config); err != nil {
		t.Fatal(err)
	}
	var handler http.Handler = d.router
	if s.around != nil {
		handler = s.around(handler)
	}
	d.serve(handler, s.framed)
	return d
}

func (d *door) serve(handler http.Handler, framed bool) {
	d.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		d.t.Fatal(err)
	}
	d.addr = listener.Addr().String()
	server := &http.Server{Handler: handler, DisableGeneralOptionsHandler: true, ErrorLog: log.New(io.Discard, "", 0)}
	if framed {
		listener = framing.NewListener(listener, framing.Limits{MaxHeaderBytes: 64 << 10})
		server.ConnContext = framing.ConnContext
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(listener)
	}()
	transport := &http.Transport{DisableCompression: true}
	d.client = &http.Client{
		Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	d.t.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			d.t.Errorf("a handler does not end: %v", err)
		}
		<-served
		d.observer.settled()
		if held := d.router.BodyBytes(); held != 0 {
			d.t.Errorf("%d bytes of the budget were not given back", held)
		}
	})
}

// route is POST /v1/documents with the doc_id where the locator says.
func route(t testing.TB, locator string) router.Route {
	t.Helper()
	l, err := router.ParseLocator(locator)
	if err != nil {
		t.Fatal(err)
	}
	return router.Route{Name: "documents", Method: http.MethodPost, Pattern: "/v1/documents", DocID: l}
}

// at opens the door at an exposure, in percent.
func at(percent float64) func(*setup) {
	exposure, err := rollout.ParsePercent(percent)
	if err != nil {
		panic(err)
	}
	return under(rollout.Reading{Rollout: exposure}.Policy(7))
}

func under(policy *rollout.Policy) func(*setup) {
	return func(s *setup) { s.Policy = func() *rollout.Policy { return policy } }
}

func routes(all ...router.Route) func(*setup) {
	return func(s *setup) { s.Routes = all }
}

func limits(change func(*router.BodyLimits)) func(*setup) {
	return func(s *setup) { change(&s.Body) }
}

// running makes Temporal do what run does.
func running(run runFunc) func(*setup) {
	return func(s *setup) { s.temporal.run = run }
}

// answering makes legacy do what answer does.
func answering(answer answerFunc) func(*setup) {
	return func(s *setup) { s.legacy.answer = answer }
}

// wantNothingSent checks that neither path got anything.
func (d *door) wantNothingSent() {
	d.t.Helper()
	if got := d.legacy.all(); len(got) > 0 {
		d.t.Errorf("legacy got %+v", got)
	}
	if got := d.temporal.all(); len(got) > 0 {
		d.t.Errorf("Temporal got %+v", got)
	}
}
