package guard

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sluice/rollout"
)

// The weights are the formula of the design, written out.
func TestWeightsOfARatio(t *testing.T) {
	for _, w := range []float64{0.0001, 0.1, 0.5, 0.99} {
		for _, m := range []float64{1, 2} {
			g := Guardrail{Limit: m}
			for _, multiple := range []float64{1.5, 2.5, 5, 15} {
				pi := func(r float64) float64 { return r * w / (r*w + 1 - w) }
				got := g.weigh(ratio, multiple, w)
				want := weight{math.Log(pi(m*multiple) / pi(m)), math.Log((1 - pi(m*multiple)) / (1 - pi(m)))}
				if math.Abs(got.suspect-want.suspect) > 1e-9 || math.Abs(got.other-want.other) > 1e-9 {
					t.Errorf("w %v, m %v, multiple %v: %v, want %v", w, m, multiple, got, want)
				}
			}
		}
	}
}

func TestLogMeanIsTheLogarithmOfTheMean(t *testing.T) {
	if got, want := logMean([]float64{0, 1, 2, 3}), math.Log((1+math.E+math.Exp(2)+math.Exp(3))/4); math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	if got := logMean([]float64{0, 0}); got != 0 {
		t.Errorf("no evidence: %v", got)
	}
	if got := logMean([]float64{1e6, 0}); math.Abs(got-(1e6-math.Ln2)) > 1e-6 {
		t.Errorf("too large for a number: %v", got)
	}
}

// A bad rate that is proved above nothing of interest is left alone, however
// large the ratio.
func TestFloorKeepsRareErrorsFromBreaching(t *testing.T) {
	c := Defaults()
	for _, floor := range []float64{0.001, 0} {
		c.Floor = floor
		var s State
		for second := int64(1); second <= 20; second++ {
			b := Bin{Second: second}
			b.At(1, 100_000).Temporal = Arm{Bad: 1, Good: 5_000}
			step(t, &s, b, &c)
		}
		if got, want := breached(&s, &c, ErrorRatio), floor == 0; got != want {
			t.Errorf("floor %v: breached is %v", floor, got)
		}
	}
}

// A bad event is weighed with the exposure under which it was assigned: at 99 %
// nearly all of them are Temporal's anyway.
func TestEventsAreWeighedByTheirOwnExposure(t *testing.T) {
	c := Defaults()
	for exposure, want := range map[rollout.Exposure]bool{100_000: true, 990_000: false, rollout.All: false} {
		var s State
		b := Bin{Second: 1}
		b.At(1, exposure).Temporal = Arm{Bad: 10}
		b.At(2, 500_000).Legacy = Arm{Good: 10}
		step(t, &s, b, &c)
		if got := breached(&s, &c, ErrorRatio); got != want {
			t.Errorf("%v: breached is %v", exposure, got)
		}
	}
}

func TestExpectedEventsSetTheThreshold(t *testing.T) {
	g := Defaults().Guardrails[ErrorRatio]
	for _, test := range []struct {
		name    string
		every   int64 // one bad event of legacy in so many seconds
		seconds int64
		want    float64 // A
	}{
		{"no traffic", 1 << 40, day, 100},
		{"ten a day", day / 10, day, 10 * (1 + 2*0.1/0.9) / 0.1},
		{"a thousand a day", 86, day, 86400.0 / 86 * (1 + 2*0.1/0.9) / 0.1},
		{"the first hour is not taken for less", 86, 60, 144 * (1 + 2*0.1/0.9) / 0.1},
	} {
		d := Detector{}
		for second := int64(1); second <= test.seconds; second++ {
			if second%test.every == 1 {
				b := bad(second, 0, 1)
				d.step(ErrorRatio, &g, &b, 1, 0.001, g.Limit)
			}
		}
		if got := math.Exp(d.logA(&g, 1, test.seconds)); math.Abs(got/test.want-1) > 0.03 && got != test.want {
			t.Errorf("%s: A is %.0f, want %.0f", test.name, got, test.want)
		}
	}
}

// Temporal's own harm must not raise the bar that it is held against.
func TestHarmDoesNotRaiseTheThreshold(t *testing.T) {
	g := Defaults().Guardrails[ErrorRatio]
	d := Detector{}
	for second := int64(1); second < 1_000; second++ {
		b := bad(second, 50, 0)
		d.step(ErrorRatio, &g, &b, 1, 0.001, g.Limit)
	}
	if got := math.Exp(d.logA(&g, 1, 1_000)); math.Abs(got-100) > 1e-9 {
		t.Errorf("A is %v", got)
	}
}

func TestPaceForgetsAfterADay(t *testing.T) {
	var p Paces
	for second := int64(10 * day); second < 11*day; second++ {
		p.add(second, 2)
	}
	if got := p.perDay(10*day, 11*day-1); math.Abs(got/(2*day)-1) > 0.01 {
		t.Errorf("after a day: %v a day", got)
	}
	if got := p.perDay(10*day, 13*day); got != 0 {
		t.Errorf("two days later: %v a day", got)
	}
	p.add(13*day, 1)
	if got := p.Day.Counts; got != [slots]float64{1} {
		t.Errorf("old slots came back: %v", got)
	}
}

