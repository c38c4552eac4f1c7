package guard

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"sluice/rollout"
)

// traffic is what one gateway of a world counted in one second.
func traffic(rng *rand.Rand, second int64) Bin {
	b := Bin{Second: second}
	for range rng.IntN(3) {
		exposure := []rollout.Exposure{rollout.None, 10_000, 100_000, 500_000, 995_000, rollout.All}[rng.IntN(6)]
		s := b.At(uint64(1+rng.IntN(3)), exposure)
		some := func(most int) uint64 { return uint64(rng.IntN(most)) }
		s.add(&Segment{
			Legacy: Arm{Assigned: some(90), Good: some(90), Bad: some(2), Invalid: some(3)},
			Temporal: Arm{Assigned: some(20), Good: some(20), Bad: some(2), Invalid: some(2),
				Judged: 20, Slow: [quantiles]uint64{some(12), some(4), some(2)}, DeadLetters: uint64(rng.IntN(50) / 49)},
			Compared: some(9), Mismatched: uint64(rng.IntN(20) / 19),
		})
	}
	return b
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func step(t *testing.T, s *State, b Bin, c *Config) {
	t.Helper()
	if err := s.Step(b, c); err != nil {
		t.Fatal(err)
	}
}

// Five gateways whose bins are added up, in any order, are one process; seconds
// without traffic need not be fed.
func TestGatewaysAddUpToOneProcess(t *testing.T) {
	c := Defaults()
	var one, five State
	rng, breached := rand.New(rand.NewPCG(1, 1)), false
	for second := int64(1_000); second < 6_000; second++ {
		parts := make([]Bin, 5)
		whole := Bin{Second: second}
		for i := range parts {
			if rng.IntN(3) == 0 {
				parts[i] = traffic(rng, second)
			}
			whole.Segments = append(whole.Segments, parts[i].Segments...) // unordered, as counted
		}
		rng.Shuffle(5, func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		merged := Bin{Second: second}
		for _, part := range parts {
			merged.Merge(part)
		}
		step(t, &one, whole, &c)
		if len(merged.Segments) > 0 || second == 1_000 {
			step(t, &five, merged, &c)
		}
		breached = breached || len(one.Breaches(&c)) > 0
		if a, b := encoded(t, one.Breaches(&c)), encoded(t, five.Breaches(&c)); a != b {
			t.Fatalf("second %d: %s and %s", second, a, b)
		}
	}
	step(t, &one, Bin{Second: 6_000}, &c)
	step(t, &five, Bin{Second: 6_000}, &c)
	if a, b := encoded(t, one), encoded(t, five); a != b {
		t.Errorf("one process and five gateways differ:\n%s\n%s", a, b)
	}
	if !breached {
		t.Error("nothing breached: the test compares little")
	}
}

// A state that goes through the store after every step ends as one that does not.
func TestRestartChangesNothing(t *testing.T) {
	c := Defaults()
	var steady, restarted State
	rng := rand.New(rand.NewPCG(2, 2))
	for second := int64(1); second < 500; second++ {
		b := traffic(rng, second)
		step(t, &steady, b, &c)
		step(t, &restarted, b, &c)
		again := State{}
		if err := json.Unmarshal([]byte(encoded(t, restarted)), &again); err != nil {
			t.Fatal(err)
		}
		restarted = again
		if err := restarted.Step(b, &c); !errors.Is(err, ErrPast) {
			t.Fatalf("the bin was taken in twice: %v", err)
		}
	}
	if !reflect.DeepEqual(steady, restarted) {
		t.Errorf("the states differ:\n%s\n%s", encoded(t, steady), encoded(t, restarted))
	}
}

// bad is a second with bad documents in a tenth of the traffic.
func bad(second int64, temporal, legacy uint64) Bin {
	b := Bin{Second: second}
	b.At(1, 100_000).add(&Segment{Temporal: Arm{Bad: temporal, Good: 1}, Legacy: Arm{Bad: legacy, Good: 9}})
	return b
}

func breached(s *State, c *Config, name Name) bool {
	for _, b := range s.Breaches(c) {
		if b.Guardrail == name {
			return true
		}
	}
	return false
}

func TestBreachStaysUntilReset(t *testing.T) {
	c := Defaults()
	var s State
	for second := int64(1); !breached(&s, &c, ErrorRatio); second++ {
		if second > 20 {
			t.Fatal("no breach")
		}
		step(t, &s, bad(second, 1, 0), &c)
	}
	for second := int64(100); second < 300; second++ {
		step(t, &s, bad(second, 0, 1), &c)
	}
	if !breached(&s, &c, ErrorRatio) {
		t.Error("a breach that rolls back ended by itself")
	}
	if breached(&s, &c, ErrorExcess) {
		t.Error("a breach that holds outlived its evidence")
	}
	s.Reset(0)
	if got := s.Breaches(&c); len(got) > 0 {
		t.Errorf("after a reset: %v", got)
	}
}

// Evidence long after the breach must not become too large for a number.
func TestEvidenceDoesNotOverflow(t *testing.T) {
	c := Defaults()
	var s State
	for second := int64(1); second < 1_000; second++ {
		step(t, &s, bad(second, 1_000_000, 0), &c)
	}
	for _, m := range s.Meters(&c, 100_000, 1_000) {
		if !(m.Evidence >= 0 && m.Evidence <= 1) {
			t.Errorf("%s: evidence %v", m.Guardrail, m.Evidence)
		}
	}
	encoded(t, s) // infinities have no JSON
}

func TestOtherAlternativesVoidTheEvidence(t *testing.T) {
	c := Defaults()
	var s State
	step(t, &s, bad(1, 2, 0), &c)
	g := c.Guardrails[ErrorRatio]
	g.Limit = 3
	c.Guardrails[ErrorRatio] = g
	step(t, &s, bad(2, 0, 0), &c)
	if d := s.Detectors[ErrorRatio]; !d.zero() {
		t.Errorf("evidence for a ratio of 2 counts for one of 3: %v", d.L)
	}
}

func TestOneLostDocumentBreaches(t *testing.T) {
	c := Defaults()
	var s State
	b := Bin{Second: 7}
	b.At(1, rollout.All).Doubled = 1
	step(t, &s, b, &c)
	want := []Breach{{Conservation, Rollback, 7}}
	if got := s.Breaches(&c); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestLegacyIsUnhealthyOnlyOnProof(t *testing.T) {
	c := Defaults()
	for _, test := range []struct {
		name      string
		bad, good uint64
		after     int64
		want      bool
	}{
		{"no traffic", 0, 0, 0, false},
		{"one of one", 1, 0, 0, false},
		{"a third of six", 2, 4, 0, false},
		{"a third of 300", 100, 200, 0, true},
		{"a third of 300, five minutes ago", 100, 200, 301, false},
		{"a fifth", 200, 800, 0, false},
	} {
		var s State
		b := Bin{Second: 1_000}
		b.At(1, 100_000).Legacy = Arm{Bad: test.bad, Good: test.good}
		step(t, &s, b, &c)
		if got := s.Unhealthy(&c, 1_000+test.after); got != test.want {
			t.Errorf("%s: unhealthy is %v", test.name, got)
		}
	}
}
