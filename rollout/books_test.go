package rollout_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"sluice/rollout"
)

// bookkeeper makes random changes of one document's holding and keeps the books.
type bookkeeper struct {
	rng   *rand.Rand
	now   time.Time
	h     rollout.Holding
	books rollout.Books
	// posted, if set, picks the postings that are entered.
	posted func(rollout.Posting) bool
}

// change is one change, whole or refused.
func (k *bookkeeper) change() {
	k.now = k.now.Add(time.Duration(k.rng.IntN(300)) * time.Millisecond)
	before := slices.Clone(k.h.Claims)
	parsed, _ := rollout.ParseHolding(rollout.AppendHolding(nil, &k.h))
	if k.operate(parsed) != nil {
		return
	}
	k.h = *parsed
	for _, p := range rollout.Postings(nil, before, k.h.Claims) {
		if k.posted == nil || k.posted(p) {
			k.books.Post(p)
		}
	}
}

func (k *bookkeeper) operate(h *rollout.Holding) error {
	owner := fmt.Sprint("g", k.rng.IntN(2))
	intent := rollout.Intent(fmt.Sprint("k", k.rng.IntN(6)))
	at := rollout.Instant{Now: k.now, Policy: rollout.Reading{Rollout: rollout.All}.Policy(1), Horizon: 2 * time.Second}
	var life uint64
	if c := h.Find(intent); c != nil {
		life = c.Life
	}
	states := rollout.ClaimStates()
	switch k.rng.IntN(16) {
	case 0, 1, 2, 3:
		route := []string{"a", "b"}[k.rng.IntN(2)]
		_, err := h.Take(rollout.Ask{Intent: intent, Route: route, Temporal: k.rng.IntN(2) > 0, Owner: owner,
			Once: k.rng.IntN(3) == 0, Limit: time.Second}, at)
		return err
	case 4:
		return h.Attempted(intent, life, rollout.Verdict(k.rng.IntN(3)))
	case 5:
		return h.Sent(intent, owner, k.rng.IntN(2) > 0, at)
	case 6:
		return h.Move(intent, life, owner, at)
	case 7:
		return h.Ended(intent, life, states[1+k.rng.IntN(3)], at)
	case 8:
		return h.Void(intent, life, at)
	case 9:
		h.Adopt(owner, "g0", 0, at)
	case 10:
		return h.Force(intent, life, states[k.rng.IntN(len(states))], at)
	case 11:
		return h.Declined(intent, owner, at)
	case 12:
		_, err := h.Delay(intent, life, owner, func(string) time.Duration { return time.Second }, at)
		return err
	case 13, 14:
		e := rollout.Errand{Intent: intent, Route: "a", Owner: owner, Began: k.now.Add(-time.Second), Answered: k.rng.IntN(2) > 0}
		if k.rng.IntN(4) > 0 {
			e.Ended = k.now.Add(-time.Duration(k.rng.IntN(1000)) * time.Millisecond)
		}
		return h.Record(e, k.now, at)
	default:
		h.Correct(intent, owner, 0, at)
	}
	return nil
}

// unbalanced returns an account with a residue.
func (k *bookkeeper) unbalanced() *rollout.Account {
	counted := slices.Clone(k.books)
	if err := counted.CountOpen(rollout.AppendHolding(nil, &k.h)); err != nil {
		panic(err)
	}
	for i := range counted {
		if counted[i].Balance().Residue != 0 {
			return &counted[i]
		}
	}
	return nil
}

func keep(seed uint64) *bookkeeper {
	return &bookkeeper{rng: rand.New(rand.NewPCG(seed, 3)), now: time.UnixMilli(1_000_000), h: rollout.Holding{DocID: "doc"}}
}

// Whatever happens to claims, what was accepted is somewhere.
func TestBooksBalanceAfterEveryChange(t *testing.T) {
	for seed := range uint64(60) {
		k := keep(seed)
		for i := range 300 {
			k.change()
			if a := k.unbalanced(); a != nil {
				t.Fatalf("seed %d, change %d: %+v is %+v", seed, i, *a, a.Balance())
			}
		}
	}
}

// The books would show an end or a beginning that was not posted, of any kind,
// and a claim that vanished.
func TestBooksShowWhatIsMissing(t *testing.T) {
	for _, path := range rollout.Paths() {
		for _, state := range rollout.ClaimStates() {
			if path == rollout.Temporal && state == rollout.ClaimOpen {
				continue // openings are counted without a path
			}
			found := false
			for seed := uint64(0); seed < 50 && !found; seed++ {
				k := keep(seed)
				k.posted = func(p rollout.Posting) bool { return p.Path != path || p.State != state }
				for i := 0; i < 300 && !found; i++ {
					k.change()
					found = k.unbalanced() != nil
				}
			}
			if !found {
				t.Errorf("%v, %v: nobody would notice", path, state)
			}
		}
	}
	k := keep(1)
	for len(k.h.Claims) == 0 || k.h.Expires(0) != 0 { // until something is open
		k.change()
	}
	before := k.h.Claims
	k.h.Claims = nil
	for _, p := range rollout.Postings(nil, before, nil) {
		k.books.Post(p)
	}
	if a := k.unbalanced(); a == nil || a.Balance().Residue < 1 {
		t.Errorf("open claims vanished, and the books are %+v", k.books)
	}
}

// The order of many claims changes when one of them opens again.
func TestPostingsOfManyClaims(t *testing.T) {
	var before []rollout.Claim
	for i := range 1000 {
		before = append(before, rollout.Claim{Intent: rollout.Intent(fmt.Sprint(i)), Route: "r", Life: uint64(i), State: rollout.ClaimDone})
	}
	again := before[500]
	again.State = rollout.ClaimOpen
	after := append(append(slices.Clone(before[10:500]), before[501:]...), again, rollout.Claim{Intent: "new", Route: "s"})
	want := []rollout.Posting{{Route: "r"}, {Route: "s"}}
	if got := rollout.Postings(nil, before, after); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestBooksEncoding(t *testing.T) {
	k := keep(7)
	for range 500 {
		k.change()
	}
	encoded := rollout.AppendBooks(nil, k.books)
	parsed, err := rollout.ParseBooks(encoded)
	if err != nil || !reflect.DeepEqual(parsed, k.books) {
		t.Fatalf("%+v, %v, want %+v", parsed, err, k.books)
	}
	for i := range encoded {
		if _, err := rollout.ParseBooks(encoded[:i]); err == nil {
			t.Errorf("the first %d bytes of %d are books", i, len(encoded))
		}
	}
	parsed.Add(parsed)
	if got, want := parsed[0].Tally[0][0], 2*k.books[0].Tally[0][0]; got != want {
		t.Errorf("added to itself: %d, want %d", got, want)
	}
}

func BenchmarkPostings(b *testing.B) {
	before := []rollout.Claim{{Intent: "kffffffffffffffffffffffffffffffff", Route: "documents"}}
	after := slices.Clone(before)
	after[0].State = rollout.ClaimDone
	var books rollout.Books
	var to []rollout.Posting
	for b.Loop() {
		to = rollout.Postings(to[:0], before, after)
		for _, p := range to {
			books.Post(p)
		}
	}
}

func BenchmarkCountOpen(b *testing.B) {
	h := rollout.Holding{DocID: "doc-123456", Claims: []rollout.Claim{{Intent: "kffffffffffffffffffffffffffffffff", Route: "documents", Owner: "gateway-01234567"}}}
	record := rollout.AppendHolding(nil, &h)
	var books rollout.Books
	for b.Loop() {
		if err := books.CountOpen(record); err != nil {
			b.Fatal(err)
		}
	}
}
