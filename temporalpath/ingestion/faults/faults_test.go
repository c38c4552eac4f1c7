package faults

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

const documents = 20_000

func share(t *testing.T, hits func(docID string) bool) map[string]bool {
	t.Helper()
	hit := map[string]bool{}
	for i := range documents {
		if doc := fmt.Sprint("doc-", i); hits(doc) {
			hit[doc] = true
		}
	}
	return hit
}

func set(t *testing.T, settings Settings) *Switch {
	t.Helper()
	s := &Switch{}
	if err := s.Set(settings); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNothingIsHitWithoutSettings(t *testing.T) {
	for name, s := range map[string]*Switch{"nil": nil, "zero": {}, "set to nothing": set(t, Settings{})} {
		if n := len(share(t, s.Fails)) + len(share(t, s.Differs)); n > 0 {
			t.Errorf("%s: %d documents are hit", name, n)
		}
		if err := s.Delay(t.Context(), func() { t.Errorf("%s: waited", name) }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSharesAreStableNestedAndIndependent(t *testing.T) {
	some := share(t, set(t, Settings{ErrorRate: 0.1}).Fails)
	more := share(t, set(t, Settings{ErrorRate: 0.3}).Fails)
	other := share(t, set(t, Settings{Differ: 0.1}).Differs)
	if all := share(t, set(t, Settings{ErrorRate: 1}).Fails); len(all) != documents {
		t.Errorf("a share of 1 hits %d of %d", len(all), documents)
	}
	// Five standard deviations of a binomial at 20,000 documents.
	for _, c := range []struct{ got, want int }{{len(some), 2000}, {len(more), 6000}, {len(other), 2000}} {
		if math.Abs(float64(c.got-c.want)) > 5*math.Sqrt(float64(c.want)) {
			t.Errorf("hits %d documents, want about %d", c.got, c.want)
		}
	}
	both := 0
	for doc := range some {
		if !more[doc] {
			t.Fatalf("%s fails at 0.1 and not at 0.3", doc)
		}
		if other[doc] {
			both++
		}
	}
	if both < 125 || both > 275 {
		t.Errorf("%d documents fail and differ, want about 200", both)
	}
}

func TestDelayBeatsUntilItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, begun, beats := set(t, Settings{Latency: Duration(time.Second)}), time.Now(), 0
		if err := s.Delay(t.Context(), func() { beats++ }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != time.Second || beats != 10 {
			t.Errorf("took %s with %d beats, want 1s with 10", took, beats)
		}
	})
}

func TestDelayEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		s, begun := set(t, Settings{Latency: Duration(time.Minute)}), time.Now()
		if err := s.Delay(ctx, func() {}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended with %v", err)
		}
		if took := time.Since(begun); took != 250*time.Millisecond {
			t.Errorf("took %s", took)
		}
	})
}
