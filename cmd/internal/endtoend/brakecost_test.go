package endtoend_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkRollbackOnFiveGateways measures how long after the deciding event has
// reached the store a document still begins on Temporal, on any of five gateways that
// share it: the event is a document that a human confirms to be lost, the traffic six
// clients for each gateway, all of whose documents would go to Temporal. It reports the
// median, the 99th percentile and the longest, in milliseconds.
func BenchmarkRollbackOnFiveGateways(b *testing.B) {
	s, _ := onPostgres(b)
	s.work(b)
	addresses := []string{s.gateway.PublicAddress()}
	operators := []string{s.gateway.OperatorAddress()}
	for i := range 4 {
		g := s.openGateway(b, fmt.Sprintf("data=%s/gateway-%d", s.dir, i))
		addresses, operators = append(addresses, g.PublicAddress()), append(operators, g.OperatorAddress())
	}
	s.setFlags(b, 100, false)
	everywhere := func(value string) {
		for _, operator := range operators {
			eventually(b, operator+" is at "+value, func() bool {
				return strings.Contains(string(get(b, s.client, "http://"+operator+"/metrics").body), exposure+" "+value+"\n")
			})
		}
	}
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		everywhere("1")
		took = append(took, s.lastStart(b, fmt.Sprint("cycle-", n, "-"), addresses, operators[n%len(operators)]))
		everywhere("0")
		act(b, s.client, operators[(n+1)%len(operators)], "/api/brake/release", `{"reason":"the next turn"}`)
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(ms(took[len(took)/2]), "ms-p50")
	b.ReportMetric(ms(took[(len(took)*99+99)/100-1]), "ms-p99")
	b.ReportMetric(ms(took[len(took)-1]), "ms-longest")
	b.ReportMetric(0, "ns/op")
}

// lastStart posts to all addresses, confirms a harm, and returns how long after that
// was on record the last document began that went to Temporal.
func (s *stack) lastStart(b *testing.B, prefix string, addresses []string, operator string) time.Duration {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	var last atomic.Int64
	var clients sync.WaitGroup
	for i := range 6 * len(addresses) {
		address := addresses[i%len(addresses)]
		clients.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				began := time.Now()
				a, err := s.postTo(b.Context(), address, documentBody(fmt.Sprint(prefix, i, "-", n)), "Prefer", "respond-async")
				if err != nil || a.status >= 300 {
					b.Errorf("%v, %v", a, err)
					return
				}
				for was := last.Load(); a.path() == "temporal" && began.UnixNano() > was && !last.CompareAndSwap(was, began.UnixNano()); was = last.Load() {
				}
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	act(b, s.client, operator, "/api/conservation", `{"doc_id":"doc-1","kind":"lost","reason":"a measurement","force":true}`)
	recorded := time.Now()
	time.Sleep(2 * time.Second)
	stop()
	clients.Wait()
	return max(0, time.Unix(0, last.Load()).Sub(recorded))
}

// act makes an operator's change.
func act(t testing.TB, client *http.Client, operator, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+operator+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if a, err := send(client, request); err != nil || a.status != http.StatusOK {
		t.Fatalf("%s: %v, %v", path, a, err)
	}
}
