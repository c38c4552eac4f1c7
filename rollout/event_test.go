package rollout_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"sluice/rollout"
)

func randomCounts(rng *rand.Rand) (counts []rollout.Count) {
	for range rng.IntN(6) {
		counts = append(counts, rollout.Count{
			Epoch: rng.Uint64N(1 << 40), Exposure: rollout.Exposure(rng.IntN(1_000_001)), Arm: rollout.Path(rng.IntN(2)),
			Event: rollout.Event(rng.IntN(int(rollout.EventPlaced) + 1)), Times: rng.Uint64N(1 << 40),
		})
	}
	return counts
}

func TestCountsSurviveTheirEncoding(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for range 2000 {
		counts := randomCounts(rng)
		encoded := rollout.AppendCounts(nil, counts)
		var got []rollout.Count
		rest, err := rollout.ParseCounts(append(encoded, "rest"...), func(c rollout.Count) { got = append(got, c) })
		if err != nil || string(rest) != "rest" || !reflect.DeepEqual(got, counts) {
			t.Fatalf("%+v became %+v and %q, %v", counts, got, rest, err)
		}
		for n := range encoded {
			if _, err := rollout.ParseCounts(encoded[:n], nil); !errors.Is(err, rollout.ErrEncoding) {
				t.Fatalf("%d of %d bytes were read: %v", n, len(encoded), err)
			}
		}
	}
}

func TestWhatACountIs(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 2))
	seen := map[uint32]rollout.Count{}
	for range 5000 {
		for _, c := range randomCounts(rng) {
			c.Epoch, c.Times = 3, 4
			got, ok := rollout.Unpack(3, c.What(), 4)
			if !ok || got != c || c.What() >= 1<<25 {
				t.Fatalf("%+v is %d, which is %+v, %v", c, c.What(), got, ok)
			}
			if other, found := seen[c.What()]; found && other != c {
				t.Fatalf("%+v and %+v are the same", c, other)
			}
			seen[c.What()] = c
		}
	}
	for _, none := range []uint32{1_000_001, (uint32(rollout.EventPlaced) + 1) << 21, 1 << 31} {
		if c, ok := rollout.Unpack(1, none, 1); ok {
			t.Errorf("%d is %+v", none, c)
		}
	}
}

func TestCountsAddUp(t *testing.T) {
	var sum rollout.Counts
	a, b := rollout.Count{Epoch: 1, Event: rollout.EventGood, Times: 2}, rollout.Count{Epoch: 2, Event: rollout.EventGood, Times: 5}
	for _, c := range []rollout.Count{a, b, a} {
		sum.Add(c)
	}
	a.Times = 4
	if !reflect.DeepEqual(sum, rollout.Counts{a, b}) {
		t.Errorf("%+v", sum)
	}
}

func FuzzParseCounts(f *testing.F) {
	f.Add(rollout.AppendCounts(nil, randomCounts(rand.New(rand.NewPCG(5, 3)))))
	f.Fuzz(func(t *testing.T, b []byte) {
		var counts, again []rollout.Count
		if _, err := rollout.ParseCounts(b, func(c rollout.Count) { counts = append(counts, c) }); err != nil {
			return
		}
		rest, err := rollout.ParseCounts(rollout.AppendCounts(nil, counts), func(c rollout.Count) { again = append(again, c) })
		if err != nil || len(rest) > 0 || !reflect.DeepEqual(again, counts) {
			t.Errorf("%+v became %+v, %v", counts, again, err)
		}
	})
}
