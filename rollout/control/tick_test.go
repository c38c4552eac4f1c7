package control

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/guard"
)

// ramp is a plan under way, ticked once a second.
type ramp struct {
	t        *testing.T
	plan     Plan
	progress Progress
	evidence Evidence
	now      time.Time
	decision Decision
}

func newRamp(t *testing.T, steps ...Step) *ramp {
	t.Helper()
	r := &ramp{t: t, now: time.Unix(1_000_000, 0), evidence: Evidence{Flag: rollout.All, Epoch: 1}}
	r.plan = Plan{Steps: steps, GateAge: 5 * time.Minute, Standard: guard.DefaultStandard()}
	if err := r.plan.Validate(); err != nil {
		t.Fatal(err)
	}
	return r
}

// tick lets some seconds pass, tick by tick.
func (r *ramp) tick(seconds int) {
	for range seconds {
		r.now = r.now.Add(time.Second)
		r.decision, r.progress = Tick(r.plan, r.progress, r.evidence, r.now)
	}
}

func (r *ramp) want(action Action, reason, missing string) {
	r.t.Helper()
	d := r.decision
	if d.Action != action || !strings.Contains(d.Reason, reason) || !strings.Contains(d.Missing, missing) {
		r.t.Errorf("%s: %q, missing %q; want %s: %q, missing %q", d.Action, d.Reason, d.Missing, action, reason, missing)
	}
}

func (r *ramp) act() Act { return Act{By: "ann", Reason: "why not", At: r.now} }

// answer makes the external gate say something.
func (r *ramp) answer(a Answer) {
	r.now = r.now.Add(time.Second)
	a.At = r.now
	r.evidence.Gates = map[string]Answer{"query": a}
	r.tick(1)
}

func TestGatesAreAskedInOrder(t *testing.T) {
	r := newRamp(t,
		Step{Name: "10%", Exposure: 100_000, Dwell: 10 * time.Second, Errors: true, Agreement: true, Gates: []string{"query"}, Approval: true},
		Step{Name: "all", Exposure: rollout.All})
	r.plan.InitialDelay = 5 * time.Second
	r.evidence.Breaches = []guard.Breach{{Guardrail: guard.ErrorExcess, Action: guard.Hold}}
	r.tick(5)
	r.want(Hold, "just begun", "4s of 5s")
	r.tick(5)
	r.want(Hold, "the dwell is not over", "9s of 10s")
	r.tick(1)
	r.want(Hold, "error_ratio is not proved", "0 of about 30,000 documents")
	r.evidence.Tally = guard.Tally{Epoch: r.progress.Epoch, Exposure: 100_000}
	sum := &r.evidence.Tally.Sum
	sum.Temporal, sum.Legacy = guard.Arm{Placed: 1_000, Good: 3_000}, guard.Arm{Placed: 30_000, Good: 27_000}
	r.tick(1)
	r.want(Hold, "mismatch is not proved", "0 of about 299 comparisons")
	sum.Compared = 299
	r.tick(1)
	r.want(Hold, "error_excess is breached", "")
	r.evidence.Breaches = nil
	r.tick(1)
	r.want(Hold, "sample_ratio is not proved", "1,000 of 31,000 documents")
	sum.Temporal.Placed, sum.Legacy.Placed = 3_000, 27_000
	r.tick(1)
	r.want(Hold, "gate query has not answered yet", "")
	r.answer(Answer{Detail: "3 pods restarted"})
	r.want(Hold, "gate query said no", "3 pods restarted")
	if _, err := Approve(r.plan, r.progress, "10%", r.act()); !errors.Is(err, ErrNotDue) {
		t.Errorf("an approval before it was due: %v", err)
	}
	r.answer(Answer{Passed: true})
	r.want(Hold, "all gates are passed", "an approval")
	var err error
	if r.progress, err = Approve(r.plan, r.progress, "10%", r.act()); err != nil {
		t.Fatal(err)
	}
	r.tick(1)
	r.want(Advance, "10% is passed: all", "")
	c := r.decision.Certificate
	if c == nil || len(c.Proofs) != 3 || c.Proofs[1].N != 299 || c.Dwelt < 10*time.Second || c.Approver == nil || !c.Gates["query"].Passed || c.To != rollout.All {
		t.Errorf("the certificate: %+v", c)
	}
	r.tick(1)
	r.want(Hold, "the plan is complete", "")
}

