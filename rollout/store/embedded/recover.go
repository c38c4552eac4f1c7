package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// advice is what an operator can do about damage.
const advice = "restore the directory from a copy; or, to go on without these claims, lower the percentage to 0, move the directory away, and raise it again when Temporal has no open workflows left"

// recovery reads the log into the index.
type recovery struct {
	store *Store
	// clean: the last life ended with Close, so the last segment ends with an
	// end mark too.
	clean bool
	// crashed: the machine stopped, so anything may be missing anywhere.
	crashed bool
	damaged bool
	// repairs are made only when all is read, so that a failure changes nothing.
	repairs []func() error
}

// recover reads the log. It reports whether there was damage, which after the
// machine stopped is repaired; otherwise it is an error.
func (s *Store) recover(clean, crashed bool) (damaged bool, err error) {
	ids, err := segmentIDs(s.config.Dir)
	if err != nil {
		return false, err
	}
	r := &recovery{store: s, clean: clean, crashed: crashed}
	for i, id := range ids {
		if i > 0 && id != ids[i-1]+1 {
			if err := r.damage(segmentPath(s.config.Dir, id-1), 0, "is missing"); err != nil {
				return false, err
			}
		}
		if err := r.segment(id, i == len(ids)-1); err != nil {
			return false, err
		}
	}
	for _, repair := range r.repairs {
		if err := repair(); err != nil {
			return false, err
		}
	}
	if err := os.Remove(filepath.Join(s.config.Dir, unnamed)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	s.forget(time.Now())
	return r.damaged, nil
}

// segmentIDs lists the segments in the directory, in order.
func segmentIDs(dir string) ([]uint32, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var ids []uint32
	for _, entry := range entries {
		name, ours := strings.CutSuffix(entry.Name(), suffix)
		if id, err := strconv.ParseUint(name, 10, 32); ours && err == nil {
			ids = append(ids, uint32(id))
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// segment opens one, which joins the log, and reads it.
func (r *recovery) segment(id uint32, last bool) error {
	j := r.store.journal
	g, err := openSegment(j.dir, id, j.salt)
	if err != nil {
		return err
	}
	j.segments.Store(new(append(slices.Clip(j.list()), g)))
	j.next = id + 1
	return r.read(g, last)
}

// read applies the records of a segment, in order.
func (r *recovery) read(g *segment, last bool) (err error) {
	defer faults(&err)()
	for {
		h, body, sound := g.record(g.used)
		switch {
		case sound && h.end():
			return nil
		case sound:
			if err := r.apply(g, h, body); err != nil {
				return fmt.Errorf("%s at byte %d: %w", g.path, g.used, err)
			}
			g.used += recordSize(len(body))
		default:
			hole, next := g.used, g.after(g.used)
			if next == none {
				return r.tail(g, last)
			}
			if err := r.damage(g.path, hole, "is damaged, and sound claims follow"); err != nil {
				return err
			}
			r.repairs = append(r.repairs, func() error { return g.void(hole, next) })
			g.used = next
		}
	}
}

// after returns where the next sound record begins, or none.
func (g *segment) after(offset int) int {
	for offset += word; offset+word <= len(g.data); offset += word {
		if _, _, sound := g.record(offset); sound {
			return offset
		}
	}
	return none
}

// tail is for what follows the last sound record if it is no end mark. A process
// that dies leaves that in the last segment: zeros, and perhaps a record that it
// had begun.
func (r *recovery) tail(g *segment, last bool) error {
	if !last || r.clean {
		if err := r.damage(g.path, g.used, "ends too early"); err != nil {
			return err
		}
	}
	rest := 0
	for i := g.used; i < len(g.data); i++ {
		if g.data[i] != 0 {
			rest = i + 1 - g.used
		}
	}
	if rest > 0 {
		r.store.config.Log.Warn("a claim that was not stored to the end is dropped", zap.String("file", g.path), zap.Int("at", g.used), zap.Int("bytes", rest))
	}
	r.repairs = append(r.repairs, g.seal)
	return nil
}

// damage is an error unless the machine stopped.
func (r *recovery) damage(path string, offset int, what string) error {
	if !r.crashed {
		return fmt.Errorf("the claims cannot be read: %s %s (at byte %d); %s", path, what, offset, advice)
	}
	r.damaged = true
	r.store.config.Log.Warn("claims were lost when the machine stopped", zap.String("file", path), zap.String("what", what), zap.Int("at", offset))
	return nil
}

// apply makes the index point to the record, or to nothing.
func (r *recovery) apply(g *segment, h header, body []byte) (err error) {
	j := r.store.journal
	if h.books() {
		return j.openPage(h, body)
	}
	g.records.Add(1)
	if h.void() {
		return nil
	}
	body, err = h.holding(body, j.books.Post, j.totals.add)
	var holding *rollout.Holding
	if err == nil {
		holding, err = rollout.ParseHolding(body)
	}
	if err != nil {
		return fmt.Errorf("what stands there is as it was written, and this build of sluice cannot read it: %w", err)
	}
	s := r.store
	shard, tag := s.shard(holding.DocID)
	entry, before, err := s.find(shard, holding.DocID, tag)
	if err != nil {
		return err
	}
	shard.owned = shard.owned[:0]
	if entry != none {
		shard.owned = appendOwners(shard.owned, before)
		s.journal.leave(shard.table.slots[entry].place)
		shard.table.remove(entry)
	}
	for i := range holding.Claims {
		s.onTemporal = s.onTemporal || holding.Claims[i].Path == rollout.Temporal
	}
	if len(holding.Claims) > 0 {
		g.live.Add(1)
		shard.table.add(slot{tag: tag, place: place{g.id, uint32(g.used)}, expires: expiry(holding, s.config.Horizon)})
	}
	shard.own(holding)
	shard.trim()
	return nil
}
