package control

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/guard"
)

// world is a plan in the hands of operators, under random trips, flag moves,
// restarts and missed ticks. What it may do is kept beside it, from the events
// alone, and every rise of a ceiling is held against that.
type world struct {
	rng      *rand.Rand
	mutant   mutant
	plan     Plan
	progress Progress
	now      time.Time
	epoch    uint64
	flag     rollout.Exposure
	kill     bool
	trips    bool // a guardrail that rolls back is breached
	answers  map[string]Answer

	latched  bool             // since a rollback, until a release
	lowered  bool             // by a human, until re-armed
	held     bool             // by a human, until resumed
	approved bool             // when due, for this step
	entered  time.Time        // when this step was
	watched  time.Duration    // how long it was
	running  bool             // the step was in force at the last tick
	last     time.Time        // tick
	seen     rollout.Exposure // exposure after the last event
	errors   int              // of the gate in a row
	said     Answer           // by the gate, since the step was entered
	heard    time.Time        // of the gate last

	wrong    map[string]int
	advanced int
	rolled   int
	complete int
}

// mutant switches one protection off, by what it does to a tick's arguments or
// results, or to an act's.
type mutant struct {
	tick    func(Plan, Progress, Evidence, time.Time) (Decision, Progress)
	approve func(Plan, Progress, string, Act) (Progress, error)
	limit   func(Progress, rollout.Exposure, Act) (Progress, error)
	roll    func(Plan, Progress, uint64, Act) Progress
	restart func(Progress) Progress
}

func sound() mutant {
	return mutant{tick: Tick, approve: Approve, limit: Limit, roll: RollBack, restart: func(p Progress) Progress { return p }}
}

func modelPlan() Plan {
	plan := Plan{Standard: guard.DefaultStandard(), GateAge: 10 * time.Minute, InitialDelay: 2 * time.Minute}
	for i, percent := range []rollout.Exposure{0, 1, 10, 50, 100} {
		exposure := percent * rollout.All / 100
		s := Step{Name: exposure.String(), Exposure: exposure, Dwell: 3 * time.Minute, Agreement: true, Errors: i > 0}
		if i >= 1 {
			s.Gates = []string{"query"}
		}
		s.Approval = i == 2
		plan.Steps = append(plan.Steps, s)
	}
	return plan
}

func newWorld(seed uint64, m mutant) *world {
	start := time.Unix(1_000_000, 0)
	return &world{
		rng: rand.New(rand.NewPCG(seed, 5)), mutant: m, plan: modelPlan(), now: start, entered: start, epoch: 1,
		flag: rollout.All, answers: map[string]Answer{}, wrong: map[string]int{},
	}
}

func (w *world) broken(what string, when bool) {
	if when {
		w.wrong[what]++
	}
}

func (w *world) act() Act { return Act{By: "ann", Reason: "testing", At: w.now} }

func (w *world) allowed() rollout.Exposure {
	if w.kill {
		return rollout.None
	}
	return w.flag
}

func (w *world) exposure() rollout.Exposure { return w.progress.Exposure(&w.plan, w.allowed()) }

// evidence is made anew for each tick; whether it proves the step is known.
func (w *world) evidence() (e Evidence, proved, fair bool) {
	step := &w.plan.Steps[w.progress.Step]
	e = Evidence{Flag: w.flag, Kill: w.kill, Epoch: w.epoch, Unhealthy: w.rng.IntN(4) == 0, Ramping: w.rng.IntN(5) == 0}
	e.Tally = guard.Tally{Epoch: w.progress.Epoch, Exposure: step.Exposure}
	proved, fair = true, true
	const documents = 4_000_000
	served := uint64(float64(documents) * float64(step.Exposure) / float64(rollout.All))
	e.Tally.Sum = guard.Segment{
		Temporal: guard.Arm{Assigned: served, Placed: served, Good: served}, Legacy: guard.Arm{Assigned: documents - served, Placed: documents - served, Good: documents - served},
		Compared: 1_000,
	}
	switch w.rng.IntN(12) {
	case 0: // of the time before the step
		e.Tally.Epoch, proved = w.progress.Epoch-1, w.progress.Epoch == 0
	case 1:
		e.Tally.Exposure, proved = step.Exposure/2+1, false
	case 2:
		e.Tally.Sum.Compared, proved = 298, false
	case 3:
		e.Tally.Sum.Temporal.Bad = served / 4
		proved = served == 0
	case 4:
		if served > 0 && step.Exposure < rollout.All {
			e.Tally.Sum.Temporal.Placed -= served / 5
			fair = false
		}
	}
	if w.trips {
		e.Breaches = append(e.Breaches, guard.Breach{Guardrail: guard.ErrorRatio, Action: guard.Rollback, Second: 1})
	}
	if w.rng.IntN(6) == 0 {
		e.Breaches = append(e.Breaches, guard.Breach{Guardrail: guard.ErrorExcess, Action: guard.Hold, Second: 1})
	}
	w.ask()
	e.Gates = w.answers
	return e, proved, fair
}

