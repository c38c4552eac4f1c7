package compare

import (
	"cmp"
	"slices"
)

// maxLikely is how many elements, on each side, are compared each with each. What
// is beyond it is paired in order.
const maxLikely = 32

// matched pairs elements of two arrays that have the same hash, and returns what is
// left of both in their order. It takes n log n steps.
func (w *walker) matched(xs, ys []element, here place) (pairs []pair, left, right []element) {
	w.hashed(w.left, xs, here)
	w.hashed(w.right, ys, here)
	for len(xs) > 0 && len(ys) > 0 {
		switch cmp.Compare(xs[0].sum, ys[0].sum) {
		case -1:
			left, xs = append(left, xs[0]), xs[1:]
		case 1:
			right, ys = append(right, ys[0]), ys[1:]
		default:
			pairs = append(pairs, pair{xs[0], ys[0]})
			xs, ys = xs[1:], ys[1:]
		}
	}
	left, right = append(left, xs...), append(right, ys...)
	slices.SortFunc(pairs, func(a, b pair) int { // as both sides see it
		return cmp.Or(
			cmp.Compare(min(a.left.index, a.right.index), min(b.left.index, b.right.index)),
			cmp.Compare(max(a.left.index, a.right.index), max(b.left.index, b.right.index)),
			cmp.Compare(a.left.index, b.left.index))
	})
	byIndex := func(a, b element) int { return cmp.Compare(a.index, b.index) }
	slices.SortFunc(left, byIndex)
	slices.SortFunc(right, byIndex)
	return pairs, left, right
}

// hashed hashes the elements and sorts them by hash, then by their numbers with a
// tolerance: of such numbers, the nearest are compared with each other. With
// several in one element that is a guess, which may report a difference where
// another pairing would find none.
func (w *walker) hashed(d *document, list []element, here place) {
	h := hasher{rules: w.rules, document: d, states: w.states}
	base := len(h.states)
	h.states = w.rules.step(h.states, here.states, &step{blind: true})
	states := h.states[base:]
	for i := range list {
		h.slack = 0
		list[i].sum = h.value(list[i].node, states)
		list[i].slack = h.slack
	}
	slices.SortFunc(list, func(a, b element) int {
		return cmp.Or(cmp.Compare(a.sum, b.sum), cmp.Compare(a.slack, b.slack), cmp.Compare(a.index, b.index))
	})
}

// candidate is a pair and how many members it has in common.
type candidate struct {
	pair
	common int
}

// likely pairs elements that have no equal: those with most members in common
// first, so that of two reordered objects those with the same name are compared,
// and not their names.
func (w *walker) likely(left, right []element, here place) []pair {
	if len(left) == 0 || len(right) == 0 {
		return nil
	}
	if len(left) > maxLikely || len(right) > maxLikely {
		var pairs []pair
		for i := range min(len(left), len(right)) {
			pairs = append(pairs, pair{left[i], right[i]})
		}
		return pairs
	}
	all := w.candidates(left, right, here)
	// The order is the same seen from the other side, but for pairs that do not
	// exclude each other.
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(b.common, a.common),
			cmp.Compare(a.left.index+a.right.index, b.left.index+b.right.index),
			cmp.Compare(apart(a.pair), apart(b.pair)),
			cmp.Compare(a.left.index, b.left.index))
	})
	var pairs []pair
	takenLeft, takenRight := map[int]bool{}, map[int]bool{}
	for _, c := range all {
		if !takenLeft[c.left.index] && !takenRight[c.right.index] {
			takenLeft[c.left.index], takenRight[c.right.index] = true, true
			pairs = append(pairs, c.pair)
		}
	}
	return pairs
}

func apart(p pair) int { return max(p.left.index-p.right.index, p.right.index-p.left.index) }

func (w *walker) candidates(left, right []element, here place) []candidate {
	lefts, rights := w.traits(w.left, left, here), w.traits(w.right, right, here)
	var all []candidate
	for i, x := range left {
		for j, y := range right {
			all = append(all, candidate{pair{x, y}, common(lefts[i], rights[j])})
		}
	}
	return all
}

// maxTraits is how many members of an element are looked at for what it has in
// common with others.
const maxTraits = 64

// traits returns the sorted hashes of each element's members.
func (w *walker) traits(d *document, list []element, here place) [][]uint64 {
	h := hasher{rules: w.rules, document: d, states: w.states}
	base := len(h.states)
	h.states = w.rules.step(h.states, here.states, &step{blind: true})
	states := h.states[base:]
	all := make([][]uint64, len(list))
	for i, e := range list {
		if d.nodes[e.node].kind != valueObject {
			continue
		}
		for n := e.node + 1; n < d.nodes[e.node].next && len(all[i]) < maxTraits; n = d.nodes[n+1].next {
			all[i] = append(all[i], h.member(n, states))
		}
		slices.Sort(all[i])
	}
	return all
}

// common counts what two sorted lists share.
func common(a, b []uint64) (count int) {
	for len(a) > 0 && len(b) > 0 {
		switch cmp.Compare(a[0], b[0]) {
		case -1:
			a = a[1:]
		case 1:
			b = b[1:]
		default:
			a, b = a[1:], b[1:]
			count++
		}
	}
	return count
}
