package endtoend_test

import (
	"context"
	"errors"
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

// Documents of both paths are ingested while gateways follow one another, on
// either store; a document in flight is found again by the next gateway.
func TestHandoverOnBothPaths(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"embedded", "postgres"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			var s *stack
			if store == "postgres" {
				s, _ = onPostgres(t)
			} else {
				s = assemble(t, "")
			}
			s.work(t)
			s.rollTo(t, 50)
			settings := append(s.settings, "data="+s.dir+"/seat", "drain.timeout=1m")
			first, ended := s.takeSeat(t, settings)
			eventually(t, "the flags are in force", func() bool {
				page := string(get(t, s.client, "http://"+first.OperatorAddress()+"/metrics").body)
				return strings.Contains(page, `rollout_exposure_ratio{ceiling="effective"} 0.5`+"\n")
			})
			settings = append(settings, "listen.public="+first.PublicAddress(), "listen.operator="+first.OperatorAddress())
			posts, stop := s.postAlong(t, first.PublicAddress())
			defer stop()
			for range 3 {
				before := posts.Load()
				eventually(t, "traffic flows", func() bool { return posts.Load() > before+40 })
				_, next := s.takeSeat(t, settings)
				if err := <-ended; err != nil {
					t.Error(err)
				}
				ended = next
			}
			before := posts.Load()
			eventually(t, "traffic goes on", func() bool { return posts.Load() > before+40 })
			stop()
		})
	}
}

// takeSeat runs a gateway until the next one takes over, or the test ends.
func (s *stack) takeSeat(t *testing.T, settings []string) (*gateway.Gateway, <-chan error) {
	t.Helper()
	g, err := gateway.Open(t.Context(), s.load(t, settings), gateway.Options{Version: "test", Log: zap.NewNop(), Lookup: noVariables})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		ended <- errors.Join(g.Run(ctx), g.Close())
	}()
	t.Cleanup(func() { cancel(); <-done })
	return g, ended
}

// postAlong has clients post on kept connections, which never repeat a request, and
// fails the test for each post that fails.
func (s *stack) postAlong(t *testing.T, address string) (posts *atomic.Int64, stop func()) {
	posts = &atomic.Int64{}
	var longest atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	for i := range 8 {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: time.Minute}
		clients.Go(func() {
			defer client.CloseIdleConnections()
			for n := 0; ctx.Err() == nil; n++ {
				body := io.NopCloser(strings.NewReader(fmt.Sprintf(`{"doc_id":"seat-%d-%d"}`, i, n))) // cannot be sent twice
				request, err := http.NewRequest(http.MethodPost, "http://"+address+"/v1/documents", body)
				if err != nil {
					t.Error(err)
					return
				}
				began := time.Now()
				if a, err := send(client, request); err != nil || a.status != http.StatusOK || a.closed {
					t.Errorf("%v, %v", a, err)
				}
				longest.Store(max(longest.Load(), int64(time.Since(began)))) // near enough
				posts.Add(1)
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	return posts, sync.OnceFunc(func() {
		cancel()
		clients.Wait()
		t.Logf("%d posts, the longest took %s", posts.Load(), time.Duration(longest.Load()))
	})
}
