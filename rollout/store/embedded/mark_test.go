package embedded_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/embedded"
)

// marking is a store that keeps a mark, under a policy of 80 %.
func marking(t *testing.T, c embedded.Config) *embedded.Store {
	t.Helper()
	c.Marked, c.Horizon = true, time.Hour
	if c.Migration == "" {
		c.Migration = "salt"
	}
	policy := &rollout.Policy{Epoch: 1, Flag: 800_000, Plan: rollout.All, Brake: rollout.All}
	c.Policy = func() *rollout.Policy { return policy }
	return open(t, c)
}

// goes returns where a new document goes.
func goes(t *testing.T, s *embedded.Store, docID string, bucket rollout.Bucket) rollout.Path {
	t.Helper()
	var grant rollout.Grant
	if err := s.Update(t.Context(), docID, func(h *rollout.Holding, at rollout.Instant) (err error) {
		grant, err = h.Take(rollout.Ask{Intent: "d1", Owner: "a", Bucket: bucket, Temporal: true}, at)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return grant.Path
}

// No exposure above the mark is in force, whatever the policy says, and a mark is on
// the disk before it counts.
func TestNothingIsAboveTheMark(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := marking(t, embedded.Config{Dir: dir})
	if s.Mark() != rollout.None || goes(t, s, "a", 0) != rollout.Legacy {
		t.Errorf("a new directory has a mark of %v", s.Mark())
	}
	if err := s.Raise(500_000); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "state"))
	if err != nil || !strings.Contains(string(text), `"mark":{"migration":"salt","exposure":500000}`) {
		t.Errorf("%s, %v", text, err)
	}
	if goes(t, s, "b", 499_999) != rollout.Temporal || goes(t, s, "c", 500_000) != rollout.Legacy {
		t.Error("the mark is not what is in force")
	}
	if err := s.Raise(100_000); err != nil || s.Mark() != 500_000 {
		t.Errorf("it fell to %v, %v", s.Mark(), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s = marking(t, embedded.Config{Dir: dir}); s.Mark() != 500_000 {
		t.Errorf("the next process has a mark of %v", s.Mark())
	}
	s.Close()
}

// Where nobody kept a mark, or it is of other buckets, it is known only if nothing is
// or was on Temporal.
func TestAMarkThatNobodyKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		temporal bool
		between  embedded.Config
		want     rollout.Exposure
	}{
		"another salt, all on legacy":       {false, embedded.Config{Migration: "other"}, rollout.None},
		"another salt, one on Temporal":     {true, embedded.Config{Migration: "other"}, rollout.All},
		"the same salt, one on Temporal":    {true, embedded.Config{Migration: "salt"}, 500_000},
		"the same salt, nothing in between": {false, embedded.Config{Migration: "salt"}, 500_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := marking(t, embedded.Config{Dir: dir})
			if err := s.Raise(500_000); err != nil {
				t.Fatal(err)
			}
			bucket := rollout.Bucket(900_000)
			if c.temporal {
				bucket = 1
			}
			goes(t, s, "doc", bucket)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			c.between.Dir = dir
			s = marking(t, c.between)
			defer s.Close()
			if s.Mark() != c.want {
				t.Errorf("mark %v, want %v", s.Mark(), c.want)
			}
		})
	}
}

// A time in which nobody kept the mark makes it unknown.
func TestAMarkIsForgottenWhereNobodyKeepsIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := marking(t, embedded.Config{Dir: dir})
	if err := s.Raise(10); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = open(t, gateway(dir))
	if s.Mark() != rollout.All {
		t.Errorf("mark %v", s.Mark())
	}
	goes(t, s, "doc", 1)
	s.Close()
	if s = marking(t, embedded.Config{Dir: dir}); s.Mark() != rollout.All {
		t.Errorf("mark %v, and one document is on Temporal", s.Mark())
	}
	s.Close()
}

// What fails because of the disk says so.
func TestAFullDiskIsAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	s := marking(t, embedded.Config{Dir: t.TempDir()})
	defer s.Close()
	for _, fault := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EIO} {
		embedded.Refuse(s, fault)
		err := s.Update(t.Context(), "doc", take(wish("doc")))
		if !errors.Is(err, rollout.ErrStoreAway) || !errors.Is(err, fault) || errors.Is(err, rollout.ErrOutcomeUnknown) {
			t.Errorf("%v: got %v", fault, err)
		}
	}
	own := errors.New("the change's own")
	if err := s.Update(t.Context(), "doc", func(*rollout.Holding, rollout.Instant) error { return own }); err != own {
		t.Errorf("got %v", err)
	}
}
