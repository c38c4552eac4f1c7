package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"sluice/rollout"
)

// rules returns a rule that rules the same each time.
func rules(r rollout.Ruling) func(rollout.Session) (rollout.Ruling, error) {
	return func(rollout.Session) (rollout.Ruling, error) { return r, nil }
}

func (w *world) amend(r rollout.Ruling) {
	w.t.Helper()
	if err := w.store().Amend(w.t.Context(), rules(r)); err != nil {
		w.t.Fatalf("Amend: %v", err)
	}
}

// pages returns the bodies of the newest pages.
func (w *world) pages(subject string, limit int) []string {
	w.t.Helper()
	found, err := w.store().Pages(w.t.Context(), subject, limit)
	if err != nil {
		w.t.Fatalf("Pages: %v", err)
	}
	bodies := []string{}
	for _, p := range found {
		if p.Subject != subject {
			w.t.Errorf("a page about %q among those about %q", p.Subject, subject)
		}
		bodies = append(bodies, string(p.Body))
	}
	return bodies
}

// rulingsStay also opens the store again.
func rulingsStay(t *testing.T, w *world) {
	if now := w.look(); now.State != nil || now.Policy != *w.settings.Policy || now.Brake.Exposure != rollout.All || time.Since(now.Now).Abs() > time.Hour {
		t.Errorf("at first: %+v", now)
	}
	state := []byte("\x00\xff\nstate")
	for i, body := range [][]byte{[]byte(`{"a":1}`), []byte("\x00\xff\n")} {
		ruling := rollout.Ruling{State: state, Plan: rollout.All, Pages: []rollout.Page{{Subject: "trips", Body: body}, {Subject: "ticks", Body: body}}}
		var err error
		if i == 0 {
			err = decide(t.Context(), w.store(), rules(ruling))
		} else {
			err = w.store().Amend(t.Context(), rules(ruling))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if now := w.look(); string(now.State) != string(state) {
			t.Errorf("the state is %q", now.State)
		}
		for _, subject := range []string{"trips", "ticks"} {
			if got := w.pages(subject, 10); !slices.Equal(got, []string{"\x00\xff\n", `{"a":1}`}) {
				t.Errorf("pages about %s: %q", subject, got)
			}
		}
		w.close()
	}
}

func failedRuleLeavesNothing(t *testing.T, w *world) {
	refused := errors.New("refused")
	w.amend(rollout.Ruling{State: []byte("first"), Plan: rollout.All})
	w.take("doc", tried("g1", "a"))
	spoilt := rollout.Ruling{State: []byte("spoilt"), Plan: rollout.None, Brake: &rollout.Brake{}, Pages: []rollout.Page{{Subject: "trips", Body: []byte("1")}}}
	fails := func(rollout.Session) (rollout.Ruling, error) { return spoilt, refused }
	if led, err := w.store().Decide(t.Context(), "g1", fails); !led || err != refused {
		t.Errorf("Decide: %v, %v, want the rule's error as it is", led, err)
	}
	if err := w.store().Amend(t.Context(), fails); err != refused {
		t.Errorf("Amend: %v, want the rule's error as it is", err)
	}
	func() {
		defer func() {
			if recovered := recover(); recovered != "oh" {
				t.Errorf("recovered %v", recovered)
			}
		}()
		_, _ = w.store().Decide(t.Context(), "g1", func(rollout.Session) (rollout.Ruling, error) { panic("oh") })
	}()
	now := w.look()
	if string(now.State) != "first" || now.Policy != *w.settings.Policy || text(now.Counts) != text(rollout.Counts{assigned(1)}) || len(w.pages("trips", 1)) > 0 {
		t.Errorf("after rules that failed: %+v", now)
	}
}

func amendmentsKeepCounts(t *testing.T, w *world) {
	w.take("doc", tried("g1", "a"))
	if err := w.store().Amend(t.Context(), func(now rollout.Session) (rollout.Ruling, error) {
		if len(now.Counts) > 0 {
			t.Errorf("an amendment was shown %+v", now.Counts)
		}
		return takeCounts(now)
	}); err != nil {
		t.Fatal(err)
	}
	w.wantEver(rollout.Counts{assigned(1)})
}

// rulingsAreSerial counts in the state: a ruling that was made from an older state is
// one too few.
func rulingsAreSerial(t *testing.T, w *world) {
	const each = 10
	stores := w.each()
	more := func(now rollout.Session) (rollout.Ruling, error) {
		n, _ := strconv.Atoi(string(now.State)) // 0 at first
		return rollout.Ruling{State: strconv.AppendInt(nil, int64(n)+1, 10), Plan: rollout.All}, nil
	}
	together(t, 9, func(i int) error {
		for range each {
			var err error
			if i < 8 {
				err = stores[i%handles].Amend(t.Context(), more)
			} else {
				err = decide(t.Context(), stores[0], more)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if got := string(w.look().State); got != fmt.Sprint(9*each) {
		t.Errorf("%s of %d rulings are in the state", got, 9*each)
	}
}

// oneDecides has another gateway try while the leader's term runs.
func oneDecides(t *testing.T, w *world) {
	if !w.subject.Shared { // the one gateway leads, by whatever name
		for _, owner := range []string{"g1", "g2"} {
			if led, err := w.store().Decide(t.Context(), owner, takeCounts); err != nil || !led {
				t.Errorf("%s leads: %v, %v", owner, led, err)
			}
		}
		return
	}
	stores := w.each()
	w.take("doc", tried("g1", "a"))
	if err := decide(t.Context(), stores[0], takeCounts); err != nil {
		t.Fatal(err)
	}
	w.take("doc-2", tried("g1", "a"))
	led, err := stores[1].Decide(t.Context(), "g2", func(rollout.Session) (rollout.Ruling, error) {
		t.Error("two decide")
		return rollout.Ruling{}, nil
	})
	if led || err != nil {
		t.Errorf("the other one: %v, %v", led, err)
	}
	w.wantEver(rollout.Counts{assigned(2)})
}

func lowerPlanIsInForce(t *testing.T, w *world) {
	for n, plan := range []rollout.Exposure{500_000, 10_000, 0} {
		stores := w.each()
		ruling := rollout.Ruling{State: []byte("s"), Plan: plan}
		if n == 1 {
			if err := decide(t.Context(), w.store(), rules(ruling)); err != nil {
				t.Fatal(err)
			}
		} else {
			w.amend(ruling)
		}
		for i, s := range stores {
			if err := s.Update(t.Context(), fmt.Sprint(n, "/", i), func(h *rollout.Holding, at rollout.Instant) error {
				if at.Policy.Plan > plan {
					t.Errorf("a change under a plan of %v, after it was lowered to %v", at.Policy.Plan, plan)
				}
				_, err := h.Take(ask("g1", "a"), at)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		if now := w.look(); now.Policy.Plan != plan || now.Policy.Flag != rollout.All {
			t.Errorf("the policy is %+v, with a plan of %v", now.Policy, plan)
		}
		if !w.subject.Shared { // and after opening again
			w.close()
		}
	}
}

func pagesNewestFirst(t *testing.T, w *world) {
	if got := w.pages("trips", 5); len(got) > 0 {
		t.Errorf("pages of an empty store: %q", got)
	}
	var want []string
	for i := range 30 {
		body := fmt.Sprintf(`{"n":%d}`, i)
		ruling := rollout.Ruling{Plan: rollout.All, Pages: []rollout.Page{{Subject: "trips", Body: []byte(body)}, {Subject: "ticks", Body: []byte("{}")}}}
		if i%2 == 0 { // several at once stand in order
			ruling.Pages = append(ruling.Pages, rollout.Page{Subject: "trips", Body: []byte(body + " ")})
			want = append(want, body, body+" ")
		} else {
			want = append(want, body)
		}
		w.amend(ruling)
	}
	slices.Reverse(want)
	for range 2 {
		for _, limit := range []int{0, 1, 7, len(want), 1000} {
			if got := w.pages("trips", limit); !slices.Equal(got, want[:min(limit, len(want))]) {
				t.Errorf("the newest %d pages are %q", limit, got)
			}
		}
		if got := w.pages("ticks", 1000); len(got) != 30 {
			t.Errorf("%d of 30 pages of another subject", len(got))
		}
		w.close()
	}
}
