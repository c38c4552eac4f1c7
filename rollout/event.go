package rollout

import (
	"encoding/binary"
	"time"
)

// Event is what became of a document, as guardrails count it.
type Event uint8

// The closed set of events.
const (
	// EventAssigned: the hash gave it to an arm.
	EventAssigned Event = iota
	// EventGood, EventBad and EventInvalid (4xx) are its first final outcome.
	EventGood
	EventBad
	EventInvalid
	// EventTimed: it was held against the thresholds in force; EventSlow50,
	// EventSlow90 and EventSlow99: it was slower than that one.
	EventTimed
	EventSlow50
	EventSlow90
	EventSlow99
	// EventDeadLetter: its saga gave up. It is EventBad too.
	EventDeadLetter
	// EventLost and EventDoubled are confirmed by a human.
	EventLost
	EventDoubled
	// EventCompared: its shadow was compared; EventMismatched: it disagreed.
	EventCompared
	EventMismatched
	// EventWithdrawn: it was placed, and is no document of either arm after all: its
	// client may not bring any.
	EventWithdrawn
	// EventPlaced: it was assigned while nothing was on record of its document, which
	// is so as often on both arms. The sample ratio uses these.
	EventPlaced
	events
)

// Count says how often something became of documents that were assigned under one
// policy.
type Count struct {
	Epoch    uint64
	Exposure Exposure
	// Arm is the path that the hash gave them, whichever took them.
	Arm   Path
	Event Event
	Times uint64
}

// What packs all but Epoch and Times into a number below 1<<25, which stores keep.
func (c Count) What() uint32 {
	return uint32(c.Exposure) | uint32(c.Arm)<<20 | uint32(c.Event)<<21
}

// Unpack is What the other way round; false if there is no such count.
func Unpack(epoch uint64, what uint32, times uint64) (Count, bool) {
	c := Count{Epoch: epoch, Exposure: Exposure(what & (1<<20 - 1)), Arm: Path(what >> 20 & 1), Event: Event(what >> 21), Times: times}
	return c, c.Exposure <= All && what < uint32(events)<<21
}

// Counts are how often what happened. Each is there once.
type Counts []Count

// Add adds one.
func (s *Counts) Add(c Count) {
	for i := range *s {
		if have := &(*s)[i]; have.Epoch == c.Epoch && have.What() == c.What() {
			have.Times += c.Times
			return
		}
	}
	*s = append(*s, c)
}

// AppendCounts appends their encoding, which other bytes can follow.
func AppendCounts(b []byte, counts []Count) []byte {
	b = binary.AppendUvarint(b, uint64(len(counts)))
	for _, c := range counts {
		b = binary.AppendUvarint(b, c.Epoch)
		b = binary.AppendUvarint(b, uint64(c.What()))
		b = binary.AppendUvarint(b, c.Times)
	}
	return b
}

// ParseCounts reads what AppendCounts wrote and shows each to visit, unless that is
// nil. It returns what follows, and fails with ErrEncoding.
func ParseCounts(b []byte, visit func(Count)) (rest []byte, err error) {
	p := parser{rest: b}
	for n := p.count(); n > 0 && !p.bad; n-- {
		epoch, what, times := p.number(), p.number(), p.number()
		c, ok := Unpack(epoch, uint32(what), times)
		if p.bad = p.bad || !ok || what > 1<<32-1; !p.bad && visit != nil {
			visit(c)
		}
	}
	if p.bad {
		return nil, ErrEncoding
	}
	return p.rest, nil
}

// Repeat is how long further bad events of one document are not counted: a poisoned
// document that its client retries is one event, not fifty.
const Repeat = time.Hour

// CountsAgain reports whether a document's bad event counts, when its last one that
// counted was at last (zero if there is none).
func CountsAgain(last, now time.Time) bool { return last.IsZero() || now.Sub(last) >= Repeat }
