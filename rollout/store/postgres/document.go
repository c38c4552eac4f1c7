package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"sluice/rollout"
)

// document is the tickets of one document in a batch, in the order they came.
// Owned by its lane.
type document struct {
	id      string
	key     key
	tickets []*ticket
	results []error // of the last run, one for each ticket

	stored *row              // as read, nil if there is nothing
	next   row               // what the last run made of it; next.record is nil for nothing
	posts  []rollout.Posting // what that is for the books
	counts []rollout.Count   // what it counts

	// limbo: a transaction that was to store next got no answer.
	limbo bool
}

// row is one document as it is stored.
type row struct {
	record  []byte
	stamp   int64
	owners  []string
	expires int64
}

// expired reports whether the row is as good as gone: keepForgetting is late.
func (r *row) expired(now time.Time) bool { return r.expires > 0 && r.expires <= now.UnixMilli() }

// found takes what is stored now, and reports whether the changes are to be run.
// If a transaction is in limbo, the stamp tells: its own, it has committed; the one
// it was to replace, it has not, and will not once this run's change has replaced
// it; any other, nobody knows.
func (d *document) found(now *row) bool {
	before := d.stored
	d.stored = now
	switch {
	case !d.limbo || same(now, before):
		return true
	case now == nil || now.stamp != d.next.stamp:
		d.fail(ErrUnknown)
	}
	return false // the results are those of the run that committed
}

func same(a, b *row) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.stamp == b.stamp
}

// run calls the changes, each with what the one before made of the holding. It
// reports whether there is anything to write.
func (d *document) run(at rollout.Instant) bool {
	base := rollout.AppendHolding(nil, &rollout.Holding{DocID: d.id})
	if d.stored != nil && !d.stored.expired(at.Now) {
		base = d.stored.record
	}
	now := base
	d.posts, d.counts = d.posts[:0], d.counts[:0]
	for i, t := range d.tickets {
		now, d.results[i] = d.apply(t, now, at)
	}
	written := !bytes.Equal(now, base)
	if d.limbo && !written {
		d.fail(ErrUnknown) // nothing will fence the transaction in limbo
		return false
	}
	d.next = row{stamp: rand.Int64()}
	h, err := d.parse(now)
	if err != nil { // then no change was called
		return false
	}
	if len(h.Claims) > 0 {
		d.next.record, d.next.owners, d.next.expires = now, owners(h), h.Expires(at.Horizon)
	}
	return written
}

// apply returns what the ticket's change makes of the encoded holding: the same
// if it fails.
func (d *document) apply(t *ticket, before []byte, at rollout.Instant) ([]byte, error) {
	h, err := d.parse(before)
	if err != nil {
		return before, err
	}
	version, was := h.Version, slices.Clone(h.Claims)
	if called, err := t.run(h, at); !called || err != nil {
		return before, err
	}
	h.DocID, h.Version = d.id, version
	if bytes.Equal(rollout.AppendHolding(nil, h), before) {
		return before, nil
	}
	for _, owner := range owners(h) {
		if !text(owner) {
			return before, fmt.Errorf("the owner %q is not UTF-8 without NUL: the database cannot keep it", owner)
		}
	}
	d.posts = rollout.Postings(d.posts, was, h.Claims)
	d.counts = append(d.counts, h.Counts...)
	if len(h.Claims) == 0 {
		return rollout.AppendHolding(nil, &rollout.Holding{DocID: d.id}), nil
	}
	h.Version++
	return rollout.AppendHolding(nil, h), nil
}

func (d *document) parse(record []byte) (*rollout.Holding, error) {
	h, err := rollout.ParseHolding(record)
	if err == nil && h.DocID != d.id {
		err = fmt.Errorf("%w of this document", rollout.ErrEncoding)
	}
	if err != nil {
		return nil, fmt.Errorf("the record of document %q in sluice_claims: %w", d.id, err)
	}
	return h, nil
}

// owners are those who are to settle the holding's open claims, sorted.
func owners(h *rollout.Holding) []string {
	found := []string{}
	for i := range h.Claims {
		c := &h.Claims[i]
		if !c.Open() {
			continue
		}
		found = append(found, c.Owner)
		for _, s := range c.Sends {
			found = append(found, s.Owner)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// fail makes err every ticket's result.
func (d *document) fail(err error) {
	if d.limbo && !errors.Is(err, ErrUnknown) {
		err = fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	for i := range d.results {
		d.results[i] = err
	}
}

// finish answers the tickets with their results.
func (d *document) finish() {
	for i, t := range d.tickets {
		t.answer(d.results[i])
	}
}
