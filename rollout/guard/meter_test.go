package guard

import (
	"math"
	"testing"

	"sluice/rollout"
)

func meter(s *State, c *Config, name Name, exposure rollout.Exposure) Meter {
	return s.Meters(c, exposure, s.Second)[name]
}

// What the meter foretells is what happens. Power falls near full exposure.
func TestAloneIsWhatItTakes(t *testing.T) {
	c := Defaults()
	ratio := map[rollout.Exposure]uint64{100_000: 4, 500_000: 15, 900_000: 110, 990_000: 1_172}
	for exposure, needed := range ratio {
		for _, name := range []Name{ErrorRatio, ErrorExcess} {
			var s State
			want := meter(&s, &c, name, exposure).Alone
			got := uint64(0)
			for ; !breached(&s, &c, name) && got < 2_000; got++ {
				b := Bin{Second: int64(got) + 1}
				b.At(1, exposure).Temporal.Bad = 1
				step(t, &s, b, &c)
			}
			if got != want || name == ErrorRatio && got != needed {
				t.Errorf("%s at %s: %d, the meter said %d", name, exposure, got, want)
			}
			if m := meter(&s, &c, name, exposure); m.Evidence != 1 || m.Alone != 0 {
				t.Errorf("%s at %s: breached, and the meter says %+v", name, exposure, m)
			}
		}
	}
}

func TestEvidenceIsAShareOfTheWay(t *testing.T) {
	c := Defaults()
	var s State
	last := 0.0
	for second := int64(1); second <= 3; second++ {
		step(t, &s, bad(second, 1, 0), &c)
		m := meter(&s, &c, ErrorRatio, 100_000)
		if !(m.Evidence > last && m.Evidence < 1) || m.AtFive < m.Alone || m.Alone == 0 {
			t.Errorf("after %d: %+v", second, m)
		}
		last = m.Evidence
	}
	step(t, &s, bad(4, 0, 1), &c)
	if m := meter(&s, &c, ErrorRatio, 100_000); m.Evidence >= last {
		t.Errorf("a bad document of legacy: %+v", m)
	}
}

// The harm that is said to be noticed within an hour is noticed at about that
// time, if events come as evenly as they can.
func TestNoticedWithinAnHour(t *testing.T) {
	c := Defaults()
	var s State
	second := int64(0)
	// One document a second, a tenth on Temporal, 0.5 % bad: legacy has a bad one
	// in 222 seconds, Temporal in 2,000 over its ratio.
	run := func(ratio float64, seconds int64) {
		for end := second + seconds; second < end; {
			second++
			b := Bin{Second: second}
			seg := b.At(1, 100_000)
			seg.Legacy.Assigned, seg.Legacy.Good = 1, 1
			if second%10 == 0 {
				seg.Temporal.Good = 1
			}
			seg.Legacy.Bad = uint64(second/222 - (second-1)/222)
			every := 2_000 / ratio
			seg.Temporal.Bad = uint64(float64(second)/every) - uint64(float64(second-1)/every)
			step(t, &s, b, &c)
		}
	}
	run(1, day)
	m := meter(&s, &c, ErrorRatio, 100_000)
	if !(m.Noticed > 5 && m.Noticed < 20) {
		t.Errorf("noticed: %v", m.Noticed)
	}
	run(m.Noticed*0.8, hour)
	if breached(&s, &c, ErrorRatio) {
		t.Error("less harm was noticed")
	}
	s.Reset(0)
	run(m.Noticed*1.25, hour)
	if !breached(&s, &c, ErrorRatio) {
		t.Error("a little more harm was not noticed")
	}
}

func TestBlindWhereThereIsNothingToCompare(t *testing.T) {
	c := Defaults()
	var s State
	step(t, &s, bad(1, 0, 1), &c)
	for _, exposure := range []rollout.Exposure{rollout.None, rollout.All} {
		if m := meter(&s, &c, ErrorRatio, exposure); m.Alone != 0 || m.AtFive != 0 || m.Noticed != 0 {
			t.Errorf("at %s: %+v", exposure, m)
		}
	}
	for _, m := range s.Meters(&c, 500_000, 1) {
		if math.IsNaN(m.Evidence) || math.IsNaN(m.Noticed) {
			t.Errorf("%+v", m)
		}
	}
}
