package compare

import (
	"bytes"
	"slices"
)

// member is one of an object's.
type member struct {
	name  []byte
	value uint32
}

// objects compares two objects. While the names come in the same order no list of
// them is made; that is the case nearly always.
func (w *walker) objects(a, b uint32, here place) {
	x, y := a+1, b+1
	endX, endY := w.left.nodes[a].next, w.right.nodes[b].next
	for x < endX && y < endY && w.sameText(x, y) {
		w.member(w.left.text(x), x+1, y+1, here)
		x, y = w.left.nodes[x+1].next, w.right.nodes[y+1].next
	}
	if x < endX || y < endY {
		w.strays(members(w.left, x, endX), members(w.right, y, endY), here, func() map[string]bool {
			seen := map[string]bool{}
			for _, m := range members(w.left, a+1, x) {
				seen[string(m.name)] = true
			}
			return seen
		})
	}
}

// member compares the values of two members with the same name.
func (w *walker) member(name []byte, a, b uint32, at place) {
	if here, ok := w.enter(step{key: name}, at, a, b); ok {
		w.values(a, b, here)
		w.leave(here)
	}
}

// members lists those between two nodes, sorted by name; those with the same name
// stay in their order.
func members(d *document, from, end uint32) []member {
	var list []member
	for n := from; n < end; n = d.nodes[n+1].next {
		list = append(list, member{d.text(n), n + 1})
	}
	slices.SortStableFunc(list, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	return list
}

// strays compares members that do not come in the same order. Those before were in
// the same order; before lists their names.
func (w *walker) strays(left, right []member, here place, before func() map[string]bool) {
	var seen map[string]bool
	for len(left) > 0 || len(right) > 0 {
		name := first(left, right)
		x, y := run(left, name), run(right, name)
		if x != y && seen == nil {
			seen = before()
		}
		w.namesakes(left[:x], right[:y], here, name, x != y && seen[string(name)])
		left, right = left[x:], right[y:]
	}
}

// first returns the name that comes first.
func first(left, right []member) []byte {
	switch {
	case len(left) == 0:
		return right[0].name
	case len(right) == 0 || bytes.Compare(left[0].name, right[0].name) < 0:
		return left[0].name
	}
	return right[0].name
}

// run counts the members at the beginning that have the name.
func run(list []member, name []byte) int {
	n := 0
	for n < len(list) && bytes.Equal(list[n].name, name) {
		n++
	}
	return n
}

// namesakes compares the members of one name; seen, if both sides have had some.
func (w *walker) namesakes(left, right []member, at place, name []byte, seen bool) {
	if len(left) == len(right) {
		for i := range left {
			w.member(name, left[i].value, right[i].value, at)
		}
		return
	}
	a, b := none, none
	if len(left) > 0 {
		a = left[0].value
	}
	if len(right) > 0 {
		b = right[0].value
	}
	here, ok := w.enter(step{key: name, uneven: true}, at, a, b)
	if !ok {
		return
	}
	switch {
	case seen || len(left) > 0 && len(right) > 0:
		w.differ(KindDuplicate, a, b)
	case len(left) > 0:
		w.differ(KindMissing, a, b)
	default:
		w.differ(KindExtra, a, b)
	}
	w.leave(here)
}
