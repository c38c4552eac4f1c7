package endtoend_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/gateway"
	"sluice/configs"
)

// While another gateway takes the traffic, one that drains fails no post of its
// keep-alive clients, none of which repeats one.
func TestDrainFailsNoPost(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	config, err := configs.Load("../../../configs/gateway.yaml", append(s.settings, "drain.lame_duck=5s",
		"data="+s.dir+"/draining")...)
	if err != nil {
		t.Fatal(err)
	}
	draining, err := gateway.Open(t.Context(), config, gateway.Options{Version: "test", Log: zap.NewNop(), Lookup: noVariables})
	if err != nil {
		t.Fatal(err)
	}
	stopping, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- draining.Run(stopping) }()

	// The load balancer: new connections go to the other gateway once this one
	// says that it is not ready.
	var moved atomic.Bool
	var posts, failures atomic.Int64
	ctx, end := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 64 {
		clients.Go(func() { s.postUntil(ctx, i, draining.PublicAddress(), &moved, &posts, &failures) })
	}
	eventually(t, "traffic flows", func() bool { return posts.Load() > 500 })
	stop()
	eventually(t, "it is not ready", func() bool {
		return s.status("http://"+draining.OperatorAddress()+"/readyz") == http.StatusServiceUnavailable
	})
	moved.Store(true)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	before := posts.Load()
	eventually(t, "traffic goes on", func() bool { return posts.Load() > before+200 })
	end()
	clients.Wait()
	if err := draining.Close(); err != nil {
		t.Error(err)
	}
	if n := failures.Load(); n > 0 {
		t.Errorf("%d of %d posts failed", n, posts.Load())
	}
}

// postUntil posts on one kept connection, to whichever gateway a new connection
// is balanced to.
func (s *stack) postUntil(ctx context.Context, n int, first string, moved *atomic.Bool, posts, failures *atomic.Int64) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	address := first
	for i := 0; ctx.Err() == nil; i++ {
		request, err := http.NewRequest(http.MethodPost, "http://"+address+"/v1/documents", body(n, i))
		if err != nil {
			failures.Add(1)
			return
		}
		a, err := send(client, request)
		posts.Add(1)
		if err != nil || a.status != http.StatusOK {
			failures.Add(1)
		}
		if moved.Load() && (a.closed || err != nil) {
			address = s.gateway.PublicAddress()
		}
	}
}

func body(n, i int) *strings.Reader {
	return strings.NewReader(fmt.Sprintf(`{"doc_id":"drain-%d-%d"}`, n, i))
}
