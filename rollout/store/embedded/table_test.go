package embedded_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"sluice/rollout/store/embedded"
)

// Few tags in a small table: nearly every entry is in another's way.
func TestTableIsLikeAMap(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	type entry struct{ tag, value uint32 }
	for range 200 {
		add, remove, count := embedded.NewTable()
		want := map[entry]bool{}
		for range 400 {
			e := entry{uint32(r.IntN(20)) * 7, uint32(r.IntN(4))}
			if r.IntN(2) == 0 && !want[e] {
				add(e.tag, e.value)
				want[e] = true
			} else {
				if got := remove(e.tag, e.value); got != want[e] {
					t.Fatalf("removing %v found it: %v, want %v", e, got, want[e])
				}
				delete(want, e)
			}
			if count() != len(want) {
				t.Fatalf("%d entries, want %d", count(), len(want))
			}
		}
		for e := range want {
			if !remove(e.tag, e.value) {
				t.Fatalf("%v is lost", e)
			}
		}
	}
}
