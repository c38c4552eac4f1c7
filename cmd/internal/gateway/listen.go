package gateway

import (
	"context"
	"net"
	"net/http"
	"net/http/pprof"

	"go.uber.org/zap"

	"sluice/cmd/internal/connect"
	"sluice/cmd/internal/handover"
	"sluice/legacy"
	"sluice/router/framing"
)

func (g *Gateway) openListeners(ctx context.Context) error {
	if err := g.findPredecessor(ctx); err != nil {
		return err
	}
	var err error
	if g.public, err = g.listen(g.config.Listen.Public, "-set listen.public=host:port"); err != nil {
		return err
	}
	g.closers = append(g.closers, func() error { return connect.Closed(g.public) })
	if g.operator, err = g.listen(g.config.Listen.Operator, "-set listen.operator=host:port"); err != nil {
		return err
	}
	g.closers = append(g.closers, func() error { return connect.Closed(g.operator) })
	return nil
}

// framed returns a listener for clients behind the strict HTTP/1 framer.
func (g *Gateway) framed(inner net.Listener) net.Listener {
	return framing.NewListener(g.connections.Listener(inner), framing.Limits{
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
		ConnState:                    g.follow,
		ConnContext:                  g.attend,
	}
	operated, err := g.operated(g.operatorHandler())
	if err != nil {
		return err
	}
	g.operatorServer = &http.Server{Handler: operated, ReadHeaderTimeout: c.HeaderTimeout.Std(), ErrorLog: log}
	return nil
}

// attend tells legacy on which client's connection a request comes.
func (g *Gateway) attend(ctx context.Context, conn net.Conn) context.Context {
	ctx = framing.ConnContext(ctx, conn)
	framed, ok := conn.(*framing.Conn)
	if !ok {
		return ctx
	}
	client := legacy.ClientConn{Ended: framed.Ended(), Closed: framed.Closed(), Close: framed.CloseIdle, Bound: func() {}}
	if movable, ok := framed.Conn.(*handover.Conn); ok {
		client.Bound = movable.Stay
	}
	return legacy.WithClient(ctx, client)
}

// follow sees every client's connection change its state.
func (g *Gateway) follow(conn net.Conn, state http.ConnState) {
	framed, ok := conn.(*framing.Conn)
	if !ok {
		return
	}
	if state == http.StateIdle {
		defer framed.Answered()
	}
	movable, ok := framed.Conn.(*handover.Conn)
	if !ok {
		return
	}
	switch state {
	case http.StateNew:
		movable.Begin(framed.Messages)
	case http.StateIdle:
		movable.Answered()
	case http.StateHijacked:
		framed.Release()
		g.connections.Forget(movable)
	}
}

// operatorHandler serves what operators and their tools look at.
func (g *Gateway) operatorHandler() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", g.metrics.Handler())
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { connect.Say(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", g.sayReady)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
