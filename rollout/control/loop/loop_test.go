package loop

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/control"
	"sluice/rollout/guard"
)

// table is a desk in memory, as of one process.
type table struct {
	t       *testing.T
	config  Config
	session rollout.Session
	pages   map[string][]rollout.Page
	flag    rollout.Exposure
	facts   Facts
	last    *Verdict
}

func newTable(t *testing.T, steps ...control.Step) *table {
	t.Helper()
	c := Config{Guard: guard.Defaults(), Plan: control.Plan{Steps: steps, GateAge: 5 * time.Minute, Standard: guard.DefaultStandard()}}
	if err := errors.Join(c.Guard.Validate(), c.Plan.Validate()); err != nil {
		t.Fatal(err)
	}
	w := &table{t: t, config: c, pages: map[string][]rollout.Page{}, flag: rollout.All}
	w.session = rollout.Session{
		Now:    time.Unix(1_800_000_000, 0).UTC(),
		Policy: rollout.Policy{Epoch: 1, Flag: rollout.All, Plan: rollout.All, Brake: rollout.All},
		Brake:  rollout.Brake{Exposure: rollout.All},
	}
	return w
}

// in puts an exposure in force.
func (w *table) in(exposure rollout.Exposure) {
	w.session.Policy.Epoch++
	w.session.Policy.Flag, w.flag = exposure, exposure
}

// docs counts documents with an outcome under what is in force.
func (w *table) docs(arm rollout.Path, good, bad uint64) {
	p := &w.session.Policy
	counts := rollout.Counts(w.session.Counts)
	for event, n := range map[rollout.Event]uint64{rollout.EventAssigned: good + bad, rollout.EventPlaced: good + bad, rollout.EventGood: good, rollout.EventBad: bad} {
		if n > 0 {
			counts.Add(rollout.Count{Epoch: p.Epoch, Exposure: p.Exposure(), Arm: arm, Event: event, Times: n})
		}
	}
	w.session.Counts = counts
}

// rule lets a second pass, and decides.
func (w *table) rule(owner string) control.Decision {
	w.t.Helper()
	w.session.Now = w.session.Now.Add(time.Second)
	w.facts.Owner, w.facts.Flag = owner, w.flag
	v, err := w.config.Rule(w.session, &w.facts)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.last != nil && bytes.Equal(w.last.Ruling.State, w.session.State) {
		w.ruleOnCopy(v)
	}
	w.last = v
	w.put(v.Ruling)
	w.session.Counts = nil
	return v.Decision
}

// ruleOnCopy decides from the last verdict's state: that comes to the same, and leaves it
// as it is.
func (w *table) ruleOnCopy(want *Verdict) {
	w.t.Helper()
	got, err := w.config.ruleOn(w.last.State.clone(), w.session, &w.facts)
	if err != nil || !reflect.DeepEqual(got.Ruling, want.Ruling) {
		w.t.Fatalf("from a copy: %+v, %v; want %+v", got, err, want)
	}
	if text, err := json.Marshal(w.last.State); err != nil || !bytes.Equal(text, w.session.State) {
		w.t.Fatalf("a decision changed what is known: %v, %s", err, text)
	}
}

// state is what is stored.
func (w *table) state() *State {
	w.t.Helper()
	st, err := Parse(w.session.State)
	if err != nil {
		w.t.Fatal(err)
	}
	return st
}

// put stores a ruling, as a store does.
func (w *table) put(r rollout.Ruling) {
	s := &w.session
	s.State = r.State
	for _, page := range r.Pages {
		w.pages[page.Subject] = append(w.pages[page.Subject], page)
	}
	before := s.Policy
	s.Policy.Plan = r.Plan
	if r.Brake != nil && r.Brake.Exposure < s.Brake.Exposure {
		s.Brake, s.Policy.Brake = *r.Brake, r.Brake.Exposure
	}
	if s.Policy != before {
		s.Policy.Epoch++
	}
}

// compare lets the mirror compare some more documents.
func (w *table) compare(n uint64) {
	w.facts.Comparisons.Compared += n
	w.facts.Comparisons.At = w.session.Now
}

func (w *table) release(reason string) {
	w.session.Brake = rollout.Brake{Exposure: rollout.All, Actor: "ann", Reason: reason, At: w.session.Now}
	w.session.Policy.Brake = rollout.All
	w.session.Policy.Epoch++
}

func (w *table) amend(action Action, step string) error {
	r, err := w.config.Steer(w.session, action, step, Signed("ann", "because", w.session.Now))
	if err == nil {
		w.put(r)
	}
	return err
}

