package certificate

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/rollout/compare"
	"sluice/rollout/compare/noise"
	"sluice/rollout/compare/tally"
)

func at() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

// enough returns evidence that proves every line, as little of it as possible.
func enough() Evidence {
	return Evidence{
		Compared: 299, Judged: 299,
		Shadow: Quantile{N: 368, P99: 18e6, Low: 15e6, High: 19e6, Bounded: true},
		Legacy: Quantile{N: 368, P99: 11e6, Low: 10e6, High: 12e6, Bounded: true},
		Starts: Starts{Acknowledged: 299, Completed: 290, Listed: 4, Running: 5},
		Gates:  []Gate{{Name: "suite", Answer: Yes, Words: "412 passed", At: at()}},
	}
}

func line(t *testing.T, c Certificate, name string) Line {
	t.Helper()
	for _, l := range c.Lines {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no line is called %q: %+v", name, c.Lines)
	return Line{}
}

// Each line is spoilt by itself, and the whole follows.
func TestEachLineDecides(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(e *Evidence)
		line  string
		proof Proof
		state State
		words string
	}{
		{"enough", func(*Evidence) {}, "mismatches", Proved, Green, "none differs of 299 comparisons: at most 0.997 % at 95 % confidence"},
		{"one less", func(e *Evidence) { e.Compared-- }, "mismatches", Missing, Pending, "298 of 299 comparisons; 1 to go if none differs"},
		{"few", func(e *Evidence) { e.Compared = 212 }, "mismatches", Missing, Pending, "212 of 299 comparisons; 87 to go if none differs"},
		{"none", func(e *Evidence) { e.Compared = 0 }, "mismatches", Missing, Pending, "0 of 299 comparisons; 299 to go if none differs"},
		{"one differs", func(e *Evidence) { e.Mismatches = 1 }, "mismatches", Missing, Pending, "299 of 473 comparisons, 1 differs; 174 to go if no other differs"},
		{"one of 473", func(e *Evidence) { e.Compared, e.Mismatches = 473, 1 }, "mismatches", Proved, Green, "1 differs of 473"},
		{"seven of 299", func(e *Evidence) { e.Mismatches = 7 }, "mismatches", Failed, Red, "7 differ of 299 comparisons: at least 1.1 %"},
		{"seven that may be noise", func(e *Evidence) { e.Mismatches, e.Undecided = 7, 2 }, "mismatches", Missing, Pending, "2 of these only in fields that may be noise"},
		{"validity", func(e *Evidence) { e.Judged, e.Disagreed = 300, 1 }, "validity", Missing, Pending, "300 of 473 comparisons, 1 disagrees on validity; 173 to go if no other disagrees"},
		{"validity failed", func(e *Evidence) { e.Disagreed = 10 }, "validity", Failed, Red, "10 disagree on validity of 299"},
		{"slow", func(e *Evidence) { e.Shadow.High = 20e6 }, "latency", Missing, Pending, "not settled"},
		{"too slow", func(e *Evidence) { e.Shadow.Low, e.Shadow.High = 24e6, 30e6 }, "latency", Failed, Red, "at least 24ms, not below 2 times"},
		{"few latencies", func(e *Evidence) { e.Shadow = Quantile{N: 367, P99: 1, Low: 1} }, "latency", Missing, Pending, "367 of 368 latencies of each path; 1 to go"},
		{"no legacy", func(e *Evidence) { e.Legacy = Quantile{} }, "latency", Missing, Pending, "0 of 368"},
		{"lost", func(e *Evidence) { e.Starts.Completed-- }, "starts", Failed, Red, "1 of 299 acknowledged shadow starts are neither"},
		{"lost by name", func(e *Evidence) { e.Starts.Lost = []string{"shadow/1"} }, "starts", Failed, Red, "1 of 299"},
		{"found too many", func(e *Evidence) { e.Starts.Completed++ }, "starts", Missing, Pending, "do not balance"},
		{"no start", func(e *Evidence) { e.Starts = Starts{} }, "starts", Missing, Pending, "no shadow was started yet"},
		{"crashes", func(e *Evidence) { e.Uncompared = 16 }, "uncompared", Failed, Red, "16 of 315 answers could not be compared, 5.08 %; 5 % are allowed"},
		{"few crashes", func(e *Evidence) { e.Uncompared = 15 }, "uncompared", Proved, Green, "15 of 314"},
		{"no gate", func(e *Evidence) { e.Gates = nil }, "uncompared", Proved, Green, ""},
		{"a gate says no", func(e *Evidence) { e.Gates[0] = Gate{Name: "suite", Answer: No} }, "gate suite", Failed, Red, "says no"},
		{"a gate is not asked", func(e *Evidence) { e.Gates[0] = Gate{Name: "suite"} }, "gate suite", Missing, Pending, "has not answered"},
		{"a gate could not be asked", func(e *Evidence) { e.Gates[0] = Gate{Name: "suite", Answer: Unknown, Words: "timeout"} }, "gate suite", Missing, Pending, "timeout"},
		{"missing and failed", func(e *Evidence) { e.Compared, e.Gates[0].Answer = 1, No }, "mismatches", Missing, Red, ""},
	} {
		evidence := enough()
		c.spoil(&evidence)
		got := Make(evidence, DefaultLimits(), at())
		l := line(t, got, c.line)
		if got.State != c.state || l.Proof != c.proof || !strings.Contains(l.Words, c.words) {
			t.Errorf("%s: %s, %+v", c.name, got.State, l)
		}
	}
	if nothing := Make(Evidence{}, DefaultLimits(), at()); nothing.State != Pending {
		t.Errorf("without evidence: %+v", nothing)
	}
}

// A stored certificate can be checked: its evidence gives it again.
func TestACertificateCanBeWorkedOutAgain(t *testing.T) {
	for _, mismatches := range []uint64{0, 3, 90} {
		evidence := enough()
		evidence.Mismatches, evidence.Starts.Dropped = mismatches, map[string]uint64{"restart": 2}
		want := Make(evidence, DefaultLimits(), at())
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var stored Certificate
		if err := json.Unmarshal(text, &stored); err != nil {
			t.Fatal(err)
		}
		if again := Make(stored.Evidence, stored.Limits, stored.At); !reflect.DeepEqual(again, want) || !reflect.DeepEqual(stored, want) {
			t.Errorf("%+v\nis not\n%+v", again, want)
		}
	}
}

func TestEvidenceOfCounts(t *testing.T) {
	route := &tally.Route{}
	for i := range 400 {
		c := compare.Comparison{}
		if i < 3 {
			c = compare.Comparison{Class: compare.ClassMismatch, Patterns: []string{"/a"}}
		}
		route.AB.Add(c)
	}
	for _, c := range []compare.Comparison{{Why: compare.WhyBothInvalid}, {Class: compare.ClassValidity}, {Class: compare.ClassError}, {Class: compare.ClassSkipped, Why: compare.WhyEncoded}} {
		route.AB.Add(c)
	}
	var e Evidence
	for range 2 {
		e.Add(&route.AB, noise.Judge(route, nil))
	}
	want := Evidence{Compared: 800, Mismatches: 6, Undecided: 6, Judged: 804, Disagreed: 2, Uncompared: 4}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("%+v, want %+v", e, want)
	}
}
