package rollout_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"sluice/rollout"
)

// writer is a model of one document whose client posts versions one after the other,
// without keys, and knows what must be stored in the end: the last one that it posted.
// Some are answered before they have run; what runs on Temporal runs in claim order.
type writer struct {
	t       *testing.T
	rng     *rand.Rand
	h       rollout.Holding
	now     time.Time
	percent rollout.Exposure
	name    func(version string) rollout.Intent // of a version's intent

	versions map[rollout.Intent]string // by the claim's intent
	waiting  []rollout.Ask             // of requests that wait for their turn at the gateway
	stored   string
	wanted   string
	repeats  int // of a version that another had replaced
	lost     int
	longest  int // line
}

// gone is what a touch leaves of the document.
const gone = ""

func (w *writer) at() rollout.Instant {
	return rollout.Instant{Now: w.now, Policy: rollout.Reading{Rollout: w.percent}.Policy(1), Horizon: time.Hour}
}

// post posts a version. Legacy stores it at once; Temporal acknowledges it.
func (w *writer) post(version string) {
	ask := rollout.Ask{Intent: w.name(version), Digest: [16]byte{version[0]}, Temporal: true, Owner: "g", Limit: time.Second}
	g := w.take(ask)
	w.longest = max(w.longest, w.h.Open())
	w.versions[g.Intent] = version
	if w.wanted != version && w.stored == version {
		w.repeats++
	}
	w.wanted = version
	switch g.Step {
	case rollout.StepSend:
		w.stored = version
		w.must(w.h.Sent(g.Intent, "g", true, w.at()))
	case rollout.StepWait:
		if w.rng.IntN(2) == 0 {
			ask.Intent, ask.Granted = g.Intent, true
			w.waiting = append(w.waiting, ask)
			return
		}
		_, err := w.h.Delay(g.Intent, g.Life, "g", func(string) time.Duration { return time.Hour }, w.at())
		w.must(err)
		fallthrough
	case rollout.StepStart:
		w.must(w.h.Attempted(g.Intent, g.Life, rollout.VerdictAccepted))
	}
}

// take claims the document, if need be once all that is on Temporal has ended.
func (w *writer) take(ask rollout.Ask) rollout.Grant {
	g, err := w.h.Take(ask, w.at())
	if errors.Is(err, rollout.ErrHeld) || errors.Is(err, rollout.ErrBusy) {
		w.drain()
		g, err = w.h.Take(ask, w.at())
	}
	w.must(err)
	return g
}

// touch deletes the document on legacy, once nothing of it is on Temporal.
func (w *writer) touch() {
	ask := rollout.Ask{Intent: rollout.TouchIntent("route", "DELETE", "/"), Touch: true, Owner: "g"}
	g := w.take(ask)
	if g.Path != rollout.Legacy {
		w.t.Fatalf("a touch: %+v", g)
	}
	w.stored, w.wanted = gone, gone
	w.must(w.h.Sent(g.Intent, "g", true, w.at()))
}

// drain lets all that is on Temporal run, and compares.
func (w *writer) drain() {
	for range 100 {
		front, _ := w.h.Front()
		if front == nil {
			break
		}
		if !front.Accepted {
			w.turn() // it begins, or goes to the end of the line, for it is late
			continue
		}
		w.stored = w.versions[front.Intent]
		w.must(w.h.Ended(front.Intent, front.Life, rollout.ClaimDone, w.at()))
	}
	if w.h.Open() > 0 {
		w.t.Fatalf("the line does not end: %+v", w.h.Claims)
	}
	if w.stored != w.wanted {
		w.lost++
		w.wanted = w.stored
	}
}

// turn lets the requests that wait look whether their turn has come.
func (w *writer) turn() {
	for _, ask := range w.waiting {
		g, err := w.h.Take(ask, w.at())
		w.must(err)
		if g.Step == rollout.StepStart {
			w.must(w.h.Attempted(g.Intent, g.Life, rollout.VerdictAccepted))
		}
	}
}

func (w *writer) must(err error) {
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *writer) step() {
	if w.h.Open() == 0 {
		w.waiting = nil
	}
	w.now = w.now.Add(time.Duration(w.rng.IntN(300)) * time.Millisecond)
	switch w.rng.IntN(10) {
	case 0:
		w.touch()
	case 1:
		w.percent = []rollout.Exposure{rollout.None, rollout.All}[w.rng.IntN(2)]
	case 2, 3, 4:
		w.drain()
	default:
		w.post([]string{"A", "B", "C"}[w.rng.IntN(3)])
	}
}

func writers(t *testing.T, name func(version string) rollout.Intent) (lost, repeats int) {
	t.Helper()
	for seed := range uint64(500) {
		w := &writer{t: t, rng: rand.New(rand.NewPCG(seed, 11)), h: rollout.Holding{DocID: "doc"}, now: time.UnixMilli(1_000_000),
			percent: rollout.All, name: name, versions: map[rollout.Intent]string{}}
		for range 200 {
			w.step()
		}
		w.drain()
		lost += w.lost
		repeats += w.repeats
		if w.longest > 3*2+1 {
			t.Errorf("%d claims of three versions stood in line", w.longest)
		}
	}
	return lost, repeats
}

// A client that posts A, B and A again has A stored, and what it deletes is gone,
// wherever the percentage stands.
func TestTheLastVersionIsStored(t *testing.T) {
	lost, repeats := writers(t, func(version string) rollout.Intent { return rollout.DigestIntent([16]byte{version[0]}) })
	if lost > 0 {
		t.Errorf("%d times another version than the last was stored", lost)
	}
	if repeats < 1000 {
		t.Errorf("only %d versions came again: the model proves little", repeats)
	}
}

// The same client with names that never become new wishes, as keys do not: the model
// must find updates that are lost.
func TestWithoutNewWishesTheModelFindsLostUpdates(t *testing.T) {
	if lost, _ := writers(t, func(version string) rollout.Intent { return rollout.Intent("k" + version) }); lost == 0 {
		t.Error("a replay for whatever came before lost nothing: the model cannot fail")
	}
}
