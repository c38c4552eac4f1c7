package breaker_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/router/breaker"
)

func report(b *breaker.Breaker, results string) {
	for _, r := range results {
		b.Report(r == '.')
	}
}

func TestOpens(t *testing.T) {
	for results, open := range map[string]bool{
		"":                       false,
		"xxxx":                   false,
		"xxxx.xxxx":              false,
		"xxxxx":                  true,
		"x.x.x.x.x.x.x.x.x.x.":   true, // half of twenty
		"x.x.x.x.x.x.x.x.x...":   false,
		"x.x.x.x.x.x.x.x.x.x":    false, // not twenty yet
		"....................xx": false,
	} {
		b := breaker.New()
		report(b, results)
		if b.Open() != open {
			t.Errorf("%q: open %v", results, b.Open())
		}
	}
}

func TestClosesWhenAProbeGetsThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var probes, changes atomic.Int32
		probe := func(context.Context) error {
			if probes.Add(1) < 4 {
				return errors.New("still away")
			}
			return nil
		}
		go b.Watch(ctx, time.Second, probe, func(bool) { changes.Add(1) })
		report(b, "xxxxx")
		synctest.Wait()
		if !b.Open() || probes.Load() != 1 || changes.Load() != 1 {
			t.Fatalf("open %v after %d probes", b.Open(), probes.Load())
		}
		report(b, ".") // sent before it opened: no reason to close
		time.Sleep(3*time.Second + time.Millisecond)
		synctest.Wait()
		if b.Open() || probes.Load() != 4 || changes.Load() != 2 {
			t.Errorf("open %v after %d probes", b.Open(), probes.Load())
		}
		report(b, "xxxx")
		if b.Open() {
			t.Error("it did not begin anew")
		}
	})
}