// bad makes Temporal much worse at 10 %, until it is rolled back.
func (w *table) bad() control.Decision {
	w.t.Helper()
	for range 200 {
		w.docs(rollout.Legacy, 90, 1)
		w.docs(rollout.Temporal, 5, 5)
		if d := w.rule("g"); d.Action == control.Rollback {
			return d
		}
	}
	w.t.Fatal("half of Temporal's documents fail, and nothing is rolled back")
	return control.Decision{}
}

func TestHarmIsRolledBackReportedAndStaysSo(t *testing.T) {
	w := newTable(t)
	w.in(100_000)
	w.facts.Documents = []Document{{DocID: "doc-7", Path: "temporal", Outcome: "failed"}}
	w.facts.Builds = []Build{{Deployment: "ingestion", Current: "v2"}}
	w.bad()
	if b := w.session.Brake; b.Exposure != rollout.None || b.Actor != "sluice" || b.Reason == "" || w.session.Policy.Exposure() != rollout.None {
		t.Fatalf("the brake is %+v", b)
	}
	var trip Trip
	if err := json.Unmarshal(w.pages[SubjectTrips][0].Body, &trip); err != nil {
		t.Fatal(err)
	}
	if trip.Guardrail != "error_ratio" || trip.From != 10 || trip.To != 0 || trip.Counters.Temporal.Bad == 0 || len(trip.Evidence) == 0 ||
		len(trip.History) == 0 || trip.Documents[0].DocID != "doc-7" || trip.Builds[0].Current != "v2" || len(trip.Meters) == 0 {
		t.Errorf("the report is %+v", trip)
	}
	for range 100 {
		w.docs(rollout.Legacy, 100, 0)
		if d := w.rule("h"); d.Action != control.Pause {
			t.Fatalf("braked, it decides %+v", d)
		}
	}
	if n := len(w.pages[SubjectTrips]); n != 1 {
		t.Errorf("%d reports of one rollback", n)
	}
}

// The evidence that tripped is gone with the release; new harm trips again.
func TestAReleaseForgetsTheEvidence(t *testing.T) {
	w := newTable(t)
	w.in(100_000)
	w.bad()
	w.release("mended")
	for range 300 {
		w.docs(rollout.Legacy, 90, 1)
		w.docs(rollout.Temporal, 10, 0)
		if d := w.rule("g"); d.Action == control.Rollback {
			t.Fatal("old evidence trips again")
		}
	}
	w.bad()
	if n := len(w.pages[SubjectTrips]); n != 2 {
		t.Errorf("%d reports of two rollbacks", n)
	}
}

// An operator's release in the middle of a rollback that is under way outranks it.
func TestAReleaseIsSeenBeforeWhatWasCounted(t *testing.T) {
	w := newTable(t)
	w.in(100_000)
	w.bad()
	if st := w.state(); len(st.Guard.Breaches(&w.config.Guard)) == 0 {
		t.Fatal("there is no evidence to forget")
	}
	w.release("it was a test")
	if d := w.rule("g"); d.Action == control.Rollback {
		t.Error("what was released trips again")
	}
}

// The file of a brake that is kept apart may be lost, or be one of before: the brake is
// set again. A release is newer.
func TestABrakeThatWasLostIsSetAgain(t *testing.T) {
	for _, found := range []rollout.Brake{{Exposure: rollout.All}, {Exposure: rollout.All, Actor: "ann", Reason: "long ago", At: time.Unix(1, 0)}} {
		for _, apart := range []bool{true, false} {
			w := newTable(t)
			w.config.Apart = apart
			w.in(100_000)
			w.bad()
			w.session.Brake, w.session.Policy.Brake = found, rollout.All
			w.rule("g")
			if again := w.last.Ruling.Brake; (again != nil && again.Exposure == rollout.None) != apart || w.last.State.Progress.Brake.Latched != apart {
				t.Errorf("found %+v, apart %v: ruled %+v", found, apart, again)
			}
			w.release("mended")
			if w.rule("g"); w.last.State.Progress.Brake.Latched || w.session.Brake.Exposure != rollout.All {
				t.Errorf("released: %+v", w.session.Brake)
			}
		}
	}
}

