package guard

import (
	"testing"

	"sluice/rollout"
)

// stalled is one second of a store that both paths use and that fails: so many of a
// hundred documents are slow, on both arms. seen says that legacy's are looked at.
func stalled(second int64, percent uint64, seen bool) Bin {
	b := Bin{Second: second}
	s := b.At(1, 250_000)
	s.Temporal.Judged, s.Temporal.Slow = 100, [quantiles]uint64{percent, percent, percent}
	if seen {
		s.Legacy.Judged, s.Legacy.Slow = 300, [quantiles]uint64{3 * percent, 3 * percent, 3 * percent}
	}
	return b
}

// Legacy's few slow documents are taken off what Temporal is blamed for.
func TestWhatLegacySuffersIsAllowedToTemporal(t *testing.T) {
	c := Defaults()
	for _, seen := range []bool{true, false} {
		var s State
		for second := int64(1); second <= 3_000; second++ {
			if err := s.Step(stalled(second, 3, seen), &c); err != nil {
				t.Fatal(err)
			}
		}
		if s.Breached(LatencyP99) == seen {
			t.Errorf("breached %v; legacy was slow too: %v", !seen, seen)
		}
	}
}

// An outage that slows both paths alike breaches no latency, from its first second
// on, nor in the seconds after it; that of Temporal alone does.
func TestASharedOutageIsNoLatencyBreach(t *testing.T) {
	c := Defaults()
	for _, seen := range []bool{true, false} {
		var s State
		for second := int64(1); second <= 300; second++ {
			percent := uint64(0)
			if second%60 >= 40 {
				percent = 60
			}
			if err := s.Step(stalled(second, percent, seen), &c); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []Name{LatencyP50, LatencyP90, LatencyP99} {
			if s.Breached(name) == seen {
				t.Errorf("%s: breached %v; legacy was slow too: %v", name, !seen, seen)
			}
		}
	}
}

// Legacy's slowness of half a minute ago excuses nothing.
func TestLegacysSlownessIsForgotten(t *testing.T) {
	c := Defaults()
	var s State
	steps := []Bin{stalled(1, 60, true), stalled(40, 0, true)}
	for second := int64(41); second < 60; second++ {
		b := stalled(second, 0, true)
		b.At(1, 250_000).Temporal.Slow = [quantiles]uint64{90, 90, 90}
		steps = append(steps, b)
	}
	for _, b := range steps {
		if err := s.Step(b, &c); err != nil {
			t.Fatal(err)
		}
	}
	if !s.Breached(LatencyP50) || !s.Breached(LatencyP99) {
		t.Error("Temporal alone is slow, and nothing is breached")
	}
}

func TestCountsAreTakenIntoTheirFields(t *testing.T) {
	var b Bin
	for event := rollout.EventAssigned; event <= rollout.EventPlaced; event++ {
		for _, arm := range []rollout.Path{rollout.Legacy, rollout.Temporal} {
			b.Take([]rollout.Count{{Epoch: 1, Exposure: 5, Arm: arm, Event: event, Times: uint64(event) + 1}})
		}
	}
	want := Segment{
		Epoch: 1, Exposure: 5, Lost: 20, Doubled: 22, Compared: 24, Mismatched: 26,
		Legacy: Arm{Assigned: 1, Good: 2, Bad: 3, Invalid: 4, Judged: 5, Slow: [quantiles]uint64{6, 7, 8}, DeadLetters: 9, Withdrawn: 14, Placed: 15},
	}
	want.Temporal = want.Legacy
	if len(b.Segments) != 1 || b.Segments[0] != want {
		t.Errorf("taken: %+v, want %+v", b.Segments, want)
	}
}

// What was under way when harm was forgiven is forgiven too; what came after is not.
func TestStragglersAreForgottenWithTheEvidence(t *testing.T) {
	c := Defaults()
	for _, epoch := range []uint64{4, 6} {
		var s State
		s.Reset(5)
		for second := int64(1); second <= 60; second++ {
			b := Bin{Second: second}
			seg := b.At(epoch, 100_000)
			seg.Legacy, seg.Temporal = Arm{Good: 90}, Arm{Bad: 10, Judged: 10, Slow: [quantiles]uint64{10, 10, 10}}
			if err := s.Step(b, &c); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(s.Breaches(&c)) > 0; got != (epoch > 5) {
			t.Errorf("epoch %d: breached %v", epoch, got)
		}
	}
}
