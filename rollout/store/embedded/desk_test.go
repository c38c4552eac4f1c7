package embedded_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/embedded"
)

// kept is the bodies of the newest pages.
func kept(t *testing.T, s *embedded.Store, subject string, limit int) (bodies []string) {
	t.Helper()
	pages, err := s.Pages(t.Context(), subject, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		bodies = append(bodies, string(p.Body))
	}
	return bodies
}

func rule(t *testing.T, s *embedded.Store, r rollout.Ruling) {
	t.Helper()
	if err := s.Amend(t.Context(), func(rollout.Session) (rollout.Ruling, error) { return r, nil }); err != nil {
		t.Fatal(err)
	}
}

func page(subject, body string) rollout.Ruling {
	return rollout.Ruling{Plan: rollout.All, Pages: []rollout.Page{{Subject: subject, Body: []byte(body)}}}
}

// Every page that a process can have begun when it died: what is whole stays, and
// the next one stands behind it.
func TestPageCutAtEveryByte(t *testing.T) {
	t.Parallel()
	c := gateway(filepath.Join(scratch(t), "live"))
	s := open(t, c)
	rule(t, s, page("trips", `{"n":1}`))
	rule(t, s, page("trips", "two\nlines"))
	path := filepath.Join(c.Dir, "desk", "trips.jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range len(whole) + 1 {
		if err := os.WriteFile(path, whole[:at], 0o600); err != nil {
			t.Fatal(err)
		}
		rule(t, s, page("trips", "three"))
		want := []string{"three", "two\nlines", `{"n":1}`}
		switch {
		case at == len(whole):
		case at >= len(`{"n":1}`)+1:
			want = []string{"three", `{"n":1}`}
		default:
			want = want[:1]
		}
		if got := kept(t, s, "trips", 5); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("cut at byte %d: %q, want %q", at, got, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Pages longer than what is read at once, and those that look like others.
func TestOddPages(t *testing.T) {
	t.Parallel()
	s := open(t, gateway(filepath.Join(scratch(t), "live")))
	long := make([]byte, 200<<10)
	for i := range long {
		long[i] = byte(i)
	}
	bodies := []string{"", "{}", string(long), `{"base64":"AAAA"}`, "not JSON", `"` + string(make([]byte, 100)) + `"`, "{}\r", " {} "}
	for _, body := range bodies {
		rule(t, s, page("odd-ones", body))
	}
	got := kept(t, s, "odd-ones", 100)
	for i, body := range bodies {
		if len(got) != len(bodies) || got[len(got)-1-i] != body {
			t.Errorf("%d pages; %.20q is not one of them", len(got), body)
		}
	}
	for _, subject := range []string{"", "Trips", "../state", "a.b", "a1", "a/b", "é"} {
		err := s.Amend(t.Context(), func(rollout.Session) (rollout.Ruling, error) { return page(subject, "{}"), nil })
		if _, read := s.Pages(t.Context(), subject, 1); err == nil || read == nil {
			t.Errorf("a page about %q: %v, %v", subject, err, read)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Ticks are bounded: the last file and the one before it.
func TestTicksAreForgotten(t *testing.T) {
	t.Parallel()
	c := gateway(filepath.Join(scratch(t), "live"))
	s := open(t, c)
	const written, each = 130_000, 1000
	ruling := rollout.Ruling{Plan: rollout.All}
	for n := 0; n < written; n++ {
		ruling.Pages = append(ruling.Pages, rollout.Page{Subject: "ticks", Body: fmt.Appendf(nil, "%d", n)})
		if len(ruling.Pages) == each {
			rule(t, s, ruling)
			ruling.Pages = nil
		}
		if n == written/2 { // the count is not the process's
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, c)
		}
	}
	got := kept(t, s, "ticks", written)
	if len(got) < 50_000 || len(got) > 100_000 {
		t.Errorf("%d ticks are kept", len(got))
	}
	for i, body := range got {
		if body != fmt.Sprint(written-1-i) {
			t.Fatalf("%s is tick %d from the end", body, i)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A ruling that lowers the plan returns only after the changes that were told the
// plan of before.
func TestLowerPlanWaitsForChangesUnderWay(t *testing.T) {
	t.Parallel()
	s := open(t, gateway(filepath.Join(scratch(t), "live")))
	told, proceed, ruled, changed := make(chan rollout.Exposure, 1), make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		changed <- s.Update(t.Context(), "doc", func(h *rollout.Holding, at rollout.Instant) error {
			told <- at.Policy.Plan
			<-proceed
			return take(wish("doc"))(h, at)
		})
	}()
	if plan := <-told; plan != rollout.All {
		t.Errorf("at first the plan is %v", plan)
	}
	go func() {
		defer close(ruled)
		rule(t, s, rollout.Ruling{Plan: rollout.None})
	}()
	select {
	case <-ruled:
		t.Error("the plan was lowered while a change above it was under way")
	case <-time.After(50 * time.Millisecond):
	}
	close(proceed)
	<-ruled
	if err := <-changed; err != nil {
		t.Error(err)
	}
	if err := s.Update(t.Context(), "doc-2", func(_ *rollout.Holding, at rollout.Instant) error {
		if at.Policy.Plan != rollout.None || at.Policy.Exposure() != rollout.None {
			t.Errorf("after the ruling: %+v", at.Policy)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Look(t.Context()); err != embedded.ErrClosed {
		t.Errorf("Look at a closed store: %v", err)
	}
	if _, err := s.Decide(t.Context(), "", nil); err != embedded.ErrClosed {
		t.Errorf("Decide of a closed store: %v", err)
	}
}

// What waits for a disk that fails is never taken, and counts for nothing after.
func TestCountsOfADiskThatFails(t *testing.T) {
	t.Parallel()
	c := gateway(filepath.Join(scratch(t), "live"))
	c.Sync, c.SegmentBytes = true, 64<<10
	s := open(t, c)
	if err := s.Update(t.Context(), "a", take(wish("a"))); err != nil {
		t.Fatal(err)
	}
	embedded.SlowSync(s, func() {
		if got := ever(t, s).assigned; got != 1 {
			t.Errorf("%d events are counted while the second waits for the disk", got)
		}
	})
	if err := s.Update(t.Context(), "a2", take(wish("a2"))); err != nil {
		t.Fatal(err)
	}
	embedded.BreakSync(s, fmt.Errorf("no disk"))
	if err := s.Update(t.Context(), "b", take(wish("b"))); err == nil {
		t.Fatal("stored without a disk")
	}
	if got := ever(t, s).assigned; got != 2 {
		t.Errorf("%d events are counted, two are stored", got)
	}
	embedded.BreakSync(s, nil)
	for want := range uint64(3) {
		if got := ever(t, s).assigned; got != 2+want {
			t.Errorf("%d events are counted, want %d", got, 2+want)
		}
		id := fmt.Sprint("c", want)
		if err := s.Update(t.Context(), id, take(wish(id))); err != nil {
			t.Fatal(err)
		}
		decide(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, c)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
