package rollout_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sluice/rollout"
)

// world is a model of everything around the claims of one document: starts that
// are under way to Temporal and may arrive at any time or never, Temporal's one
// run or tombstone for each workflow ID, legacy's side effects, gateways that
// crash, and an operator who moves the line.
type world struct {
	rng     *rand.Rand
	h       rollout.Holding
	now     time.Time
	percent rollout.Exposure
	// move is Holding.Move, or what a gateway without a fence does.
	move func(h *rollout.Holding, intent rollout.Intent, life uint64, at rollout.Instant) error
	// once is for worlds where answers of legacy's are kept; nil where none is.
	once *onceWorld

	underWay []pending              // starts that may still arrive
	temporal map[startID]*execution // by workflow ID
	legacy   map[rollout.Intent]int // requests at legacy, by intent
	first    map[rollout.Intent]uint64
	effects  map[string]map[rollout.Path]int // side effects by intent and first life
	doubled  int
	// release is Holding.Releasable, or what a gateway without order does.
	release  func(h *rollout.Holding, intent rollout.Intent, life uint64) bool
	together int // runs that began while another was at work
	delayed  int // runs that were held back and released
	moved    int
	moves    int
}

// taking is Holding.Take.
type taking func(h *rollout.Holding, ask rollout.Ask, at rollout.Instant) (rollout.Grant, error)

type startID struct {
	intent rollout.Intent
	life   uint64
}

// pending is a start that left its gateway, of the intent's wish named by key.
type pending struct {
	startID
	key   string
	delay time.Duration
	until time.Time // it arrives before, or never
}

type execution struct {
	tombstone, ended bool
	key              string
	held             bool      // the start is delayed
	begins, limit    time.Time // by itself; when Temporal ends it
}

const (
	modelHorizon = 10 * time.Second
	modelLimit   = 5 * time.Second // of a run
	modelTransit = 3 * time.Second // of a start
)

func newWorld(seed uint64) *world {
	return &world{
		rng: rand.New(rand.NewPCG(seed, 7)), now: time.UnixMilli(1_000_000), percent: rollout.All,
		h:        rollout.Holding{DocID: "doc"},
		temporal: map[startID]*execution{}, legacy: map[rollout.Intent]int{},
		first: map[rollout.Intent]uint64{}, effects: map[string]map[rollout.Path]int{},
		move: func(h *rollout.Holding, intent rollout.Intent, life uint64, at rollout.Instant) error {
			return h.Move(intent, life, "g", at)
		},
		release: (*rollout.Holding).Releasable,
	}
}

func (w *world) at() rollout.Instant {
	return rollout.Instant{Now: w.now, Policy: rollout.Reading{Rollout: w.percent}.Policy(1), Horizon: modelHorizon}
}

// effect notes that an intent was ingested on a path. Lives that followed each
// other belong together; a claim that was forgotten begins anew.
func (w *world) effect(key string, path rollout.Path) {
	if w.effects[key] == nil {
		w.effects[key] = map[rollout.Path]int{}
	}
	w.effects[key][path]++
	if w.effects[key][rollout.Legacy] > 0 && w.effects[key][rollout.Temporal] > 0 {
		w.doubled++
	}
	if path == rollout.Legacy {
		for _, run := range w.temporal {
			if !run.tombstone && !run.ended {
				w.doubled++ // the document is under way on both paths
			}
		}
	}
}

func (w *world) key(intent rollout.Intent) string { return fmt.Sprint(intent, "/", w.first[intent]) }

// arrive lets one start reach Temporal.
func (w *world) arrive(p pending) {
	run := w.temporal[p.startID]
	if run == nil {
		run = &execution{key: p.key, held: true, begins: w.now.Add(p.delay), limit: w.now.Add(p.delay + modelLimit)}
		w.temporal[p.startID] = run
	}
	// An update sent along with a start releases what it finds.
	if run.begins == w.now || p.delay == 0 && w.rng.IntN(2) == 0 {
		w.begin(run)
	}
}

// begin lets a run begin, if it has not.
func (w *world) begin(run *execution) {
	if run == nil || !run.held || run.ended {
		return
	}
	for _, other := range w.temporal {
		if !other.held && !other.ended && !other.tombstone {
			w.together++
		}
	}
	run.held = false
	w.effect(run.key, rollout.Temporal)
}