// ask asks the external gate, or cannot.
func (w *world) ask() {
	if w.rng.IntN(3) == 0 {
		return
	}
	a := Answer{At: w.now, Passed: w.rng.IntN(5) > 0}
	if w.rng.IntN(4) == 0 || w.errors > 0 && w.rng.IntN(2) == 0 {
		a = Answer{At: w.now, Err: "connection refused"}
	}
	w.answers["query"] = a
}

// tick checks one against what it may do.
func (w *world) tick() {
	before, brake, ceiling := w.progress, w.progress.Brake.Exposure(), w.progress.Ceiling(&w.plan)
	step := w.plan.Steps[before.Step]
	e, proved, fair := w.evidence()
	w.watch(&step, &e)
	d, after := w.mutant.tick(w.plan, before, e, w.now)
	w.progress = after
	w.broken("a tick raised the brake", after.Brake.Exposure() > brake)
	w.trip(&e, d, brake)
	risen := after.Ceiling(&w.plan) > ceiling
	w.broken("a step was entered by another action than an advance", risen && d.Action != Advance)
	if d.Action == Advance {
		w.advanced++
		w.advance(&step, &e, proved, fair, before.Step, d)
	} else if before.Step == len(w.plan.Steps)-1 {
		w.complete++
	}
	if d.Action == Rollback {
		w.rolled++
	}
	if after.Step != before.Step || after.Since != before.Since {
		stands := w.running && d.Action != Rollback // the clock of a new step runs at once
		w.enter()
		w.running = stands
	}
}

// watch accounts for the time and the answers that the step may count.
func (w *world) watch(step *Step, e *Evidence) {
	if w.allowed() < w.seen {
		w.lowered = true
	}
	stands := !w.latched && !w.held && !w.lowered && w.allowed() >= step.Exposure && w.progress.Brake.Exposure() >= step.Exposure &&
		(!w.trips || w.latched)
	if stands && w.running {
		w.watched += min(w.now.Sub(w.last), time.Minute)
	}
	w.running, w.last = stands, w.now
	answer := e.Gates["query"]
	if !stands || len(step.Gates) == 0 || !answer.At.After(w.heard) || answer.At.Before(w.entered) {
		return
	}
	if w.heard = answer.At; answer.Err != "" {
		w.errors++
	} else {
		w.errors, w.said = 0, answer
	}
}

// trip checks that a breach rolled back, or was held for legacy's sake.
func (w *world) trip(e *Evidence, d Decision, brake rollout.Exposure) {
	if !w.trips || w.latched {
		w.broken("rolled back without a breach", d.Action == Rollback)
		return
	}
	if e.Unhealthy {
		w.broken("rolled back onto an unhealthy legacy", d.Action == Rollback || w.progress.Brake.Exposure() != brake)
		w.broken("no alarm", d.Alarm == "")
		return
	}
	w.broken("a breach did not roll back", d.Action != Rollback || w.progress.Brake.Exposure() > w.plan.Floor)
	w.latched = true
}

