package endtoend_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/cmd/internal/gates"
	"sluice/rollout/control"
	"sluice/rollout/control/loop"
)

// shortPlan is the recommended ramp with dwells of seconds, and with a standard that
// few documents meet: Temporal's bad rate is to be below 30 %.
func shortPlan() []string {
	return []string{
		"plan.steps=[{name: shadow, exposure: 0, dwell: 2s, agreement: true}, {exposure: 5, dwell: 1s}, {exposure: 10, dwell: 1s}, {exposure: 25, dwell: 1s}, {exposure: 50, dwell: 1s}, {exposure: 100}]",
		"plan.initial_delay=1s", "plan.standard.floor=0.3", "plan.standard.mismatch=0.05",
	}
}

// ramping is a stack under a plan, with traffic and all flags at 100 %.
func ramping(t *testing.T, settings ...string) (*stack, *stream) {
	t.Helper()
	s := assemble(t, "", append(shortPlan(), settings...)...)
	s.work(t)
	s.setFaults(t, s.legacy, `{"latency":"150ms"}`)
	s.writeFlags(t, 100, 100, false)
	return s, s.flow(t, "doc-", 30, s.gateway.PublicAddress())
}

// reach waits until the plan is at a step, and tells how it got on.
func (s *stack) reach(t *testing.T, step string) {
	t.Helper()
	last := ""
	within(t, 3*time.Minute, "the plan is at "+step, func() bool {
		v := s.plan(t)
		if v.Step != last {
			last = v.Step
			t.Logf("%s: %s, %v %% in force; %s %s", v.At.Format(time.TimeOnly), v.Step, v.Exposure, v.Decision.Reason, v.Decision.Missing)
		}
		if v.Decision.Action == control.Rollback {
			t.Fatalf("rolled back: %+v", v.Decision)
		}
		return v.Step == step
	})
}

// certified returns the names of the steps that were passed, the oldest first.
func (s *stack) certified(t *testing.T) (names []string) {
	t.Helper()
	var all loop.Certificates
	s.looked(t, "certificates", &all)
	for _, c := range all.Certificates {
		names = append(names, c.Step)
		if len(c.Proofs) == 0 {
			t.Errorf("%s was passed without proof: %+v", c.Step, c)
		}
	}
	slices.Reverse(names)
	return names
}

// A whole plan, from the mirror to 100 %, by itself.
func TestAPlanRunsByItself(t *testing.T) {
	s, f := ramping(t)
	s.reach(t, "100%")
	s.reads(t, s.gateway.OperatorAddress(), exposure, "1")
	if got, want := s.certified(t), []string{"shadow", "5%", "10%", "25%", "50%"}; !slices.Equal(got, want) {
		t.Errorf("certificates of %q, want %q", got, want)
	}
	f.stop()
	for _, what := range []string{"temporal failed", "legacy failed", "unanswered"} {
		if n := f.of(what); n > 0 {
			t.Errorf("%d documents %s", n, what)
		}
	}
	t.Logf("%v", f.counts)
}

// A worker that goes bad at 25 % ends it; after the release it begins again at its
// first step that serves documents, once an operator has mended what was wrong.
func TestAPlanEndsWhereTemporalGoesBad(t *testing.T) {
	s, f := ramping(t)
	s.reach(t, "25%")
	s.setFaults(t, s.worker.Address(), `{"error_rate":0.5}`)
	began := time.Now()
	trip := s.wantTrip(t, "error_ratio", "mismatch")
	t.Logf("rolled back from %v %% after %s, %d documents failed: %s", trip.From, time.Since(began).Round(time.Millisecond), f.of("temporal failed"), trip.Cause)
	if trip.From != 25 || trip.Step != "25%" {
		t.Errorf("the report is of %v %%, step %s", trip.From, trip.Step)
	}
	time.Sleep(2 * time.Second)
	if v := s.plan(t); v.Step != "5%" || v.Exposure != 0 || v.Decision.Action != control.Pause {
		t.Errorf("rolled back, the plan is at %s with %v %%: %+v", v.Step, v.Exposure, v.Decision)
	}
	s.setFaults(t, s.worker.Address(), `{}`)
	s.writeFlags(t, 100, 0, false)
	eventually(t, "the mirror is done with what the bad worker did", func() bool {
		before := accounted(s.shadow(t))
		time.Sleep(3 * time.Second)
		return accounted(s.shadow(t)) == before
	})
	s.release(t, s.gateway.OperatorAddress())
	s.reads(t, s.gateway.OperatorAddress(), brakeMetric, "1")
	s.reach(t, "10%")
	if got, want := s.certified(t), []string{"shadow", "5%", "10%", "5%"}; !slices.Equal(got, want) {
		t.Errorf("certificates of %q, want %q", got, want)
	}
}

// A step whose gate cannot be asked, or says no, is not left, and why can be read; once
// the gate says yes it is, and the certificate has the answer.
func TestAGateHoldsThePlan(t *testing.T) {
	suite := filepath.Join(t.TempDir(), "suite")
	s, _ := ramping(t, "plan.steps=[{name: shadow, exposure: 0, dwell: 1s, agreement: true, gates: [suite]}, {exposure: 100}]",
		"gates=[{name: suite, command: ["+suite+"], every: 1s}]")
	says := func(what string, code int) {
		if err := os.WriteFile(suite+".new", fmt.Appendf(nil, "#!/bin/sh\necho '%s'\nexit %d\n", what, code), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(suite+".new", suite); err != nil {
			t.Fatal(err)
		}
	}
	held := func(reason, missing string) {
		t.Helper()
		within(t, 2*time.Minute, reason, func() bool {
			v := s.plan(t)
			if v.Step != "shadow" || v.Exposure != 0 {
				t.Fatalf("the plan is at %s, %v %%: %+v", v.Step, v.Exposure, v.Decision)
			}
			return v.Decision.Action == control.Hold && strings.Contains(v.Decision.Reason, reason) && strings.Contains(v.Decision.Missing, missing)
		})
	}
	held("gate suite could not be asked", "no such file")
	says("3 of 40 failed", 1)
	held("gate suite said no", "exit 1")
	var asked struct{ Gates []gates.Result }
	if s.looked(t, "gates", &asked); len(asked.Gates) != 1 || !strings.Contains(asked.Gates[0].Output, "3 of 40 failed") {
		t.Errorf("what it said is not there: %+v", asked)
	}
	says("40 passed", 0)
	s.reach(t, "100%")
	var all loop.Certificates
	s.looked(t, "certificates", &all)
	if len(all.Certificates) != 1 || !all.Certificates[0].Gates["suite"].Passed {
		t.Errorf("certificates %+v", all.Certificates)
	}
}