// clock does what Temporal does by itself: it begins what was delayed long enough,
// and ends what takes too long.
func (w *world) clock() {
	for id, run := range w.temporal {
		if !run.held && !run.ended && !run.limit.After(w.now) {
			run.ended = true
			_ = w.h.Ended(id.intent, id.life, rollout.ClaimDead, w.at())
		}
	}
	for _, run := range w.temporal {
		if run.held && !run.begins.After(w.now) {
			w.begin(run)
		}
	}
}

// request is one request of a client, up to the answer or the gateway's death.
func (w *world) request(intent rollout.Intent) {
	ask := rollout.Ask{Intent: intent, Temporal: w.rng.IntN(4) > 0, Owner: "g", Limit: modelLimit + modelTransit}
	if w.once != nil {
		w.once.request(w, ask)
		return
	}
	grant, ok := w.take(ask, (*rollout.Holding).Take)
	if !ok {
		return
	}
	switch grant.Step {
	case rollout.StepSend:
		w.send(intent)
	case rollout.StepStart:
		w.start(startID{intent, grant.Life}, 0)
	case rollout.StepWait:
		delay, err := w.h.Delay(intent, grant.Life, "g", func(string) time.Duration { return modelLimit + modelTransit }, w.at())
		if err == nil && w.rng.IntN(4) > 0 { // else it was registered, and its gateway died
			w.start(startID{intent, grant.Life}, delay)
		}
	}
}

// take takes the claim, as a gateway does.
func (w *world) take(ask rollout.Ask, take taking) (rollout.Grant, bool) {
	var before rollout.Claim
	if c := w.h.Find(ask.Intent); c != nil {
		before = *c
	}
	grant, err := take(&w.h, ask, w.at())
	if err == nil && grant.Life != before.Life && grant.Life != before.Life+1 {
		w.first[ask.Intent] = grant.Life // the one before was forgotten
	}
	return grant, err == nil
}

// send is a request to legacy: answered, broken, never sent, or lost with its
// gateway.
func (w *world) send(intent rollout.Intent) {
	fate := w.rng.IntN(4)
	if fate > 0 {
		w.legacy[intent]++
		w.effect(w.key(intent), rollout.Legacy)
	}
	if fate < 3 {
		_ = w.h.Sent(intent, "g", fate != 1, w.at())
	}
}

// start is one registered attempt: nothing left, refused, acknowledged,
// ambiguous, or lost with its gateway.
func (w *world) start(id startID, delay time.Duration) {
	switch w.rng.IntN(5) {
	case 0, 1:
		_ = w.h.Attempted(id.intent, id.life, rollout.VerdictNothing)
		w.fallBack(id)
	case 2:
		w.arrive(pending{startID: id, key: w.key(id.intent), delay: delay})
		if w.temporal[id].tombstone {
			return
		}
		_ = w.h.Attempted(id.intent, id.life, rollout.VerdictAccepted)
	default:
		w.underWay = append(w.underWay, pending{id, w.key(id.intent), delay, w.now.Add(modelTransit)})
		if w.rng.IntN(2) == 0 {
			w.fallBack(id)
		}
	}
}

func (w *world) fallBack(id startID) {
	w.moves++
	if w.move(&w.h, id.intent, id.life, w.at()) == nil {
		w.moved++
		if w.once != nil {
			w.once.send(w, id, "g")
			return
		}
		w.send(id.intent)
	}
}

// resolve is the background resolver's work on one open claim.
func (w *world) resolve(c rollout.Claim) {
	id := startID{c.Intent, c.Life}
	run := w.temporal[id]
	switch {
	case c.Path == rollout.Legacy:
		w.h.Adopt("g", "g", 0, w.at())
	case run == nil:
		w.temporal[id] = &execution{tombstone: true, ended: true}
		_ = w.h.Fenced(c.Intent, c.Life)
		_ = w.h.Void(c.Intent, c.Life, w.at())
	case run.tombstone:
		_ = w.h.Fenced(c.Intent, c.Life)
		_ = w.h.Void(c.Intent, c.Life, w.at())
	case run.ended:
	default:
		_ = w.h.Attempted(c.Intent, c.Life, rollout.VerdictAccepted)
		if w.release(&w.h, c.Intent, c.Life) {
			if run.held {
				w.delayed++
			}
			w.begin(run)
			if w.rng.IntN(4) > 0 { // else the resolver died in between
				_ = w.h.Released(c.Intent, c.Life)
			}
		}
	}
}

