package endtoend_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/gateway"
)

var rollingPosts = flag.Int64("rolling.posts", 1000, "how many posts the rolling restart must not fail")

// While three gateways on one PostgreSQL are restarted one after the other, round
// after round, no post of their keep-alive clients fails, and none of these
// repeats one.
func TestRollingRestartFailsNoPost(t *testing.T) {
	f := openFleet(t, 3)
	ctx, end := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for n := range 32 {
		clients.Go(func() { f.post(ctx, n) })
	}
	restarts := 0
	for f.posts.Load() < *rollingPosts {
		f.restart(t, restarts%len(f.replicas))
		restarts++
	}
	end()
	clients.Wait()
	t.Logf("%d restarts, %d posts, of them %d on Temporal; the slowest took %v", restarts, f.posts.Load(), f.temporal.Load(), time.Duration(f.slowest.Load()))
	if f.failed.Load() > 0 {
		t.Errorf("%d of %d posts failed, the first: %v", f.failed.Load(), f.posts.Load(), f.first.Load())
	}
	if restarts < len(f.replicas) || f.temporal.Load() == 0 {
		t.Error("the restart was not put to the test")
	}
}

// fleet is several gateways behind a load balancer, which asks each whether it is
// ready before it sends a new connection there.
type fleet struct {
	*stack
	replicas []*replica

	posts, temporal, failed, slowest atomic.Int64
	first                            atomic.Value // a string
}

type replica struct {
	address atomic.Value // a string; where its door is
	ready   atomic.Bool
	gateway *gateway.Gateway
	stop    context.CancelFunc
	stopped chan error
}

func openFleet(t *testing.T, size int) *fleet {
	s, _ := onPostgres(t, "drain.lame_duck=2s")
	s.work(t)
	f := &fleet{stack: s}
	for i := range size {
		r := &replica{}
		f.replicas = append(f.replicas, r)
		f.start(t, i)
	}
	t.Cleanup(func() {
		for _, r := range f.replicas {
			f.end(t, r)
		}
	})
	f.setFlags(t, 10, false)
	return f
}

func (f *fleet) start(t *testing.T, i int) {
	t.Helper()
	config := f.load(t, append(f.settings, fmt.Sprintf("data=%s/replica-%d", f.dir, i)))
	g, err := gateway.Open(t.Context(), config, gateway.Options{Version: "test", Log: zap.NewNop(), Lookup: noVariables})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := f.replicas[i]
	r.gateway, r.stop, r.stopped = g, stop, make(chan error, 1)
	go func() { r.stopped <- g.Run(ctx) }()
	eventually(t, "the replica is ready", func() bool {
		return f.status("http://"+g.OperatorAddress()+"/readyz") == http.StatusOK
	})
	r.address.Store(g.PublicAddress())
	r.ready.Store(true)
}

func (f *fleet) end(t *testing.T, r *replica) {
	t.Helper()
	r.stop()
	if err := <-r.stopped; err != nil {
		t.Error(err)
	}
	if err := r.gateway.Close(); err != nil {
		t.Error(err)
	}
}

// restart stops a replica as an orchestrator does, and starts another in its place.
func (f *fleet) restart(t *testing.T, i int) {
	t.Helper()
	r := f.replicas[i]
	r.stop()
	eventually(t, "the replica is not ready", func() bool {
		return f.status("http://"+r.gateway.OperatorAddress()+"/readyz") == http.StatusServiceUnavailable
	})
	r.ready.Store(false)
	f.end(t, r)
	f.start(t, i)
}

// post posts documents on one kept connection, until the server says that it
// closes it; a new one is balanced.
func (f *fleet) post(ctx context.Context, n int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	address := f.balance(n)
	for i := 0; ctx.Err() == nil; i++ {
		body := fmt.Sprintf(`{"doc_id":"rolling-%d-%d","text":"Ada"}`, n, i)
		request, err := http.NewRequest(http.MethodPost, "http://"+address+"/v1/documents", io.NopCloser(strings.NewReader(body)))
		if err != nil {
			panic(err)
		}
		request.ContentLength = int64(len(body)) // and no GetBody: the transport cannot repeat it
		request.Header.Set("Content-Type", "application/json")
		began := time.Now()
		a, err := send(client, request)
		f.count(a, err, time.Since(began))
		if a.closed || err != nil {
			address = f.balance(n + i)
		}
	}
}

func (f *fleet) count(a answer, err error, took time.Duration) {
	f.posts.Add(1)
	for {
		slowest := f.slowest.Load()
		if int64(took) <= slowest || f.slowest.CompareAndSwap(slowest, int64(took)) {
			break
		}
	}
	if a.path() == "temporal" {
		f.temporal.Add(1)
	}
	if err != nil || a.status != http.StatusOK && a.status != http.StatusAccepted {
		f.failed.Add(1)
		f.first.CompareAndSwap(nil, fmt.Sprint(a, " ", err))
	}
}

// balance returns the door of a replica that is ready.
func (f *fleet) balance(n int) string {
	for i := n; ; i++ {
		if r := f.replicas[i%len(f.replicas)]; r.ready.Load() {
			return r.address.Load().(string)
		}
	}
}
