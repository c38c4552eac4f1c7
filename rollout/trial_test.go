package rollout_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sluice/rollout"
)

// trials is a document's holding and all that was counted of it.
type trials struct {
	t   *testing.T
	h   rollout.Holding
	now time.Time
	sum rollout.Counts
	at  func() rollout.Instant
}

func newTrials(t *testing.T, exposure rollout.Exposure) *trials {
	w := &trials{t: t, h: rollout.Holding{DocID: "doc"}, now: time.UnixMilli(1_700_000_000_000)}
	w.at = func() rollout.Instant {
		i := instant(exposure)
		i.Now, i.Horizon = w.now, 24*time.Hour
		return i
	}
	return w
}

func (w *trials) ask(intent rollout.Intent, bucket rollout.Bucket) rollout.Ask {
	return rollout.Ask{Intent: intent, Route: "r", Bucket: bucket, Temporal: true, Owner: "g", Counts: true, Own: rollout.All}
}

// change makes one change, as a store does: what was counted in one that failed is
// nothing, and the record goes through its encoding.
func (w *trials) change(change func() error) error {
	before, err := rollout.ParseHolding(rollout.AppendHolding(nil, &w.h))
	if err != nil {
		w.t.Fatal(err)
	}
	w.h.Counts = nil
	if err := change(); err != nil {
		w.h = *before
		return err
	}
	for _, c := range w.h.Counts {
		w.sum.Add(c)
	}
	after, err := rollout.ParseHolding(rollout.AppendHolding(nil, &w.h))
	if err != nil {
		w.t.Fatal(err)
	}
	w.h = *after
	return nil
}

func (w *trials) take(ask rollout.Ask) rollout.Grant {
	w.t.Helper()
	var g rollout.Grant
	if err := w.change(func() (err error) { g, err = w.h.Take(ask, w.at()); return err }); err != nil {
		w.t.Fatal(err)
	}
	return g
}

