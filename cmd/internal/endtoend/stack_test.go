package endtoend_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/demolegacy"
	"sluice/cmd/internal/gateway"
	"sluice/cmd/internal/worker"
	"sluice/configs"
	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/temporaltest"
)

// stack is the whole, in this process but for Temporal.
type stack struct {
	config  configs.Config
	server  *temporaltest.Server
	gateway *gateway.Gateway
	worker  *worker.Worker // nil until work is called
	client  *http.Client
	stores  stores.Handles // what both paths write to
	// legacy is where the demonstration legacy service listens, host:port.
	legacy string
	// flagFile is the one that operators edit.
	flagFile string
	settings []string
	dir      string
}

// assemble starts a Temporal server, a legacy service and a gateway with the
// settings; no worker yet. token is what legacy asks clients for.
func assemble(t testing.TB, token string, settings ...string) *stack {
	t.Helper()
	return assembleOn(t, temporaltest.Start(t), token, settings...)
}

// assembleOn is assemble with a Temporal server of the test's own making.
func assembleOn(t testing.TB, server *temporaltest.Server, token string, settings ...string) *stack {
	t.Helper()
	s := &stack{server: server, dir: t.TempDir()}
	s.flagFile = filepath.Join(s.dir, "flags.json")
	s.setFlags(t, 0, false)
	s.serveLegacy(t, token)
	s.settings = []string{
		"listen.public=127.0.0.1:0", "listen.operator=127.0.0.1:0", "worker.listen=127.0.0.1:0",
		"data=" + filepath.Join(s.dir, "gateway"), "legacy.url=http://" + s.legacy,
		"temporal.address=" + s.server.Frontend, "rollout.flags.file=" + s.flagFile,
		"log.access=false", "drain.lame_duck=0s", "worker.faults=true",
	}
	// On a machine that runs tests Temporal is more than five times as slow as this
	// legacy service: only tests of latency roll back for that.
	s.settings = append(s.settings, latencies("warn")...)
	for _, kind := range stores.Kinds() {
		s.settings = append(s.settings,
			fmt.Sprintf("worker.stores.%s=%s", kind, s.dsn("documents")),
			fmt.Sprintf("worker.shadow_stores.%s=%s", kind, s.dsn("shadow")))
	}
	s.settings = append(s.settings, settings...)
	s.gateway = s.openGateway(t)
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}, Timeout: time.Minute}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

// latencies sets what a breach of a latency guardrail leads to.
func latencies(action string) (settings []string) {
	for _, quantile := range []string{"p50", "p90", "p99"} {
		settings = append(settings, "guardrails.limits.latency_"+quantile+".action="+action)
	}
	return settings
}

func (s *stack) dsn(name string) string { return "sqlite:" + filepath.Join(s.dir, name+".db") }

// openGateway runs a gateway of the same configuration until the test ends.
func (s *stack) openGateway(t testing.TB, settings ...string) *gateway.Gateway {
	t.Helper()
	config := s.load(t, append(s.settings, settings...))
	s.config = config
	g, err := gateway.Open(t.Context(), config, gateway.Options{Version: "test", Log: zap.NewNop(), Lookup: noVariables})
	if err != nil {
		t.Fatal(err)
	}
	background(t, g.Run, g.Close)
	return g
}

func (s *stack) load(t testing.TB, settings []string) configs.Config {
	t.Helper()
	config, err := configs.Load("../../../configs/gateway.yaml", settings...)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func noVariables(string) (string, bool) { return "", false }

// background runs something until the test ends, and closes it then.
func background(t testing.TB, run func(context.Context) error, closing func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := closing(); err != nil {
			t.Error(err)
		}
	})
}

// work starts the worker and waits until it polls.
func (s *stack) work(t testing.TB) {
	t.Helper()
	w, err := worker.Open(t.Context(), s.config, worker.Options{Version: "test", Log: zap.NewNop(), Lookup: noVariables})
	if err != nil {
		t.Fatal(err)
	}
	s.worker = w
	background(t, w.Run, w.Close)
	eventually(t, "the worker is ready", func() bool { return s.status("http://"+w.Address()+"/readyz") == http.StatusOK })
}

func (s *stack) serveLegacy(t testing.TB, token string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.legacy = listener.Addr().String()
	if s.stores, err = worker.OpenStores(t.Context(), stores.Everywhere(s.dsn("documents"))); err != nil {
		t.Fatal(err)
	}
	service, err := demolegacy.New(demolegacy.Config{Stores: s.stores, Token: token, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	background(t, func(ctx context.Context) error { return service.Serve(ctx, listener) }, s.stores.Close)
}

// setFlags edits the flag file in place, as an editor does.
func (s *stack) setFlags(t testing.TB, percent float64, kill bool) {
	t.Helper()
	s.writeFlags(t, percent, 0, kill)
}

func (s *stack) writeFlags(t testing.TB, percent, shadow float64, kill bool) {
	t.Helper()
	text := fmt.Sprintf(`{"flags":{
 "temporal-rollout-percentage":{"state":"ENABLED","defaultVariant":"now","variants":{"now":%v}},
 "temporal-shadow-percentage":{"state":"ENABLED","defaultVariant":"now","variants":{"now":%v}},
 "temporal-rollout-kill":{"state":"ENABLED","defaultVariant":"now","variants":{"now":%v}}}}`, percent, shadow, kill)
	if err := os.WriteFile(s.flagFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rollTo edits the flag and waits until the gateway goes by it.
func (s *stack) rollTo(t testing.TB, percent float64) {
	t.Helper()
	s.setFlags(t, percent, false)
	want := fmt.Sprintf(`rollout_exposure_ratio{ceiling="effective"} %v`, percent/100)
	eventually(t, want, func() bool { return strings.Contains(s.metrics(t), want+"\n") })
}

func (s *stack) metrics(t testing.TB) string {
	t.Helper()
	return string(get(t, s.client, "http://"+s.gateway.OperatorAddress()+"/metrics").body)
}

func (s *stack) status(url string) int {
	response, err := s.client.Get(url)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// eventually fails the test if the condition does not come true.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	within(t, time.Minute, what, condition)
}

// within is eventually with a patience of its own, for what is much work.
func within(t testing.TB, patience time.Duration, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("this did not come true within %v: %s", patience, what)
		}
	}
}