// One gateway that was configured without the plan does not lift its ceiling; a human
// may.
func TestAPlanThatIsGoneFromTheConfigurationStaysACeiling(t *testing.T) {
	w := newTable(t, plan()...)
	w.rule("g")
	if err := w.amend(ActionForce, "ten"); err != nil {
		t.Fatal(err)
	}
	w.rule("g")
	w.config.Plan.Steps = nil
	if d := w.rule("h"); d.Action != control.Pause || d.Alarm == "" || w.session.Policy.Plan != 100_000 {
		t.Errorf("without it: %+v, the plan is %v", d, w.session.Policy.Plan)
	}
	w.bad()
	if w.release("mended"); w.rule("h").Action != control.Pause || w.session.Policy.Plan != rollout.None {
		t.Errorf("after a rollback the plan is %v", w.session.Policy.Plan)
	}
	if err := w.amend(ActionRearm, ""); err != nil {
		t.Fatal(err)
	}
	if d := w.rule("h"); d.Action != control.Hold || w.session.Policy.Plan != rollout.All {
		t.Errorf("given up by a human: %+v, the plan is %v", d, w.session.Policy.Plan)
	}
}

func TestLegacyIsNotRolledBackOntoWhenItIsSick(t *testing.T) {
	w := newTable(t)
	w.in(100_000)
	for range 400 {
		w.docs(rollout.Legacy, 65, 25)
		w.docs(rollout.Temporal, 0, 10)
		if d := w.rule("g"); d.Action == control.Rollback {
			t.Fatal("rolled back onto a legacy that fails 28 % of its documents")
		} else if d.Alarm != "" {
			return
		}
	}
	t.Error("no alarm")
}

// A new decider goes on where the last one was, whoever it is: who decides changes
// nothing but the name.
func TestDecidersTakeTurns(t *testing.T) {
	one, many := newTable(t, plan()...), newTable(t, plan()...)
	names := []string{"a", "b", "c"}
	for i := range 300 {
		for j, w := range []*table{one, many} {
			w.docs(rollout.Legacy, uint64(50+i%7), uint64(i%3/2))
			if w.session.Policy.Exposure() > rollout.None {
				w.docs(rollout.Temporal, uint64(20+i%5), uint64(i%20/19)*uint64(i/150))
			}
			w.compare(10)
			w.rule(names[i/7%3*j])
		}
		a, b := one.last.State.clone(), many.last.State.clone()
		a.Owner, b.Owner = "", ""
		if !reflect.DeepEqual(a, b) || one.last.Ruling.Plan != many.last.Ruling.Plan {
			t.Fatalf("tick %d: one decider has %+v, several have %+v", i, a, b)
		}
	}
	if one.session.Policy.Plan == rollout.None {
		t.Error("the plan never rose: nothing was compared")
	}
}

func plan() []control.Step {
	return []control.Step{
		{Name: "shadow", Dwell: 10 * time.Second, Agreement: true},
		{Name: "ten", Exposure: 100_000, Dwell: 20 * time.Second, Errors: true},
		{Name: "half", Exposure: 500_000, Dwell: 20 * time.Second, Errors: true, Approval: true},
		{Name: "all", Exposure: rollout.All},
	}
}