func TestAnApprovalDoesNotOutliveItsGrounds(t *testing.T) {
	r := newRamp(t, Step{Name: "a", Approval: true}, Step{Name: "b", Exposure: 1})
	r.tick(2)
	var err error
	if r.progress, err = Approve(r.plan, r.progress, "a", r.act()); err != nil {
		t.Fatal(err)
	}
	r.evidence.Ramping = true
	r.tick(1)
	r.want(Hold, "one knob at a time", "")
	r.evidence.Ramping = false
	r.tick(1)
	r.want(Hold, "all gates are passed", "an approval")
}

func TestErrorsOfAGateAreNoFailure(t *testing.T) {
	r := newRamp(t, Step{Name: "a", Gates: []string{"query"}, Approval: true}, Step{Name: "b", Exposure: 1})
	r.tick(1)
	r.answer(Answer{Passed: true})
	for range 3 {
		r.answer(Answer{Err: "refused"})
		r.want(Hold, "all gates are passed", "an approval")
		r.tick(5) // the same answer, seen again, is not another error
	}
	r.answer(Answer{Err: "refused"})
	r.want(Hold, "could not be asked 4 times in a row", "refused")
	r.answer(Answer{Passed: true})
	r.want(Hold, "all gates are passed", "")
	r.tick(301)
	r.want(Hold, "gate query has not answered for", "a newer answer")
}

func TestTheClockStandsWhileTheFlagIsBelow(t *testing.T) {
	r := newRamp(t, Step{Name: "10%", Exposure: 100_000, Dwell: time.Minute}, Step{Name: "b", Exposure: rollout.All})
	r.evidence.Flag = 50_000
	r.tick(100)
	r.want(Pause, "the flag, 5%, is below the step, 10%", "")
	if r.progress.Dwelt != 0 {
		t.Errorf("the dwell ran: %v", r.progress.Dwelt)
	}
	r.evidence.Flag = rollout.All
	r.tick(61)
	r.want(Advance, "10% is passed", "")
}

func TestNothingRisesAfterAHumanLowered(t *testing.T) {
	for name, lower := range map[string]func(r *ramp){
		"flag":    func(r *ramp) { r.evidence.Flag = 10 },
		"kill":    func(r *ramp) { r.evidence.Kill = true },
		"ceiling": func(r *ramp) { r.progress, _ = Limit(r.progress, 10, r.act()) },
		"rollback": func(r *ramp) {
			r.progress = RollBack(r.plan, r.progress, 1, r.act())
		},
	} {
		r := newRamp(t, Step{Name: "10%", Exposure: 100_000, Dwell: time.Minute}, Step{Name: "b", Exposure: rollout.All})
		r.tick(2)
		lower(r)
		r.tick(1)
		r.evidence.Flag, r.evidence.Kill = rollout.All, false
		r.progress, _ = Release(r.progress, r.act())
		r.tick(200)
		if r.decision.Action != Pause || !strings.Contains(r.decision.Reason, "re-arm the plan") {
			t.Errorf("%s: %s: %s", name, r.decision.Action, r.decision.Reason)
		}
		r.progress, _ = Rearm(r.plan, r.progress, r.act())
		r.tick(61)
		if r.progress.Step != 1 {
			t.Errorf("%s: re-armed, and did not advance: %s", name, r.decision.Reason)
		}
	}
}

