package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/rollout"
)

// NoteStore is a handle on a store of notes and samples.
type NoteStore interface {
	// PutNote replaces the owner's note about the subject, durably.
	PutNote(ctx context.Context, subject, owner string, body []byte) error
	// Notes returns everybody's notes about the subject, by owner. Orphan says that
	// the owner is not self and has no living lease.
	Notes(ctx context.Context, subject, self string) ([]rollout.Note, error)
	// Inherit replaces the owner's note by body and removes the orphan, unless that
	// is not as it was read.
	Inherit(ctx context.Context, subject string, orphan rollout.Note, owner string, body []byte) (bool, error)
	// KeepSample adds a sample, and drops the oldest beyond keep.
	KeepSample(ctx context.Context, subject string, body []byte, keep rollout.Keep) error
	// Samples returns the newest samples, the newest first.
	Samples(ctx context.Context, subject string, limit int) ([][]byte, error)
}

// NoteSubject is one store of notes, empty at first.
type NoteSubject struct {
	// Open returns a handle; a second one sees what was stored by the first.
	Open func(t *testing.T) NoteStore
	// Renew gives an owner a lease, where there are leases.
	Renew func(t *testing.T, owner string, ttl time.Duration)
}

// RunNotes checks a store of notes.
func RunNotes(t *testing.T, fresh func(t *testing.T) NoteSubject) {
	for _, check := range []struct {
		name string
		run  func(t *testing.T, s NoteSubject)
	}{
		{"notes are replaced", notesAreReplaced},
		{"subjects are apart", subjectsAreApart},
		{"an orphan is inherited once", orphanIsInherited},
		{"a living owner is not robbed", livingAreNotRobbed},
		{"the newest samples are kept", newestAreKept},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, fresh(t)) })
	}
}

func put(t *testing.T, s NoteStore, subject, owner, body string) {
	t.Helper()
	if err := s.PutNote(t.Context(), subject, owner, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

// said lists the notes as owner=body, orphans with a dagger.
func said(t *testing.T, s NoteStore, subject, self string) (all []string) {
	t.Helper()
	notes, err := s.Notes(t.Context(), subject, self)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range notes {
		text := n.Owner + "=" + string(n.Body)
		if n.Orphan {
			text += "†"
		}
		all = append(all, text)
	}
	return all
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func notesAreReplaced(t *testing.T, s NoteSubject) {
	a := s.Open(t)
	expect(t, said(t, a, "shadow", "me"))
	put(t, a, "shadow", "me", "one")
	put(t, a, "shadow", "me", "two")
	put(t, a, "shadow", "dead", "three")
	expect(t, said(t, a, "shadow", "me"), "dead=three†", "me=two")
	expect(t, said(t, s.Open(t), "shadow", "me"), "dead=three†", "me=two")
}

func subjectsAreApart(t *testing.T, s NoteSubject) {
	a := s.Open(t)
	put(t, a, "shadow", "me", "one")
	put(t, a, "guard", "me", "two")
	expect(t, said(t, a, "shadow", "me"), "me=one")
	keep(t, a, "shadow", "x", rollout.Keep{Count: 9, Bytes: 99})
	expect(t, samples(t, a, "guard", 9))
}

func orphanIsInherited(t *testing.T, s NoteSubject) {
	a := s.Open(t)
	put(t, a, "shadow", "dead", "1")
	put(t, a, "shadow", "me", "2")
	orphan := rollout.Note{Owner: "dead", Body: []byte("1"), Orphan: true}
	stale := rollout.Note{Owner: "dead", Body: []byte("0"), Orphan: true}
	for _, c := range []struct {
		orphan rollout.Note
		want   bool
	}{{stale, false}, {orphan, true}, {orphan, false}} {
		done, err := a.Inherit(t.Context(), "shadow", c.orphan, "me", []byte("3"))
		if err != nil || done != c.want {
			t.Fatalf("inherited %s: %v, %v, want %v", c.orphan.Body, done, err, c.want)
		}
	}
	expect(t, said(t, a, "shadow", "me"), "me=3")
}

func livingAreNotRobbed(t *testing.T, s NoteSubject) {
	a := s.Open(t)
	put(t, a, "shadow", "other", "1")
	if s.Renew == nil {
		expect(t, said(t, a, "shadow", "me"), "other=1†") // there is one gateway
		return
	}
	s.Renew(t, "other", time.Hour)
	expect(t, said(t, a, "shadow", "me"), "other=1")
	done, err := a.Inherit(t.Context(), "shadow", rollout.Note{Owner: "other", Body: []byte("1")}, "me", []byte("2"))
	if err != nil || done {
		t.Errorf("a living gateway's note was taken: %v, %v", done, err)
	}
	expect(t, said(t, a, "shadow", "me"), "other=1")
}

func keep(t *testing.T, s NoteStore, subject, body string, bounds rollout.Keep) {
	t.Helper()
	if err := s.KeepSample(t.Context(), subject, []byte(body), bounds); err != nil {
		t.Fatal(err)
	}
}

func samples(t *testing.T, s NoteStore, subject string, limit int) (all []string) {
	t.Helper()
	bodies, err := s.Samples(t.Context(), subject, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range bodies {
		all = append(all, string(body))
	}
	return all
}

func newestAreKept(t *testing.T, s NoteSubject) {
	a := s.Open(t)
	bounds := rollout.Keep{Count: 3, Bytes: 10}
	for i := range 5 {
		keep(t, a, "shadow", fmt.Sprint("s", i), bounds)
	}
	expect(t, samples(t, a, "shadow", 9), "s4", "s3", "s2")
	expect(t, samples(t, a, "shadow", 1), "s4")
	keep(t, a, "shadow", "12345678", bounds)
	b := s.Open(t)
	expect(t, samples(t, b, "shadow", 9), "12345678", "s4")
	keep(t, b, "shadow", "new", bounds)
	expect(t, samples(t, b, "shadow", 9), "new")
	keep(t, b, "shadow", "12345678901", bounds) // too large alone
	expect(t, samples(t, b, "shadow", 9))
}