// The whole plan, on evidence; each step passed has its certificate.
func TestAPlanRunsOnEvidence(t *testing.T) {
	w := newTable(t, plan()...)
	steps := map[float64]bool{}
	approved := false
	for range 400 {
		e := w.session.Policy.Exposure()
		steps[e.Percent()] = true
		share := uint64(1000 * uint64(e) / uint64(rollout.All))
		w.docs(rollout.Legacy, 1000-share, 0)
		w.docs(rollout.Temporal, share, 0)
		if e == rollout.None {
			w.compare(20)
		}
		d := w.rule("g")
		if d.Missing == "an approval" && !approved {
			approved = true
			if err := w.amend(ActionApprove, "half"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !reflect.DeepEqual(steps, map[float64]bool{0: true, 10: true, 50: true, 100: true}) {
		t.Errorf("exposures %v", steps)
	}
	var names []string
	for _, page := range w.pages[SubjectCertificates] {
		var c control.Certificate
		if err := json.Unmarshal(page.Body, &c); err != nil || len(c.Proofs) == 0 || c.Dwelt == 0 {
			t.Errorf("%v, certificate %+v", err, c)
		}
		names = append(names, c.Step)
	}
	if got := strings.Join(names, " "); got != "shadow ten half" {
		t.Errorf("certificates of %q", got)
	}
	if _, err := w.config.View(w.session.State, &w.session.Policy); err != nil {
		t.Error(err)
	}
}

func TestOneConfirmedHarmRollsBack(t *testing.T) {
	w := newTable(t)
	w.in(100_000)
	w.rule("g")
	r, err := w.config.Confirm(w.session, rollout.EventDoubled)
	if err != nil {
		t.Fatal(err)
	}
	w.put(r)
	if d := w.rule("g"); d.Action != control.Rollback || d.Breach.Guardrail != guard.Conservation {
		t.Errorf("decided %+v", d)
	}
}

func TestActsAreRefusedWithWhatToDo(t *testing.T) {
	w := newTable(t)
	if err := w.amend(ActionHold, ""); !errors.Is(err, ErrNoPlan) || !Refused(err) {
		t.Errorf("without a plan: %v", err)
	}
	w = newTable(t, plan()...)
	w.rule("g")
	for action, step := range map[Action]string{ActionApprove: "shadow", ActionForce: "nowhere", "wave": ""} {
		if err := w.amend(action, step); !Refused(err) {
			t.Errorf("%s: %v", action, err)
		}
	}
	for _, action := range []Action{ActionHold, ActionResume, ActionRearm} {
		if err := w.amend(action, ""); err != nil {
			t.Errorf("%s: %v", action, err)
		}
	}
	if err := w.amend(ActionForce, "half"); err != nil {
		t.Fatal(err)
	}
	if w.rule("g"); w.session.Policy.Plan != 500_000 {
		t.Errorf("forced, the plan is %v", w.session.Policy.Plan)
	}
	if n := len(w.pages[SubjectCertificates]); n != 1 {
		t.Errorf("%d certificates of a forced step", n)
	}
}

// Mismatches that turn out to be noise are not taken back, and nothing is counted
// twice.
func TestComparisonsAreCountedOnce(t *testing.T) {
	w := newTable(t)
	for _, c := range [][2]uint64{{1000, 5}, {2000, 5}, {2000, 1}, {3000, 2}, {500, 0}, {1500, 1}} {
		w.facts.Comparisons = Comparisons{At: w.session.Now, Compared: c[0], Mismatched: c[1]}
		w.rule("g")
		for _, old := range []Comparisons{{}, {At: w.session.Now.Add(-time.Second), Compared: 9}} { // another gateway's, or one that knows nothing
			w.facts.Comparisons = old
			w.rule("h")
		}
	}
	if s := w.last.State.Sum; s.Compared != 4000 || s.Mismatched != 7 {
		t.Errorf("compared %d, mismatched %d", s.Compared, s.Mismatched)
	}
}

func TestADamagedStateDecidesNothing(t *testing.T) {
	w := newTable(t)
	w.session.State = []byte("{")
	if _, err := w.config.Rule(w.session, &Facts{}); err == nil {
		t.Error("it decided")
	}
}

// A look whether to decide says what the decision will be.
func TestCrossedIsWhatRuleDoes(t *testing.T) {
	for _, sick := range []uint64{1, 30} {
		w := newTable(t)
		w.in(100_000)
		for i := range 120 {
			w.docs(rollout.Legacy, 90, sick)
			w.docs(rollout.Temporal, 5, 5)
			probe := w.session
			probe.Now = probe.Now.Add(time.Second)
			w.facts.Flag = w.flag
			known := w.state()
			crossed, err := w.config.Crossed(known, &probe, &w.facts)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(known, w.state()) {
				t.Fatalf("second %d: a look changed what is known", i)
			}
			if d := w.rule("g"); crossed != (d.Action == control.Rollback) {
				t.Fatalf("second %d: crossed %v, decided %+v", i, crossed, d)
			}
		}
	}
}

// BenchmarkCrossed is what a look whether a decision is needed costs.
func BenchmarkCrossed(b *testing.B) { benchmark(b, (*table).crossed) }

func (w *table) crossed() error {
	_, err := w.config.Crossed(w.last.State, &w.session, &w.facts)
	return err
}

func (w *table) ruled() error {
	_, err := w.config.Rule(w.session, &w.facts)
	return err
}

// BenchmarkRule is what one decision costs, with what is stored of it.
func BenchmarkRule(b *testing.B) { benchmark(b, (*table).ruled) }

func benchmark(b *testing.B, what func(*table) error) {
	w := newTable(&testing.T{}, plan()...)
	for range 200 {
		w.docs(rollout.Legacy, 90, 1)
		w.docs(rollout.Temporal, 10, 0)
		w.rule("g")
	}
	w.docs(rollout.Legacy, 90, 1)
	for b.Loop() {
		if err := what(w); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(w.session.State)), "bytes/state")
}
