package rollout

import "encoding/binary"

// Postings appends what one change of a document's holding is for the books:
// before and after are its claims. What is forgotten after it was settled is
// nothing to the books. An open claim that vanishes without having been settled
// is not posted either: the books show it as residue.
func Postings(to []Posting, before, after []Claim) []Posting {
	next := 0 // claims keep their order, but for one that is moved to the end
	for i := range after {
		c := &after[i]
		at := indexFrom(before, c.Intent, next)
		taken := at < 0
		if !taken {
			was := &before[at]
			// A request that went out while the store was away is on record only
			// when it has ended: its claim goes from one end to another.
			taken = was.Life != c.Life || !was.Open() && (c.Open() || was.State != c.State)
			next = at + 1
			if was.Open() && was.Life != c.Life { // nothing of it is anywhere; the next one has begun
				to = append(to, Posting{Route: was.Route, Path: was.Path, State: ClaimVoid})
			}
			if !taken && was.State == c.State {
				continue
			}
		}
		if taken {
			to = append(to, Posting{Route: c.Route})
		}
		if !c.Open() {
			to = append(to, Posting{Route: c.Route, Path: c.Path, State: c.State})
		}
	}
	return to
}

// indexFrom finds the intent's claim, beginning the search at next.
func indexFrom(claims []Claim, intent Intent, next int) int {
	for i := next; i < len(claims); i++ {
		if claims[i].Intent == intent {
			return i
		}
	}
	for i := range min(next, len(claims)) {
		if claims[i].Intent == intent {
			return i
		}
	}
	return -1
}

// AppendPostings appends the postings' encoding, which other bytes can follow.
func AppendPostings(b []byte, postings []Posting) []byte {
	b = binary.AppendUvarint(b, uint64(len(postings)))
	for i := range postings {
		b = append(b, byte(postings[i].Path)|byte(postings[i].State)<<1)
		b = appendText(b, postings[i].Route)
	}
	return b
}

// ParsePostings reads what AppendPostings wrote and shows each to visit, unless
// that is nil. It returns what follows, and fails with ErrEncoding.
func ParsePostings(b []byte, visit func(Posting)) (rest []byte, err error) {
	p := parser{rest: b}
	for n := p.count(); n > 0 && !p.bad; n-- {
		flags, route := p.byte(), p.take(p.number())
		if int(stateOf(flags)) >= len(claimStates) {
			p.bad = true
		}
		if visit != nil && !p.bad {
			visit(Posting{Route: string(route), Path: Path(flags & 1), State: stateOf(flags)})
		}
	}
	if p.bad {
		return nil, ErrEncoding
	}
	return p.rest, nil
}
