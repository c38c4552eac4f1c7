package embedded

import "iter"

// place is where a record begins.
type place struct{ segment, offset uint32 }

// slot is an entry of the index: 16 bytes for each document. A place in segment
// 0, which there is not, means that it is empty.
type slot struct {
	tag     uint32 // the low bits of the document's hash
	place   place
	expires uint32 // as expiry says
}

func (s slot) empty() bool { return s.place.segment == 0 }

// table finds slots by tag. It is a hash table with linear probing: a slot is at
// its tag's position or after it, with no empty one between.
type table struct {
	slots []slot // a power of two, or none
	count int
}

// none is no entry.
const none = -1

// tagged yields the entries with the tag. The table must not be changed
// meanwhile.
func (t *table) tagged(tag uint32) iter.Seq[int] {
	return func(yield func(int) bool) {
		if t.count == 0 {
			return
		}
		mask := len(t.slots) - 1
		for i := int(tag) & mask; !t.slots[i].empty(); i = (i + 1) & mask {
			if t.slots[i].tag == tag && !yield(i) {
				return
			}
		}
	}
}

// add puts a slot in, and makes room for it first.
func (t *table) add(s slot) {
	if 4*(t.count+1) > 3*len(t.slots) {
		t.resize(max(8, 2*len(t.slots)))
	}
	t.count++
	mask := len(t.slots) - 1
	i := int(s.tag) & mask
	for !t.slots[i].empty() {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

// remove takes an entry out, and moves those after it that would not be found any
// more: so another entry may be in its place. It gives back memory only in shrink.
func (t *table) remove(hole int) {
	t.count--
	mask := len(t.slots) - 1
	for i := (hole + 1) & mask; !t.slots[i].empty(); i = (i + 1) & mask {
		home := int(t.slots[i].tag) & mask
		if (i-home)&mask >= (i-hole)&mask { // home is at the hole, or before it
			t.slots[hole] = t.slots[i]
			hole = i
		}
	}
	t.slots[hole] = slot{}
}

// shrink gives back memory that is not needed any more.
func (t *table) shrink() {
	if t.count == 0 {
		t.slots = nil
		return
	}
	n := len(t.slots)
	for n > 8 && 8*t.count < n {
		n /= 2
	}
	if n < len(t.slots) {
		t.resize(n)
	}
}

// resize moves all slots to n new ones, which must be enough.
func (t *table) resize(n int) {
	old := t.slots
	t.slots, t.count = make([]slot, n), 0
	for _, s := range old {
		if !s.empty() {
			t.add(s)
		}
	}
}