// end completes one run, or fails it with everything undone.
func (w *world) end() {
	for id, run := range w.temporal {
		if run.ended || run.held {
			continue
		}
		run.ended = true
		state := rollout.ClaimDone
		if w.rng.IntN(3) == 0 {
			state = rollout.ClaimFailed
			w.effects[run.key][rollout.Temporal]--
		}
		_ = w.h.Ended(id.intent, id.life, state, w.at())
		return
	}
}

func (w *world) step() {
	w.now = w.now.Add(time.Duration(1+w.rng.IntN(300)) * time.Millisecond)
	w.clock()
	intents := []rollout.Intent{"k1", "k2", "k3"}
	switch w.rng.IntN(8) {
	case 0, 1, 2:
		w.request(intents[w.rng.IntN(len(intents))])
	case 3:
		if n := len(w.underWay); n > 0 {
			i := w.rng.IntN(n)
			late := w.underWay[i]
			w.underWay = append(w.underWay[:i], w.underWay[i+1:]...)
			if w.now.Before(late.until) {
				w.arrive(late)
			}
		}
	case 4:
		if w.once != nil {
			w.once.finish(w)
		}
		w.end()
	case 5:
		w.percent = []rollout.Exposure{rollout.None, rollout.All}[w.rng.IntN(2)]
	default:
		for _, c := range w.h.Claims {
			if c.Open() && w.rng.IntN(2) == 0 {
				w.resolve(c)
				break
			}
		}
	}
}

func runWorlds(t *testing.T, worlds int, change func(*world)) (sum world) {
	t.Helper()
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		change(w)
		for range 400 {
			w.step()
		}
		sum.doubled += w.doubled
		sum.moved += w.moved
		sum.together += w.together
		sum.delayed += w.delayed
	}
	return sum
}

// No interleaving puts an intent, or a document in flight, on both paths.
func TestNoIntentRunsOnBothPaths(t *testing.T) {
	sum := runWorlds(t, 3000, func(*world) {})
	if sum.doubled > 0 {
		t.Errorf("%d times a document was on both paths", sum.doubled)
	}
	if sum.together > 0 {
		t.Errorf("%d times two versions of a document were at work on Temporal", sum.together)
	}
	if sum.moved < 1000 || sum.delayed < 1000 {
		t.Errorf("only %d claims moved to legacy, %d were held back and released: the model proves little", sum.moved, sum.delayed)
	}
}

// The same worlds with releases that look at nobody else: the model must find
// versions that run at one time.
func TestWithoutOrderTheModelFindsVersionsAtOnce(t *testing.T) {
	sum := runWorlds(t, 300, func(w *world) {
		w.release = func(h *rollout.Holding, intent rollout.Intent, _ uint64) bool {
			c := h.Find(intent)
			return c != nil && c.Delayed
		}
	})
	if sum.together == 0 {
		t.Error("releasing without order let nothing run at one time: the model cannot fail")
	}
}

// The same worlds without the fence: the model must find the doubles.
func TestWithoutTheFenceTheModelFindsDoubles(t *testing.T) {
	sum := runWorlds(t, 300, func(w *world) {
		w.move = func(h *rollout.Holding, intent rollout.Intent, life uint64, at rollout.Instant) error {
			c := h.Find(intent)
			if c == nil || c.Path == rollout.Legacy {
				return errors.New("no")
			}
			c.Unsettled, c.Accepted = 0, false
			return h.Move(intent, life, "g", at)
		}
	})
	if sum.doubled == 0 {
		t.Error("moving claims without a fence doubled nothing: the model cannot fail")
	}
}

func TestWithoutClaimsTheModelFindsDoubles(t *testing.T) {
	doubled := 0
	for seed := range uint64(300) {
		w := newWorld(seed)
		for range 400 {
			w.step()
			w.h = rollout.Holding{DocID: "doc"} // nothing is remembered
		}
		doubled += w.doubled
	}
	if doubled == 0 {
		t.Error("without claims nothing was doubled: the model cannot fail")
	}
}
