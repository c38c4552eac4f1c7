package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"sluice/rollout/audit"
	"sluice/router/operator"
)

// minToken is the shortest token that is taken, in characters.
const minToken = 16

// operated puts the operator API beside what mux serves, and a guard around all
// of it.
func (g *Gateway) operated(mux *http.ServeMux) (http.Handler, error) {
	if g.token == "" && !loopback(g.operator.Addr()) {
		g.options.Log.Warn("the gateway can be operated only from its own machine", zap.String("hint", "set "+operator.TokenKey))
	}
	record, err := g.openAudit()
	if err != nil {
		return nil, err
	}
	mux.Handle("/api/", operator.New(operator.Config{
		Records: g.records, Claims: g.claims, Runs: g.temporal, Audit: record, Brake: g.brake, Plan: g.helm, Views: g.views(), Limits: g.limits(), Log: g.options.Log.Named("operator"),
	}))
	return operator.Guard(g.token, mux), nil
}

// openAudit returns the record of what is done by hand: where the claims are
// shared it is with them, one chain of all gateways; else a file. The shared one
// is verified when it is used: the door must not stay shut for want of it.
func (g *Gateway) openAudit() (operator.Audit, error) {
	log := g.options.Log.Named("audit")
	if table, shared := g.records.(audit.Table); shared {
		return audit.NewShared(table, log), nil
	}
	record, err := audit.Open(filepath.Join(g.config.Data, "audit.jsonl"), log)
	if err != nil {
		return nil, fmt.Errorf("%w\nhint: keep the file for who looks into it, and move it out of the way: a new one is begun", err)
	}
	g.closers = append(g.closers, record.Close)
	return record, nil
}

// limits are how long what is merely under way can take: a start is looked up
// again after its wait, and a request to legacy is given up.
func (g *Gateway) limits() operator.Limits {
	t := g.config.Temporal
	return operator.Limits{
		Start:   t.MaxWait.Std() + 3*t.StartTimeout.Std(),
		Legacy:  legacyTimeout(g.config.Legacy.AnswerTimeout.Std()),
		Horizon: g.config.Claims.Horizon.Std(),
	}
}

// operatorToken reads the token; none if there is no file.
func operatorToken(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if len(token) < minToken || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s must hold one word of %d or more characters (openssl rand -hex 32)", path, minToken)
	}
	return token, nil
}

func loopback(address net.Addr) bool {
	at, err := netip.ParseAddrPort(address.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}
