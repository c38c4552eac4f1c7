package embedded

import (
	"slices"

	"sluice/rollout"
)

// draft is a record that is to be stored.
type draft struct {
	body []byte
	live bool // it counts as pointed to, until leave
	// What it is for the books, and counts; both are in the body too.
	postings []rollout.Posting
	counts   []rollout.Count
}

// mark is what the record's header says of it.
func (d *draft) mark() header {
	if len(d.counts) > 0 {
		return countMark
	}
	return 0
}

// store appends a record, and enters it into the books and the totals. With sync it
// waits until the disk has it; if that fails, the record is void.
func (j *journal) store(d draft) (place, error) {
	j.mu.Lock()
	p, err := j.append(d.body, d.mark(), d.live)
	if err == nil {
		j.enter(d)
	}
	if err != nil || !j.sync {
		j.mu.Unlock()
		return p, err
	}
	b, leads := j.join()
	j.mu.Unlock()
	err = j.flushed(b, leads)
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range d.counts {
		j.pending.strike(c)
	}
	if err != nil {
		j.revoke(p, d)
		return place{}, err
	}
	return p, nil
}

// enter needs mu.
func (j *journal) enter(d draft) {
	for _, p := range d.postings {
		j.books.Post(p)
	}
	for _, c := range d.counts {
		j.totals.add(c)
		if j.sync {
			j.pending.add(c)
		}
	}
}

// counted returns the totals of all that is stored for good.
func (j *journal) counted() totals {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := totals{counts: slices.Clone(j.totals.counts), epochs: j.totals.epochs}
	for _, c := range j.pending.counts {
		now.strike(c)
	}
	return now
}

// move appends a holding that there is already, so nobody waits for the disk.
func (j *journal) move(holding []byte) (place, error) {
	body := append(rollout.AppendPostings(nil, nil), holding...)
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.append(body, 0, true)
}

// revoke makes a record void, if its segment is still there. The log may have gone
// on in a segment whose books begin with it: there they stand anew. It needs mu.
func (j *journal) revoke(p place, d draft) {
	for _, posting := range d.postings {
		j.books.Strike(posting)
	}
	for _, c := range d.counts {
		j.totals.strike(c)
	}
	if j.makePage(); j.head != nil && j.head.fits(len(j.page)) {
		_, _ = j.head.append(j.page, bookMark|countMark) // or the books of a disk that fails are wrong
	}
	g := j.segment(p.segment)
	if g == nil {
		return
	}
	_ = g.void(int(p.offset), int(p.offset)+word+len(d.body)) // a page that cannot be written cannot be read either
	if d.live {
		g.live.Add(-1)
	}
}
