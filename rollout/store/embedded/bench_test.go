package embedded_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/embedded"
)

// gateway is a store as a gateway would have it.
func gateway(dir string) embedded.Config {
	policy := &rollout.Policy{Flag: rollout.All, Plan: rollout.All, Brake: rollout.All}
	return embedded.Config{Dir: dir, Horizon: 15 * time.Minute, Policy: func() *rollout.Policy { return policy }}
}

// wish is one client's request for the document.
func wish(docID string) rollout.Ask {
	return rollout.Ask{Intent: rollout.KeyedIntent("documents", "", docID, "1"), Route: "documents", Temporal: true, Owner: "gateway-1", Counts: true, Own: rollout.All}
}

// used returns the CPU time of this process.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident returns what the kernel counts as this process's memory, in bytes.
func resident() int {
	text, _ := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(text)); len(fields) > 1 {
		pages, _ := strconv.Atoi(fields[1])
		return pages * os.Getpagesize()
	}
	return 0
}

// BenchmarkClaim is Take on a fresh document from 64 goroutines, without the
// time that it takes to make up requests.
func BenchmarkClaim(b *testing.B) {
	const writers = 64
	s, err := embedded.Open(b.Context(), gateway(b.TempDir()))
	if err != nil {
		b.Fatal(err)
	}
	ids, asks := make([]string, b.N), make([]rollout.Ask, b.N)
	for i := range ids {
		ids[i] = fmt.Sprintf("doc-%08d", i)
		asks[i] = wish(ids[i])
	}
	var next atomic.Int64
	var done sync.WaitGroup
	b.ResetTimer()
	before := used()
	for range writers {
		done.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				if err := s.Update(b.Context(), ids[i], take(asks[i])); err != nil {
					b.Error(err)
				}
			}
		})
	}
	done.Wait()
	b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
	b.StopTimer()
	if err := s.Close(); err != nil {
		b.Error(err)
	}
}

// BenchmarkMillion is one million open claims: the memory of the process that
// made them, and of one that found them, and how long it took to find them.
func BenchmarkMillion(b *testing.B) {
	dir := b.TempDir()
	for _, name := range []string{"million", "again"} {
		text, err := child(b.Context(), name, dir).Output()
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%s", text)
	}
}

const many = 1_000_000

// million makes the claims, and dies without Close.
func million(dir string) error {
	s, err := embedded.Open(context.Background(), gateway(dir))
	if err != nil {
		return err
	}
	for i := range many {
		id := fmt.Sprintf("invoice-2026-%08d", i)
		if err := s.Update(context.Background(), id, take(wish(id))); err != nil {
			return err
		}
	}
	fmt.Printf("made %d open claims: %d MB resident\n", many, resident()>>20)
	return nil
}

// again finds them.
func again(dir string) error {
	began := time.Now()
	s, err := embedded.Open(context.Background(), gateway(dir))
	if err != nil {
		return err
	}
	took, cpu, found := time.Since(began), used(), 0
	mb := resident() >> 20
	if err := s.Open(context.Background(), func(*rollout.Holding) error { found++; return nil }); err != nil || found != many {
		return fmt.Errorf("%d claims: %w", found, err)
	}
	fmt.Printf("found %d open claims in %v (%v of CPU): %d MB resident, %d MB after all were visited\n", found, took.Round(time.Millisecond), cpu.Round(time.Millisecond), mb, resident()>>20)
	return s.Close()
}

// BenchmarkAgain is Take again and again on a thousand documents from 64
// goroutines, which leaves only waste behind: can the sweeper keep up?
func BenchmarkAgain(b *testing.B) {
	const writers, documents = 64, 1000
	c := gateway(b.TempDir())
	s, err := embedded.Open(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	ids := make([]string, documents)
	for i := range ids {
		ids[i] = fmt.Sprintf("doc-%08d", i)
	}
	var next, longest atomic.Int64
	var done sync.WaitGroup
	b.ResetTimer()
	before := used()
	for range writers {
		done.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				id := ids[i%documents]
				if err := s.Update(b.Context(), id, take(wish(id))); err != nil {
					b.Error(err)
				}
				if i%1000 == 0 {
					longest.Store(max(longest.Load(), embedded.LogBytes(s)))
				}
			}
		})
	}
	done.Wait()
	b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(longest.Load())/(1<<20), "log-MB")
	b.StopTimer()
	if err := s.Close(); err != nil {
		b.Error(err)
	}
}
