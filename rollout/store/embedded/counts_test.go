package embedded_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/embedded"
)

// summed is all that a session knows: its state is what was taken before.
func summed(now rollout.Session) (rollout.Counts, error) {
	var all rollout.Counts
	if now.State != nil {
		if rest, err := rollout.ParseCounts(now.State, all.Add); err != nil || len(rest) > 0 {
			return nil, fmt.Errorf("the state is %x: %w", now.State, err)
		}
	}
	for _, c := range now.Counts {
		all.Add(c)
	}
	return all, nil
}

// decided takes what was counted, and keeps the sum as the state.
func decided(ctx context.Context, s *embedded.Store) error {
	_, err := s.Decide(ctx, "gateway-1", func(now rollout.Session) (rollout.Ruling, error) {
		all, err := summed(now)
		page := rollout.Page{Subject: "ticks", Body: fmt.Appendf(nil, "%d", len(now.Counts))}
		return rollout.Ruling{State: rollout.AppendCounts(nil, all), Plan: rollout.All, Pages: []rollout.Page{page}}, err
	})
	return err
}

func decide(t *testing.T, s *embedded.Store) {
	t.Helper()
	if err := decided(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// counted returns what was ever counted: what was taken, and what was not yet.
func counted(t *testing.T, s *embedded.Store) rollout.Counts {
	t.Helper()
	now, err := s.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := summed(now)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func everCounted(t *testing.T, s *embedded.Store) string {
	t.Helper()
	all := counted(t, s)
	slices.SortFunc(all, func(a, b rollout.Count) int {
		return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.What(), b.What()))
	})
	return fmt.Sprint(all)
}

// tally is the number of two events.
type tally struct{ assigned, good uint64 }

func ever(t *testing.T, s *embedded.Store) (sum tally) {
	t.Helper()
	for _, c := range counted(t, s) {
		switch c.Event {
		case rollout.EventAssigned:
			sum.assigned += c.Times
		case rollout.EventGood:
			sum.good += c.Times
		}
	}
	return sum
}

// counting makes a change count one good event besides.
func counting(change func(*rollout.Holding, rollout.Instant) error) func(*rollout.Holding, rollout.Instant) error {
	return func(h *rollout.Holding, at rollout.Instant) error {
		h.Counts = append(h.Counts, rollout.Count{Epoch: at.Policy.Epoch, Event: rollout.EventGood, Times: 1})
		return change(h, at)
	}
}

// A directory of a build that did not count opens, and counts from now on.
func TestDirectoryOfABuildThatDidNotCount(t *testing.T) {
	t.Parallel()
	c := small(filepath.Join(scratch(t), "previous"))
	readDir(t, filepath.Join("testdata", "previous")).write(t, c.Dir)
	for round := range uint64(4) {
		s := open(t, c)
		embedded.StopSweeper(s) // the first segments stay
		if counts := ever(t, s); counts.assigned != round {
			t.Errorf("round %d: %+v", round, counts)
		}
		want := fmt.Sprintf("[{documents [[%d 0 0 0 0 0] [0 0 0 0 0 0]] %d}]", 6+round, 4+round)
		if books := booksOf(t, s); books != want {
			t.Errorf("round %d: the books are %s, want %s", round, books, want)
		}
		id := fmt.Sprint("new-", round)
		if err := s.Update(t.Context(), id, take(wish(id))); err != nil {
			t.Fatal(err)
		}
		if round%2 == 1 {
			decide(t, s)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The totals outlive a log of which nothing is left.
func TestCountsOutliveTheLog(t *testing.T) {
	t.Parallel()
	c := gateway(filepath.Join(scratch(t), "live"))
	c.Horizon = 50 * time.Millisecond // which is also how often the sweeper looks
	for round := range uint64(3) {
		s := open(t, c)
		if got := ever(t, s).assigned; got != round {
			t.Errorf("round %d: %d were counted", round, got)
		}
		if err := s.Update(t.Context(), "doc", take(wish("doc"))); err != nil {
			t.Fatal(err)
		}
		if err := s.Update(t.Context(), "doc", func(h *rollout.Holding, _ rollout.Instant) error { h.Claims = nil; return nil }); err != nil {
			t.Fatal(err)
		}
		for limit := time.Now().Add(20 * time.Second); embedded.LogBytes(s) > 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatal("the log is not emptied")
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The sweeper takes all segments away in turn: the totals outlive them.
func TestCountsOutliveTheirRecords(t *testing.T) {
	t.Parallel()
	c := small(filepath.Join(scratch(t), "live"))
	const documents = 400
	for round := range uint64(3) {
		s := open(t, c)
		for i := range documents {
			id := fmt.Sprint(round, "/", i)
			if err := s.Update(t.Context(), id, counting(take(wish(id)))); err != nil {
				t.Fatal(err)
			}
			if err := s.Update(t.Context(), id, func(h *rollout.Holding, _ rollout.Instant) error { h.Claims = nil; return nil }); err != nil {
				t.Fatal(err)
			}
			if i == 100 {
				decide(t, s)
			}
		}
		if counts, want := ever(t, s), (round+1)*documents; counts.good != want || counts.assigned != want {
			t.Fatalf("round %d: %+v, want %d", round, counts, want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Totals of old epochs are dropped, so that a flag that changes for years costs no
// memory; those that were not dropped stay exact.
func TestOldEpochsAreDropped(t *testing.T) {
	t.Parallel()
	c := small(filepath.Join(scratch(t), "live"))
	c.SegmentBytes = 1 << 20
	s := open(t, c)
	const epochs = 600
	for i := range uint64(epochs) {
		if err := s.Update(t.Context(), "doc", func(h *rollout.Holding, at rollout.Instant) error {
			h.Counts = append(h.Counts, rollout.Count{Epoch: i, Times: i})
			return take(wish("doc"))(h, at)
		}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		kept := map[uint64]uint64{}
		for _, n := range counted(t, s) {
			if n.Exposure == 0 {
				kept[n.Epoch] = n.Times
			}
		}
		for epoch := range uint64(epochs) {
			times, found := kept[epoch]
			if want := epoch >= epochs-512; found != want || times != epoch && found {
				t.Fatalf("epoch %d is counted %d times (%v)", epoch, times, found)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, c)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// What a loss of power took with it does not come back as a difference, and what is
// counted after it is one at once.
func TestCountsAfterALossOfPower(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	live := small(filepath.Join(dir, "live"))
	s := open(t, live)
	var before files
	for i := range 20 {
		if i == 10 {
			embedded.Still(s, func() { before = readDir(t, live.Dir) })
		}
		id := fmt.Sprint(i)
		if err := s.Update(t.Context(), id, take(wish(id))); err != nil {
			t.Fatal(err)
		}
	}
	decide(t, s)
	desk := readDir(t, live.Dir)["desk/state"]
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before.with("desk/state", desk).otherBoot(t).write(t, live.Dir)
	s = open(t, live)
	for want := range uint64(3) {
		if got := ever(t, s).assigned; got != 20+want {
			t.Errorf("%d were counted after a loss of power, want %d", got, 20+want)
		}
		id := fmt.Sprint("new ", want)
		if err := s.Update(t.Context(), id, take(wish(id))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A desk whose state cannot be read is an error that says what to do.
func TestDamagedDesk(t *testing.T) {
	t.Parallel()
	c := small(filepath.Join(scratch(t), "live"))
	s := open(t, c)
	decide(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.Dir, "desk", "state")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(whole, &fields); err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{"", string(whole[:len(whole)/2]), "{}", strings.Replace(string(whole), `"plan":1000000`, `"plan":1000001`, 1), strings.Replace(string(whole), `"taken":"`, `"taken":"AAAA`, 1)} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := embedded.Open(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move the file away") {
			t.Errorf("%q: %v", damaged, err)
		}
	}
}