// advance checks one that was decided.
func (w *world) advance(step *Step, e *Evidence, proved, fair bool, from int, d Decision) {
	w.broken("a step was skipped", w.progress.Step != from+1)
	w.broken("without a certificate", d.Certificate == nil)
	w.broken("against a human who lowered", w.lowered)
	w.broken("while held", w.held)
	w.broken("while latched", w.latched)
	w.broken("while a breach stands", len(e.Breaches) > 0)
	w.broken("while a version is ramped", e.Ramping)
	w.broken("while the flag is below", w.allowed() < step.Exposure)
	w.broken("before the dwell was watched", w.watched < step.Dwell)
	w.broken("without proof", !proved)
	w.broken("on a lost sample", !fair)
	if len(step.Gates) > 0 {
		w.broken("without its gate", !w.said.Passed || w.errors >= 4 || w.now.Sub(w.said.At) > w.plan.GateAge)
	}
	w.broken("without approval when due", step.Approval && !w.approved)
}

func (w *world) enter() {
	w.entered, w.watched, w.approved, w.running = w.now, 0, false, false
	w.errors, w.said, w.heard = 0, Answer{}, time.Time{}
}

// human does something that operators do.
func (w *world) human() {
	p, err := w.progress, error(nil)
	since, brake := p.Since, p.Brake.Exposure()
	switch w.rng.IntN(9) {
	case 0:
		p = w.mutant.roll(w.plan, p, w.epoch, w.act())
		w.latched, w.lowered = true, true
		w.broken("an operator's rollback did not go", p.Brake.Exposure() > w.plan.Floor)
	case 1, 2:
		if p, err = Release(p, w.act()); err == nil {
			w.latched, w.trips = false, false
			w.broken("after a release more than the first serving step", brake <= w.plan.Floor && p.Earned > 10_000 && w.rolledStep())
		}
	case 3:
		p = Stop(p, w.act())
		w.held = true
	case 4:
		if p, err = Resume(p, w.act()); err == nil {
			w.held = false
		}
	case 5, 6:
		if p, err = Rearm(w.plan, p, w.act()); err == nil {
			w.lowered = false
		}
	case 7:
		w.limit()
		return
	case 8:
		if w.rng.IntN(8) == 0 {
			p, _, err = Force(w.plan, p, w.plan.Steps[w.rng.IntN(len(w.plan.Steps))].Name, w.epoch, w.act())
			if err == nil && p.Earned < w.progress.Earned {
				w.lowered = true
			}
		}
	}
	w.progress = p
	if p.Since != since {
		w.enter()
	}
}

// rolledStep reports whether the brake at the floor is a rollback's, not a
// ceiling that an operator set: that one voids nothing.
func (w *world) rolledStep() bool { return w.progress.Brake.Latched }

func (w *world) limit() {
	ceiling := w.plan.Steps[w.rng.IntN(len(w.plan.Steps))].Exposure
	before := w.progress
	p, err := w.mutant.limit(w.progress, ceiling, w.act())
	w.broken("a ceiling lifted a latched brake", w.latched && p.Brake.Exposure() > before.Brake.Exposure())
	w.broken("a lower ceiling was refused", err != nil && ceiling <= before.Brake.Exposure())
	if err == nil && ceiling < min(before.Earned, before.Brake.Exposure()) {
		w.lowered = true
	}
	w.progress = p
}

// approve approves, due or not.
func (w *world) approve() {
	step := w.plan.Steps[w.progress.Step]
	due := w.progress.Due
	p, err := w.mutant.approve(w.plan, w.progress, step.Name, w.act())
	w.broken("an approval was taken before it was due", err == nil && !due)
	w.progress, w.approved = p, w.approved || err == nil && due
}

// restart is the death of the decider: its progress comes back from the store.
func (w *world) restart(t *testing.T) {
	before := w.exposure()
	text, err := json.Marshal(w.progress)
	if err != nil {
		t.Fatal(err)
	}
	var p Progress
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	w.progress = w.mutant.restart(p)
	w.broken("a restart raised the exposure", w.exposure() > before)
}