func TestRollbackVoidsTheSteps(t *testing.T) {
	breach := []guard.Breach{{Guardrail: guard.LatencyP99, Action: guard.Rollback, Second: 9}}
	steps := []Step{{Name: "shadow"}, {Name: "1%", Exposure: 10_000, Dwell: time.Minute}, {Name: "50%", Exposure: 500_000, Dwell: time.Hour}, {Name: "all", Exposure: rollout.All}}
	r := newRamp(t, steps...)
	r.tick(65)
	if got := r.progress.Exposure(&r.plan, rollout.All); got != 500_000 {
		t.Fatalf("not at 50 %%: %s", got)
	}
	r.evidence.Breaches, r.evidence.Unhealthy = breach, true
	r.tick(1)
	r.want(Hold, "legacy itself is unhealthy", "")
	if r.decision.Alarm == "" || r.progress.Brake.Set {
		t.Errorf("no alarm, or braked: %+v", r.decision)
	}
	r.evidence.Unhealthy = false
	r.tick(1)
	r.want(Rollback, "latency_p99 is breached", "")
	if got := r.progress.Exposure(&r.plan, rollout.All); got != rollout.None {
		t.Errorf("after the rollback: %s", got)
	}
	r.tick(1000)
	r.want(Pause, "the brake is latched: latency_p99; release it", "")
	if _, err := Limit(r.progress, 10, r.act()); !errors.Is(err, ErrLatched) {
		t.Errorf("a ceiling lifts the brake: %v", err)
	}
	if _, err := Release(r.progress, Act{By: "ann"}); !errors.Is(err, ErrNoReason) {
		t.Errorf("released without a reason: %v", err)
	}
	r.evidence.Breaches = nil
	r.progress, _ = Release(r.progress, r.act())
	if got := r.progress.Exposure(&r.plan, rollout.All); got != 10_000 {
		t.Errorf("after the release: %s, want the first step that serves", got)
	}
	r.tick(61)
	r.want(Advance, "1% is passed: 50%", "")
}

// The brake needs no plan, and a breach while the plan is held or below its flag
// rolls back all the same.
func TestRollbackIsCheckedInEveryState(t *testing.T) {
	for name, change := range map[string]func(r *ramp){
		"no plan":  func(r *ramp) { r.plan.Steps = nil },
		"held":     func(r *ramp) { r.progress = Stop(r.progress, r.act()) },
		"killed":   func(r *ramp) { r.evidence.Kill = true },
		"ramping":  func(r *ramp) { r.evidence.Ramping = true },
		"delayed":  func(r *ramp) { r.plan.InitialDelay = time.Hour },
		"disarmed": func(r *ramp) { r.evidence.Flag = 1 },
		"complete": func(r *ramp) { r.plan.Steps = r.plan.Steps[:1] },
		"limited":  func(r *ramp) { r.progress, _ = Limit(r.progress, 0, r.act()) },
	} {
		r := newRamp(t, Step{Name: "a", Exposure: 100, Dwell: time.Hour}, Step{Name: "b", Exposure: rollout.All})
		r.tick(3)
		change(r)
		r.tick(1)
		r.evidence.Breaches = []guard.Breach{{Guardrail: guard.ErrorRatio, Action: guard.Rollback}}
		r.tick(1)
		if r.decision.Action != Rollback || !r.progress.Brake.Latched || r.progress.Brake.Exposure() != rollout.None {
			t.Errorf("%s: %s: %s", name, r.decision.Action, r.decision.Reason)
		}
	}
}

func TestMissedTimeFoldsIntoOneTick(t *testing.T) {
	r := newRamp(t, Step{Name: "a", Dwell: time.Hour}, Step{Name: "b", Exposure: 10}, Step{Name: "c", Exposure: 20}, Step{Name: "d", Exposure: 30})
	r.tick(1)
	r.now = r.now.Add(10 * time.Hour)
	r.tick(1)
	r.want(Hold, "the dwell is not over", "1m0s of 1h0m0s")
	r.plan.Steps[0].Dwell = 0 // the plan was edited, too
	r.now = r.now.Add(10 * time.Hour)
	r.tick(1)
	r.want(Advance, "a is passed: b", "")
	if r.progress.Step != 1 {
		t.Errorf("one tick went to step %d", r.progress.Step)
	}
}

