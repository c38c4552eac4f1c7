package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"

	"go.uber.org/zap"

	"sluice/router/framing"
)

func (g *Gateway) openListeners(context.Context) error {
	var err error
	if g.public, err = listen("listen.public", g.config.Listen.Public); err != nil {
		return err
	}
	g.closers = append(g.closers, func() error { return closed(g.public) })
	if g.operator, err = listen("listen.operator", g.config.Listen.Operator); err != nil {
		return err
	}
	g.closers = append(g.closers, func() error { return closed(g.operator) })
	return nil
}

func listen(key, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w (set another address: -set %s=host:port)", address, err, key)
	}
	return listener, nil
}

// closed closes a listener that its server may have closed already.
func closed(listener net.Listener) error {
	if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// framed returns the public listener behind the strict HTTP/1 framer.
func (g *Gateway) framed() net.Listener {
	return framing.NewListener(g.public, framing.Limits{
		MaxHeaderBytes: int(g.config.Requests.MaxHeader),
		Observer:       g.metrics.Refused,
	})
}

func (g *Gateway) openServers(context.Context) error {
	c := g.config.Requests
	log, err := zap.NewStdLogAt(g.options.Log, zap.WarnLevel)
	if err != nil {
		return err
	}
	g.publicServer = &http.Server{
		Handler:                      g.router,
		ReadHeaderTimeout:            c.HeaderTimeout.Std(),
		IdleTimeout:                  c.IdleTimeout.Std(),
		MaxHeaderBytes:               int(c.MaxHeader),
		DisableGeneralOptionsHandler: true, // OPTIONS * is legacy's to answer
		ErrorLog:                     log,
		ConnState: func(conn net.Conn, state http.ConnState) {
			if framed, ok := conn.(*framing.Conn); ok && state == http.StateHijacked {
				framed.Release()
			}
		},
	}
	g.operatorServer = &http.Server{Handler: g.operatorHandler(), ReadHeaderTimeout: c.HeaderTimeout.Std(), ErrorLog: log}
	return nil
}

// operatorHandler serves what operators and their tools look at.
func (g *Gateway) operatorHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", g.metrics.Handler())
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if g.router.Draining() {
			say(w, http.StatusServiceUnavailable, "draining")
			return
		}
		say(w, http.StatusOK, "ready")
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // a probe may have left
}