// event is one thing that happens.
func (w *world) event(t *testing.T) {
	w.now = w.now.Add(time.Duration(1+w.rng.IntN(30)) * time.Second)
	switch n := w.rng.IntN(200); {
	case n < 160:
		w.tick()
	case n < 162:
		w.now = w.now.Add(time.Duration(w.rng.IntN(300)) * time.Minute) // nobody ticked
	case n < 168:
		w.human()
	case n < 170:
		w.flag = []rollout.Exposure{0, 10_000, 500_000, rollout.All}[w.rng.IntN(4)]
	case n < 171:
		w.kill = !w.kill && w.rng.IntN(2) == 0
	case n < 172:
		w.trips = w.trips || w.rng.IntN(2) == 0
	case n < 176:
		w.restart(t)
	case n < 190:
		w.approve()
	default: // whatever there is, operators set it right
		w.flag, w.kill = rollout.All, false
		if w.latched || w.progress.Brake.Set {
			w.release()
		}
		w.progress, _ = Rearm(w.plan, w.progress, w.act())
		w.progress, _ = Resume(w.progress, w.act())
		w.lowered, w.held = false, false
	}
	w.epoch++
	limit := min(w.allowed(), w.progress.Ceiling(&w.plan), w.progress.Brake.Exposure())
	w.broken("the exposure is above the lowest ceiling", w.exposure() > limit)
	w.broken("the brake was left without a human", w.latched && w.exposure() > w.plan.Floor)
	w.seen = w.exposure()
}

func (w *world) release() {
	if w.latched {
		w.broken("after a release more than the first serving step", w.progress.Earned > 10_000)
	}
	w.progress, _ = Release(w.progress, w.act())
	w.latched, w.trips = false, false
}

// play runs worlds, until one finds what is looked for, and returns what went
// wrong in them.
func play(t *testing.T, worlds int, m mutant, finds string) (wrong map[string]int, advanced, rolled, complete int) {
	t.Helper()
	wrong = map[string]int{}
	for seed := range uint64(worlds) {
		w := newWorld(seed, m)
		for range 1_500 {
			w.event(t)
		}
		for what, n := range w.wrong {
			wrong[what] += n
		}
		advanced, rolled, complete = advanced+w.advanced, rolled+w.rolled, complete+w.complete
		if wrong[finds] > 0 {
			break
		}
	}
	return wrong, advanced, rolled, complete
}

func TestNothingRisesThatWasNotEarned(t *testing.T) {
	wrong, advanced, rolled, complete := play(t, 80/less, sound(), "")
	for what, n := range wrong {
		t.Errorf("%s: %d times", what, n)
	}
	if advanced < 800/less || rolled < 200/less || complete < 300/less {
		t.Errorf("%d advances, %d rollbacks, %d ticks of a complete plan: the model proves little", advanced, rolled, complete)
	}
}

// altered is a tick with other arguments.
func altered(change func(plan *Plan, p *Progress, e *Evidence)) mutant {
	m := sound()
	m.tick = func(plan Plan, p Progress, e Evidence, now time.Time) (Decision, Progress) {
		plan.Steps = slices.Clone(plan.Steps)
		id := plan.ID()
		change(&plan, &p, &e)
		p.Plan = strings.Replace(p.Plan, id, plan.ID(), 1) // it is not an edited plan
		d, next := Tick(plan, p, e, now)
		next.Plan = strings.Replace(next.Plan, plan.ID(), id, 1)
		return d, next
	}
	return m
}

// steps changes all of a plan's steps.
func steps(change func(s *Step)) mutant {
	return altered(func(plan *Plan, _ *Progress, _ *Evidence) {
		for i := range plan.Steps {
			change(&plan.Steps[i])
		}
	})
}

