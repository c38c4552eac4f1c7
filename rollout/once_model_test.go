package rollout_test

import (
	"testing"

	"sluice/rollout"
)

// onceWorld is what a world knows more if the gateway keeps legacy's answers: an
// intent that legacy answered for good must not go there again.
type onceWorld struct {
	// take is Holding.Take, or what a gateway without a protection does.
	take taking
	// kept are the answers on disk, and look whether a gateway looks there before
	// it sends what was sent before.
	kept map[startID]bool
	look bool

	slow     []startID // at work in legacy, sent by a gateway that lives
	answered map[startID]bool
	twice    int // sent, or answered, after an answer for good
	replayed int
	again    int // sent to legacy again, for whatever reason
}

// living is the owner of sends that are slow; nobody adopts them.
const living = "living"

// request is world.request in such a world. k3 stands for an intent without
// a key, which goes to legacy as it comes.
func (o *onceWorld) request(w *world, ask rollout.Ask) {
	ask.Once = ask.Intent != "k3"
	if w.rng.IntN(4) == 0 {
		ask.Owner = living
	}
	grant, ok := w.take(ask, o.take)
	if !ok {
		return
	}
	id := startID{ask.Intent, grant.Life}
	switch {
	case grant.Step == rollout.StepReplay && grant.Path == rollout.Legacy:
		o.replayed++
	case grant.Step == rollout.StepSend && ask.Once && o.look && o.kept[id]:
		o.replayed++
		_ = w.h.Sent(ask.Intent, ask.Owner, true, w.at())
	case grant.Step == rollout.StepSend:
		o.send(w, id, ask.Owner)
	case grant.Step == rollout.StepStart:
		w.start(id, 0)
	}
}

// send is a request to legacy: it got nothing; the answer broke; it answered for
// good; it asks for a repeat; the gateway died, before or after it had kept the
// answer; or it takes its time.
func (o *onceWorld) send(w *world, id startID, owner string) {
	if o.answered[id] && id.intent != "k3" {
		o.twice++
	}
	if w.legacy[id.intent]++; w.legacy[id.intent] > 1 {
		o.again++
	}
	fate := w.rng.IntN(6)
	if fate > 0 {
		w.effect(w.key(id.intent), rollout.Legacy)
	}
	switch {
	case owner == living:
		o.slow = append(o.slow, id)
	case fate == 0, fate == 3:
		_ = w.h.Declined(id.intent, owner, w.at())
	case fate == 1:
		_ = w.h.Sent(id.intent, owner, false, w.at())
	case fate == 2:
		o.answered[id], o.kept[id] = true, true
		_ = w.h.Sent(id.intent, owner, true, w.at())
	case fate == 4:
		o.answered[id], o.kept[id] = true, true
	}
}

// finish lets legacy answer a slow request for good.
func (o *onceWorld) finish(w *world) {
	if len(o.slow) == 0 {
		return
	}
	id := o.slow[0]
	o.slow = o.slow[1:]
	if o.answered[id] && id.intent != "k3" {
		o.twice++
	}
	o.answered[id], o.kept[id] = true, true
	_ = w.h.Sent(id.intent, living, true, w.at())
}

func runOnce(t *testing.T, worlds int, change func(*onceWorld)) (total onceWorld, doubled int) {
	t.Helper()
	var all []*onceWorld
	sum := runWorlds(t, worlds, func(w *world) {
		w.once = &onceWorld{take: (*rollout.Holding).Take, look: true, kept: map[startID]bool{}, answered: map[startID]bool{}}
		change(w.once)
		all = append(all, w.once)
	})
	for _, o := range all {
		total.twice += o.twice
		total.replayed += o.replayed
		total.again += o.again
	}
	return total, sum.doubled
}

// What legacy answered for good it never gets again, whatever dies in between.
func TestWhatLegacyAnsweredNeverGoesThereTwice(t *testing.T) {
	total, doubled := runOnce(t, 1000, func(*onceWorld) {})
	if total.twice > 0 || doubled > 0 {
		t.Errorf("%d times legacy got what it had answered, %d times a document was on both paths", total.twice, doubled)
	}
	if total.replayed < 1000 || total.again < 1000 {
		t.Errorf("%d replays, %d repeats: the model proves little", total.replayed, total.again)
	}
}

// The same worlds, each without one of the protections.
func TestWithoutTheRecordOfAnswersTheModelFindsRepeats(t *testing.T) {
	for name, change := range map[string]func(*onceWorld){
		"a settled claim is not replayed": func(o *onceWorld) {
			o.take = func(h *rollout.Holding, ask rollout.Ask, at rollout.Instant) (rollout.Grant, error) {
				if c := h.Find(ask.Intent); c != nil && !c.Open() {
					ask.Once = false
				}
				return h.Take(ask, at)
			}
			o.look = false
		},
		"a request under way is not waited for": func(o *onceWorld) {
			o.take = func(h *rollout.Holding, ask rollout.Ask, at rollout.Instant) (rollout.Grant, error) {
				if c := h.Find(ask.Intent); c != nil && c.Open() {
					ask.Once = false
				}
				return h.Take(ask, at)
			}
		},
		"the answer of a lost claim is not looked for": func(o *onceWorld) { o.look = false },
	} {
		t.Run(name, func(t *testing.T) {
			if total, _ := runOnce(t, 200, change); total.twice == 0 {
				t.Error("nothing went to legacy twice: the model cannot fail")
			}
		})
	}
}
