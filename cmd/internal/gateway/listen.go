package gateway

import (
	"context"
	"net"
	"net/http"
	"net/http/pprof"

	"go.uber.org/zap"

	"sluice/cmd/internal/connect"
	"sluice/router/framing"
)

func (g *Gateway) openListeners(context.Context) error {
	var err error
	if g.public, err = connect.Listen(g.config.Listen.Public, "-set listen.public=host:port"); err != nil {
		return err
	}
	g.closers = append(g.closers, func() error { return connect.Closed(g.public) })
	if g.operator, err = connect.Listen(g.config.Listen.Operator, "-set listen.operator=host:port"); err != nil {
		return err
	}
	g.closers = append(g.closers, func() error { return connect.Closed(g.operator) })
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
	operated, err := g.operated(g.operatorHandler())
	if err != nil {
		return err
	}
	g.operatorServer = &http.Server{Handler: operated, ReadHeaderTimeout: c.HeaderTimeout.Std(), ErrorLog: log}
	return nil
}

// operatorHandler serves what operators and their tools look at.
func (g *Gateway) operatorHandler() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", g.metrics.Handler())
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { connect.Say(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if g.router.Draining() {
			connect.Say(w, http.StatusServiceUnavailable, "draining")
			return
		}
		connect.Say(w, http.StatusOK, "ready")
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