func TestThresholdsAreFiveTimesTheBound(t *testing.T) {
	if got := Rank(0.99, 2000); got != 1988 {
		t.Errorf("rank of 2000: %d", got) // 1980 + 1.645 * 4.4497
	}
	if got := Rank(0.99, 300); got != 300 {
		t.Errorf("rank of 300: %d", got)
	}
	if _, ok := NewThresholds(make([]time.Duration, 299)); ok {
		t.Error("299 samples were enough")
	}
	latencies := []time.Duration{time.Hour} // too old to count
	for _, i := range rand.New(rand.NewPCG(3, 3)).Perm(2000) {
		latencies = append(latencies, time.Duration(i+1)*time.Millisecond)
	}
	got, ok := NewThresholds(latencies)
	want := Thresholds{5 * 1037 * time.Millisecond, 5 * 1823 * time.Millisecond, 5 * 1988 * time.Millisecond}
	if !ok || got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if latencies[0] != time.Hour {
		t.Error("the caller's samples were sorted")
	}
}

func TestFailuresAreSlow(t *testing.T) {
	limits := Thresholds{10, 20, 30}
	var a Arm
	limits.Judge(&a, 15, false)
	limits.Judge(&a, 30, false)
	limits.Judge(&a, 1, true)
	if want := (Arm{Judged: 3, Slow: [quantiles]uint64{3, 2, 1}}); a != want {
		t.Errorf("%+v, want %+v", a, want)
	}
}

func TestRepeatedFailuresOfADocumentCountOnceAnHour(t *testing.T) {
	now := time.Unix(10_000, 0)
	for last, want := range map[time.Time]bool{{}: true, now.Add(-time.Minute): false, now.Add(-time.Hour): true} {
		if rollout.CountsAgain(last, now) != want {
			t.Errorf("last %v: %v", last, !want)
		}
	}
}

func TestRatesAndValidity(t *testing.T) {
	for name, segment := range map[Name]Segment{
		LatencyP99:   {Temporal: Arm{Judged: 200, Slow: [quantiles]uint64{0, 0, 30}}},
		LatencyP90:   {Temporal: Arm{Judged: 200, Slow: [quantiles]uint64{0, 90, 0}}},
		LatencyP50:   {Temporal: Arm{Judged: 200, Slow: [quantiles]uint64{180, 0, 0}}},
		Mismatch:     {Compared: 200, Mismatched: 20},
		DeadLetter:   {Temporal: Arm{Good: 100, DeadLetters: 8}},
		ErrorRate:    {Exposure: rollout.All, Temporal: Arm{Good: 150, Bad: 50}},
		ValidityMore: {Temporal: Arm{Good: 50, Invalid: 50}, Legacy: Arm{Good: 500}},
		ValidityLess: {Temporal: Arm{Good: 500}, Legacy: Arm{Good: 500, Invalid: 500}},
	} {
		c := Defaults()
		if segment.Exposure == 0 {
			segment.Exposure = 100_000
		}
		if name == ValidityLess {
			segment.Exposure = 500_000
		}
		var s State
		step(t, &s, Bin{Second: 1, Segments: []Segment{segment}}, &c)
		for _, b := range s.Breaches(&c) {
			if b.Guardrail != name {
				t.Errorf("%s: %s breached", name, b.Guardrail)
			}
		}
		if !breached(&s, &c, name) {
			t.Errorf("%s: no breach", name)
		}
	}
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	if c := Defaults(); c.Validate() != nil {
		t.Fatal(c.Validate())
	}
	for want, spoil := range map[string]func(g *Guardrail){
		"guardrail error_ratio: limit is 0.5":                    func(g *Guardrail) { g.Limit = 0.5 },
		"alternative 1 is not above 1":                           func(g *Guardrail) { g.Alternatives = []float64{1} },
		"it has no alternatives: set":                            func(g *Guardrail) { g.Alternatives = nil },
		"alpha is NaN: set it above 0":                           func(g *Guardrail) { g.Alpha = math.NaN() },
		"least is 1: set it above 1":                             func(g *Guardrail) { g.Least = 1 },
		"it has no action: set action to rollback, hold or warn": func(g *Guardrail) { g.Action = 0 },
	} {
		c := Defaults()
		g := c.Guardrails[ErrorRatio]
		spoil(&g)
		c.Guardrails[ErrorRatio] = g
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	c := Defaults()
	delete(c.Guardrails, Mismatch)
	c.Floor, c.Unhealthy = 1, 0
	for _, want := range []string{"guardrail mismatch is missing", "floor is 1", "unhealthy is 0"} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	c = Defaults()
	g := c.Guardrails[Mismatch]
	g.Alternatives = []float64{0.005}
	c.Guardrails[Mismatch] = g
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "alternative 0.005 is not between the limit 0.01 and 1") {
		t.Error(err)
	}
}
