package legacy_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"sluice/legacy"
	"sluice/rollout"
)

// patience bounds how long a test waits for what must come; it never is what a
// test measures.
const patience = 20 * time.Second

// quiet takes what net/http has to say about connections that a test broke.
var quiet = log.New(io.Discard, "", 0)

// end is what one call of Forward returned.
type end struct {
	result rollout.Result
	err    error
}

type gatewayConfig struct {
	legacy.Config      // URL is set by openGateway; MaxIdle 0 means 8
	unkept        bool // MaxIdle really is 0
	buffered      bool // the body is read before Forward
	careless      bool // OutcomeTruncated is not answered with an abort
	own           http.Header
	detached      bool          // the context given to Forward outlives the client
	limit         time.Duration // of the context given to Forward; 0 is none
	tune          func(*http.Server)
	before        func(g *gateway, r *http.Request)                        // forwarding; nil: nothing
	instead       func(g *gateway, w http.ResponseWriter, r *http.Request) // of forwarding
}

// gateway is a net/http server whose handler forwards, as the router's does.
type gateway struct {
	gatewayConfig
	t         testing.TB
	addr      string
	forwarder *legacy.Forwarder
	ends      chan end
}

func openGateway(t testing.TB, legacyURL string, cfg gatewayConfig) *gateway {
	t.Helper()
	base, err := url.Parse(legacyURL)
	if err != nil {
		t.Fatal(err)
	}
	cfg.URL = base
	if cfg.MaxIdle == 0 && !cfg.unkept {
		cfg.MaxIdle = 8
	}
	forwarder, err := legacy.New(cfg.Config)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{gatewayConfig: cfg, t: t, addr: listener.Addr().String(), forwarder: forwarder, ends: make(chan end, 4096)}
	server := &http.Server{Handler: g, DisableGeneralOptionsHandler: true, ErrorLog: quiet}
	if cfg.tune != nil {
		cfg.tune(server)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Close()
		<-served
		forwarder.Close()
	})
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.instead != nil {
		g.instead(g, w, r)
		return
	}
	var body []byte
	if g.buffered {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			http.Error(w, "body", http.StatusBadRequest)
			return
		}
	}
	for name, values := range g.own {
		w.Header()[name] = values
	}
	ctx := r.Context()
	if g.detached {
		ctx = context.WithoutCancel(ctx)
	}
	if g.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, g.limit)
		defer cancel()
	}
	if g.before != nil {
		g.before(g, r)
	}
	result, err := g.forwarder.Forward(ctx, w, r, body)
	g.ends <- end{result, err}
	switch {
	case err != nil:
		http.Error(w, "the gateway's own answer", http.StatusBadGateway)
	case result.Status == 0, result.Outcome == rollout.OutcomeTruncated && !g.careless:
		panic(http.ErrAbortHandler)
	}
}

func (g *gateway) url(target string) string { return "http://" + g.addr + target }

// end waits for a call of Forward to return.
func (g *gateway) end() end {
	g.t.Helper()
	select {
	case e := <-g.ends:
		return e
	case <-time.After(patience):
		g.t.Fatal("Forward does not return")
		panic("unreachable")
	}
}

// ok fails the test if the next call of Forward did not end well.
func (g *gateway) ok() rollout.Result {
	g.t.Helper()
	e := g.end()
	if e.err != nil || e.result.Err != nil || e.result.Outcome.Bad() {
		g.t.Fatalf("Forward: %+v, %v", e.result, e.err)
	}
	return e.result
}