// sent ends a request to legacy.
func (w *trials) sent(intent rollout.Intent, fate rollout.Fate) {
	w.t.Helper()
	if err := w.change(func() error {
		if err := w.h.Sent(intent, "g", fate != rollout.FateBad, w.at()); err != nil {
			return err
		}
		w.h.Judge(intent, rollout.Ending{Fate: fate, Took: time.Millisecond}, w.at())
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *trials) finish(intent rollout.Intent, life uint64, run rollout.Run, state rollout.ClaimState, limits rollout.Thresholds) {
	w.t.Helper()
	if err := w.change(func() error { return w.h.Finish(intent, life, &run, state, limits, w.at()) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *trials) want(what string, arm rollout.Path, want map[rollout.Event]uint64) {
	w.t.Helper()
	got := map[rollout.Event]uint64{}
	for _, c := range w.sum {
		if c.Arm == arm && c.Event != rollout.EventPlaced {
			got[c.Event] += c.Times
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("%s: %v in the arm %s, want %v", what, got, arm, want)
	}
}

var (
	done   = rollout.Run{State: rollout.RunCompleted, Answer: rollout.Answer{Status: 200}}
	broken = rollout.Run{State: rollout.RunFailed, Failure: rollout.Failure{Type: "X", Status: 500}}
)

type happened = map[rollout.Event]uint64

func TestAnIntentCountsOnceWhateverItsClientRepeats(t *testing.T) {
	w := newTrials(t, 500_000)
	for range 50 {
		w.take(w.ask("a", 600_000))
		w.sent("a", rollout.FateBad)
	}
	w.want("legacy, 50 times", rollout.Legacy, happened{rollout.EventAssigned: 1, rollout.EventBad: 1})
	w = newTrials(t, 500_000)
	for range 50 {
		g := w.take(w.ask("a", 400_000))
		w.finish("a", g.Life, broken, rollout.ClaimFailed, rollout.Thresholds{})
	}
	w.want("Temporal, 50 times", rollout.Temporal, happened{rollout.EventAssigned: 1, rollout.EventBad: 1})
	w.want("the other arm", rollout.Legacy, happened{})
}

// A poisoned document that changes each time is 50 intents, and one bad event an
// hour.
func TestAPoisonedDocumentIsOneBadEventAnHour(t *testing.T) {
	w := newTrials(t, 500_000)
	for i := range 50 {
		intent := rollout.Intent(fmt.Sprint("a", i))
		g := w.take(w.ask(intent, 1))
		w.finish(intent, g.Life, broken, rollout.ClaimFailed, rollout.Thresholds{1, 2, 3})
		w.now = w.now.Add(2 * time.Minute)
	}
	w.want("in 100 minutes", rollout.Temporal, happened{
		rollout.EventAssigned: 50, rollout.EventBad: 2, rollout.EventTimed: 2, rollout.EventSlow50: 2, rollout.EventSlow90: 2, rollout.EventSlow99: 2,
	})
}

// By intention to treat: a document that fell back is a bad one of Temporal, and
// legacy's answer is nothing.
func TestAFallbackIsABadDocumentOfTemporal(t *testing.T) {
	w := newTrials(t, 500_000)
	g := w.take(w.ask("a", 1))
	if err := w.change(func() error {
		if err := w.h.Attempted("a", g.Life, rollout.VerdictNothing); err != nil {
			return err
		}
		if err := w.h.Move("a", g.Life, "g", w.at()); err != nil {
			return err
		}
		w.h.FellBack(rollout.Thresholds{}, w.at())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.sent("a", rollout.FateGood)
	w.want("fallen back", rollout.Temporal, happened{rollout.EventAssigned: 1, rollout.EventBad: 1})
	w.want("fallen back", rollout.Legacy, happened{})
}

func TestOnlyWhatTheHashPlacedCounts(t *testing.T) {
	w := newTrials(t, 500_000)
	apart := w.ask("breaker", 1)
	apart.Counts = false
	large := w.ask("large", 1)
	large.Oversize = true
	undeclared, outage := w.ask("undeclared", 1), w.ask("broken", 1)
	undeclared.Temporal, undeclared.Why = false, rollout.ReasonWorkers
	outage.Temporal, outage.Why = false, rollout.ReasonBreaker
	for _, ask := range []rollout.Ask{apart, large, undeclared, outage} {
		if g := w.take(ask); g.Path == rollout.Legacy {
			w.sent(ask.Intent, rollout.FateBad)
		} else {
			w.finish(ask.Intent, g.Life, broken, rollout.ClaimFailed, rollout.Thresholds{})
		}
	}
	open := w.take(w.ask("first", 1))
	held := w.take(w.ask("held", 1)) // by the first's claim
	w.finish("first", open.Life, done, rollout.ClaimDone, rollout.Thresholds{})
	w.take(w.ask("held", 1))
	w.finish("held", held.Life, broken, rollout.ClaimFailed, rollout.Thresholds{})
	w.want("one of six", rollout.Temporal, happened{rollout.EventAssigned: 1, rollout.EventGood: 1})
	w.want("none", rollout.Legacy, happened{})
}

// A gateway that knows of a lower ceiling places by that one.
func TestTheArmIsThatOfTheLowestCeiling(t *testing.T) {
	w := newTrials(t, 500_000)
	ask := w.ask("a", 300_000)
	ask.Temporal, ask.Why, ask.Own = false, rollout.ReasonLocal, 200_000
	w.take(ask)
	w.sent("a", rollout.FateGood)
	w.want("lowered here", rollout.Legacy, happened{rollout.EventAssigned: 1, rollout.EventGood: 1})
	if w.sum[0].Exposure != 200_000 {
		t.Errorf("counted under %v", w.sum[0].Exposure)
	}
}

func TestWhatACrashLeftCountsNowhere(t *testing.T) {
	w := newTrials(t, 0)
	w.take(w.ask("a", 1))
	w.now = w.now.Add(time.Minute)
	if err := w.change(func() error { w.h.Adopt("g", "heir", time.Second, w.at()); return nil }); err != nil {
		t.Fatal(err)
	}
	w.take(w.ask("a", 1))
	w.sent("a", rollout.FateBad)
	w.want("lost with its gateway", rollout.Legacy, happened{rollout.EventAssigned: 1})
}

// The sample ratio is taken of documents that rested: those of which something is
// under way, or was lately, are more on the slower path.
func TestOnlyRestedDocumentsAreSampled(t *testing.T) {
	w := newTrials(t, 500_000)
	for i, wait := range []time.Duration{0, 0, time.Minute, 48 * time.Hour, 0} {
		w.now = w.now.Add(wait)
		intent := rollout.Intent(fmt.Sprint("v", i))
		g := w.take(w.ask(intent, 1))
		w.finish(intent, g.Life, done, rollout.ClaimDone, rollout.Thresholds{})
	}
	placed := uint64(0)
	for _, c := range w.sum {
		if c.Event == rollout.EventPlaced {
			placed += c.Times
		}
	}
	if placed != 2 {
		t.Errorf("%d of five versions are sampled, want the first and the one after a rest", placed)
	}
}

// Legacy answers clients who may not; the gateway does, before a document of theirs
// is assigned to Temporal. Neither counts.
func TestWhoMayNotCountsNowhere(t *testing.T) {
	w := newTrials(t, 500_000)
	w.take(w.ask("a", 600_000))
	w.sent("a", rollout.FateWithdrawn)
	w.want("not let in", rollout.Legacy, happened{rollout.EventAssigned: 1, rollout.EventWithdrawn: 1})
}

// A start that was lost says nothing. What its retry comes to is the intent's outcome,
// if it goes where the hash put it.
func TestARetryOfWhatNeverRanCounts(t *testing.T) {
	for name, row := range map[string]struct {
		lowered rollout.Exposure
		want    happened
	}{
		"on Temporal": {500_000, happened{rollout.EventAssigned: 1, rollout.EventBad: 1}},
		"elsewhere":   {0, happened{rollout.EventAssigned: 1}},
	} {
		w := newTrials(t, 500_000)
		g := w.take(w.ask("a", 1))
		err := w.change(func() error {
			return errors.Join(w.h.Fenced("a", g.Life), w.h.Void("a", g.Life, w.at()))
		})
		if err != nil {
			t.Fatal(err)
		}
		instant := w.at
		w.at = func() rollout.Instant {
			i := instant()
			i.Policy = rollout.Reading{Rollout: row.lowered}.Policy(2)
			return i
		}
		if g = w.take(w.ask("a", 1)); g.Path == rollout.Legacy {
			w.sent("a", rollout.FateGood)
		} else {
			w.finish("a", g.Life, broken, rollout.ClaimFailed, rollout.Thresholds{})
		}
		w.want(name, rollout.Temporal, row.want)
	}
}

func TestWhatLingersIsSlowAndThenBad(t *testing.T) {
	w := newTrials(t, 500_000)
	limits, horizon := rollout.Thresholds{time.Second, 2 * time.Second, 3 * time.Second}, time.Minute
	g := w.take(w.ask("a", 1))
	linger := func() {
		if err := w.change(func() error { return w.h.Linger("a", g.Life, limits, horizon, w.at()) }); err != nil {
			t.Fatal(err)
		}
	}
	w.now = w.now.Add(2500 * time.Millisecond)
	linger()
	w.want("not yet", rollout.Temporal, happened{rollout.EventAssigned: 1})
	w.now = w.now.Add(time.Second)
	linger()
	slow := happened{rollout.EventAssigned: 1, rollout.EventTimed: 1, rollout.EventSlow50: 1, rollout.EventSlow90: 1, rollout.EventSlow99: 1}
	w.want("slow", rollout.Temporal, slow)
	w.now = w.now.Add(horizon)
	linger()
	linger()
	slow[rollout.EventBad] = 1
	w.want("without an outcome", rollout.Temporal, slow)
	w.finish("a", g.Life, done, rollout.ClaimDone, limits)
	w.want("in the end", rollout.Temporal, slow)
}

func TestTimedByWhatIsInForce(t *testing.T) {
	w := newTrials(t, 500_000)
	limits := rollout.Thresholds{10 * time.Millisecond, 20 * time.Millisecond, 30 * time.Millisecond}
	for i, took := range []time.Duration{10, 15, 25, 35} {
		intent := rollout.Intent(fmt.Sprint(i))
		g := w.take(w.ask(intent, 1))
		run := done
		run.Took = took * time.Millisecond
		w.finish(intent, g.Life, run, rollout.ClaimDone, limits)
	}
	w.want("timed", rollout.Temporal, happened{
		rollout.EventAssigned: 4, rollout.EventGood: 4, rollout.EventTimed: 4,
		rollout.EventSlow50: 3, rollout.EventSlow90: 2, rollout.EventSlow99: 1,
	})
}

func TestAnOperatorsLossIsCounted(t *testing.T) {
	w := newTrials(t, 500_000)
	g := w.take(w.ask("a", 1))
	if err := w.change(func() error { return w.h.Force("a", g.Life, rollout.ClaimLost, w.at()) }); err != nil {
		t.Fatal(err)
	}
	w.want("lost", rollout.Temporal, happened{rollout.EventAssigned: 1, rollout.EventLost: 1})
}

// Whatever happens to intents, in any order, each is assigned once and has one
// outcome at most, in one arm.
func TestEachIntentCountsAtMostOnce(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		w := newTrials(t, 500_000)
		intents := map[rollout.Intent]bool{}
		for range 60 {
			intent := rollout.Intent(fmt.Sprint(rng.IntN(4)))
			w.now = w.now.Add(time.Duration(rng.IntN(5)) * time.Minute)
			_ = w.change(func() error {
				at := w.at()
				life := uint64(0)
				if c := w.h.Find(intent); c != nil {
					life = c.Life
				}
				switch rng.IntN(8) {
				case 0, 1:
					intents[intent] = true
					_, err := w.h.Take(w.ask(intent, rollout.Bucket(rng.IntN(2)*999_999)), at)
					return err
				case 2:
					err := w.h.Sent(intent, "g", rng.IntN(2) == 0, at)
					w.h.Judge(intent, rollout.Ending{Fate: rollout.Fate(rng.IntN(5))}, at)
					return err
				case 3:
					return w.h.Finish(intent, life, &done, rollout.ClaimDone, rollout.Thresholds{1, 2, 3}, at)
				case 4:
					return w.h.Finish(intent, life, &broken, rollout.ClaimFailed, rollout.Thresholds{1, 2, 3}, at)
				case 5:
					_ = w.h.Attempted(intent, life, rollout.VerdictNothing)
					err := w.h.Move(intent, life, "g", at)
					w.h.FellBack(rollout.Thresholds{}, at)
					return err
				case 6:
					return w.h.Linger(intent, life, rollout.Thresholds{1, 2, 3}, time.Minute, at)
				}
				w.h.Adopt("g", "g", 0, at)
				return nil
			})
		}
		got := map[rollout.Event]uint64{}
		for _, c := range w.sum {
			got[c.Event] += c.Times
		}
		outcomes := got[rollout.EventGood] + got[rollout.EventBad] + got[rollout.EventInvalid]
		if got[rollout.EventAssigned] > uint64(len(intents)) || outcomes > got[rollout.EventAssigned] || got[rollout.EventTimed] > got[rollout.EventAssigned] {
			t.Fatalf("seed %d: of %d intents: %v", seed, len(intents), got)
		}
	}
}

// BenchmarkJudge is what observing one outcome costs the request path, once its
// claim is at hand.
func BenchmarkJudge(b *testing.B) {
	limits := rollout.Thresholds{time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond}
	at := instant(500_000)
	h := rollout.Holding{DocID: "doc", Claims: []rollout.Claim{{Intent: "a", Trial: rollout.Trial{Counts: true, Arm: rollout.Temporal, Exposure: 500_000}}}}
	room := make([]rollout.Count, 0, 8)
	b.ReportAllocs()
	for b.Loop() {
		h.Counts, h.LastBad = room, 0
		h.Claims[0].Trial.Ended, h.Claims[0].Trial.Timed = false, false
		h.Judge("a", rollout.Ending{Fate: rollout.FateBad, Took: 5 * time.Millisecond, Thresholds: limits}, at)
	}
}