// Each protection switched off, the model must find what it is for.
func TestWithoutAProtectionTheModelFindsIt(t *testing.T) {
	unlatched, forgetful, hasty, eager, unvoided, lifting, unmoved := sound(), sound(), sound(), sound(), sound(), sound(), sound()
	unlatched.tick = func(plan Plan, p Progress, e Evidence, now time.Time) (Decision, Progress) {
		d, next := Tick(plan, p, e, now)
		if len(e.Breaches) == 0 {
			next.Brake = Brake{}
		}
		return d, next
	}
	forgetful.restart = func(p Progress) Progress {
		p.Brake = Brake{}
		return p
	}
	hasty.tick = func(plan Plan, p Progress, e Evidence, now time.Time) (Decision, Progress) {
		d, next := Tick(plan, p, e, now)
		for at := p.Last.Add(time.Minute); at.Before(now) && d.Action == Hold && d.Alarm == "" && !p.Last.IsZero(); at = at.Add(time.Minute) {
			d, next = Tick(plan, next, e, at) // each tick that was missed
		}
		return d, next
	}
	eager.approve = func(plan Plan, p Progress, step string, act Act) (Progress, error) {
		p.Due = true
		return Approve(plan, p, step, act)
	}
	unvoided.roll = func(plan Plan, p Progress, epoch uint64, act Act) Progress {
		next := RollBack(plan, p, epoch, act)
		next.Step, next.Earned = p.Step, p.Earned
		return next
	}
	lifting.limit = func(p Progress, ceiling rollout.Exposure, act Act) (Progress, error) {
		p.Brake.Latched = false
		return Limit(p, ceiling, act)
	}
	unmoved.roll = func(_ Plan, p Progress, _ uint64, _ Act) Progress { return p }
	for name, c := range map[string]struct {
		mutant mutant
		finds  string
	}{
		"the brake does not latch":  {unlatched, "a tick raised the brake"},
		"restarts forget the brake": {forgetful, "a restart raised the exposure"},
		"missed ticks are made up":  {hasty, "before the dwell was watched"},
		"approvals are early":       {eager, "an approval was taken before it was due"},
		"rollbacks void nothing":    {unvoided, "after a release more than the first serving step"},
		"ceilings lift the brake":   {lifting, "a ceiling lifted a latched brake"},
		"operators cannot go back":  {unmoved, "an operator's rollback did not go"},
		"no dwell":                  {steps(func(s *Step) { s.Dwell = 0 }), "before the dwell was watched"},
		"no proof of errors":        {steps(func(s *Step) { s.Errors = false }), "without proof"},
		"no proof of agreement":     {steps(func(s *Step) { s.Agreement = false }), "without proof"},
		"no gates":                  {steps(func(s *Step) { s.Gates = nil }), "without its gate"},
		"no approval":               {steps(func(s *Step) { s.Approval = false }), "without approval when due"},
		"breaches are not seen":     {altered(func(_ *Plan, _ *Progress, e *Evidence) { e.Breaches = nil }), "a breach did not roll back"},
		"legacy is always healthy":  {altered(func(_ *Plan, _ *Progress, e *Evidence) { e.Unhealthy = false }), "rolled back onto an unhealthy legacy"},
		"ramps are not seen":        {altered(func(_ *Plan, _ *Progress, e *Evidence) { e.Ramping = false }), "while a version is ramped"},
		"the flag is not seen":      {altered(func(_ *Plan, _ *Progress, e *Evidence) { e.Flag, e.Kill = rollout.All, false }), "while the flag is below"},
		"holds are not seen":        {altered(func(_ *Plan, p *Progress, _ *Evidence) { p.Held = nil }), "while held"},
		"always armed":              {altered(func(_ *Plan, p *Progress, _ *Evidence) { p.Disarmed, p.Seen = nil, 0 }), "against a human who lowered"},
		"samples are always fair":   {altered(func(plan *Plan, _ *Progress, _ *Evidence) { plan.Standard.SampleRatio = 0 }), "on a lost sample"},
		"old evidence counts":       {altered(func(_ *Plan, p *Progress, e *Evidence) { e.Tally.Epoch = p.Epoch }), "without proof"},
		"errors of gates are a yes": {altered(gatesSayYes), "without its gate"},
	} {
		t.Run(name, func(t *testing.T) {
			if wrong, _, _, _ := play(t, 60, c.mutant, c.finds); wrong[c.finds] == 0 {
				t.Errorf("the model does not find %q; it finds %v", c.finds, wrong)
			}
		})
	}
}

func gatesSayYes(_ *Plan, _ *Progress, e *Evidence) {
	a := e.Gates["query"]
	if a.Err != "" {
		e.Gates = map[string]Answer{"query": {At: a.At, Passed: true}}
	}
}