func TestAnEditedPlanKeepsWhatWasEarned(t *testing.T) {
	r := newRamp(t, Step{Name: "a", Exposure: 100}, Step{Name: "b", Exposure: 1_000, Dwell: time.Hour}, Step{Name: "c", Exposure: rollout.All})
	r.tick(2)
	r.plan.Steps = []Step{{Name: "half", Exposure: 500}, {Name: "most", Exposure: 800, Dwell: time.Hour}, {Name: "x", Exposure: 5_000}}
	r.tick(1)
	if got := r.progress.Exposure(&r.plan, rollout.All); got != 800 || r.decision.Step != "most" {
		t.Errorf("%s at step %s", got, r.decision.Step)
	}
	r.plan.Steps = []Step{{Name: "bold", Exposure: 900_000}, {Name: "all", Exposure: rollout.All}}
	r.tick(100)
	r.want(Pause, "above the 0.08% that were earned: force it", "")
	if got := r.progress.Exposure(&r.plan, rollout.All); got != 800 {
		t.Errorf("an edit raised the exposure to %s", got)
	}
	p, c, err := Force(r.plan, r.progress, "bold", 1, r.act())
	if err != nil || c.Forced == nil || p.Exposure(&r.plan, rollout.All) != 900_000 {
		t.Errorf("forced: %v, %+v", err, c)
	}
	if _, _, err := Force(r.plan, r.progress, "bold", 1, Act{}); !errors.Is(err, ErrNoReason) {
		t.Errorf("forced without a reason: %v", err)
	}
}

func TestRestartResumes(t *testing.T) {
	steady := newRamp(t, DefaultPlan().Steps...)
	restarted := newRamp(t, DefaultPlan().Steps...)
	for i := range 200 {
		steady.tick(1)
		restarted.tick(1)
		if i == 50 {
			steady.progress, restarted.progress = Stop(steady.progress, steady.act()), Stop(restarted.progress, restarted.act())
		}
		text, err := json.Marshal(restarted.progress)
		if err != nil {
			t.Fatal(err)
		}
		restarted.progress = Progress{}
		if err := json.Unmarshal(text, &restarted.progress); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(steady.decision, restarted.decision) || steady.progress.Dwelt != restarted.progress.Dwelt || steady.progress.Dwelt == 0 {
		t.Errorf("%+v\n%+v", steady.decision, restarted.decision)
	}
}

func TestPlansSayWhatIsWrong(t *testing.T) {
	if p := DefaultPlan(); p.Validate() != nil {
		t.Fatal(p.Validate())
	}
	for want, spoil := range map[string]func(p *Plan){
		"step 2 has no name: give":             func(p *Plan) { p.Steps[1].Name = "" },
		`step "1%" is there twice`:             func(p *Plan) { p.Steps[2].Name = "1%" },
		`step "5%" is not above "1%": order`:   func(p *Plan) { p.Steps[2].Exposure = 10_000 },
		"its exposure is over 100%: set":       func(p *Plan) { p.Steps[6].Exposure++ },
		"its dwell is -1ns: set":               func(p *Plan) { p.Steps[0].Dwell = -1 },
		"take errors off it":                   func(p *Plan) { p.Steps[0].Errors = true },
		"floor is 100%":                        func(p *Plan) { p.Floor = rollout.All },
		"gate_age 0s: set":                     func(p *Plan) { p.GateAge = 0 },
		"alpha is 0: set it between 0 and 1, ": func(p *Plan) { p.Standard.Alpha = 0 },
	} {
		p := DefaultPlan()
		spoil(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
