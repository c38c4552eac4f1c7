package compare

// element is one of an array's, as sets see it.
type element struct {
	index int
	node  uint32
	// sum is the value's hash, slack the sum of the numbers that the hash leaves
	// out because they have a tolerance.
	sum   uint64
	slack float64
}

// pair is two elements that are to be compared with each other.
type pair struct {
	left, right element
}

// arrays compares two arrays in their order. If that finds differences, the same
// elements in another order are one difference instead.
func (w *walker) arrays(a, b uint32, here place) {
	x, y := w.left.length(a), w.right.length(b)
	if x != y {
		w.count(KindLength, "elements", x, y)
	}
	before := w.found.mark()
	search := x == y && !w.steady
	var left, right []element // that differ
	nextX, nextY := a+1, b+1
	endX, endY := w.left.nodes[a].next, w.right.nodes[b].next
	for i := 0; nextX < endX && nextY < endY; i++ {
		if !w.sameIndex(i, nextX, nextY, here) {
			left, right = append(left, element{index: i, node: nextX}), append(right, element{index: i, node: nextY})
			if search && len(left) == 2 && w.rules.plain && w.sameBytes(a, b, left[0], right[0]) &&
				w.reordered(a, b, w.left.from(left[0], endX), w.right.from(right[0], endY), before, here) {
				return // the differences of all others would have been in vain
			}
		}
		nextX, nextY = w.left.nodes[nextX].next, w.right.nodes[nextY].next
	}
	if search && len(left) > 1 {
		w.reordered(a, b, left, right, before, here)
	}
}

// sameIndex compares two elements with the same index, and reports whether that found
// no difference.
func (w *walker) sameIndex(i int, x, y uint32, here place) bool {
	below, ok := w.enter(step{left: i, right: i}, here, x, y)
	if !ok {
		return true
	}
	before := w.found.total
	w.values(x, y, below)
	w.leave(below)
	return w.found.total == before
}

// sameBytes reports whether two arrays have the same bytes from these elements on, in some
// order: as a rule they do if they have the same elements. It is far cheaper to tell.
func (w *walker) sameBytes(a, b uint32, x, y element) bool {
	left := w.left.raw[w.left.nodes[x.node].start:w.left.nodes[a].end]
	right := w.right.raw[w.right.nodes[y.node].start:w.right.nodes[b].end]
	return len(left) == len(right) && total(left) == total(right)
}

func total(text []byte) (sum uint64) {
	for _, c := range text {
		sum += uint64(c)
	}
	return sum
}

// reordered reports whether these are the same elements in another order. Then that is
// the one difference of all that were found since before.
func (w *walker) reordered(a, b uint32, left, right []element, before mark, here place) bool {
	pairs, lefts, _ := w.matched(left, right, here)
	if len(lefts) > 0 || !moved(pairs) {
		return false
	}
	inOrder := w.found.takeBack(before)
	w.differ(KindOrder, a, b)
	if w.agree(pairs, here) {
		return true
	}
	w.found.takeBack(before)
	w.found.putBack(inOrder)
	return false
}

// agree compares pairs with the same hash, and reports whether the numbers that
// the hash leaves out keep their tolerances too.
func (w *walker) agree(pairs []pair, at place) bool {
	before := w.found.total
	w.steady = true
	for _, p := range pairs {
		w.pair(p, at)
	}
	w.steady = false
	return w.found.total == before
}

// elements lists an array's.
func elements(d *document, n uint32) []element {
	return d.from(element{node: n + 1}, d.nodes[n].next)
}

// from lists the elements of an array from the first on; end is the node behind the last.
func (d *document) from(first element, end uint32) (list []element) {
	for at, i := first.node, first.index; at < end; at, i = d.nodes[at].next, i+1 {
		list = append(list, element{index: i, node: at})
	}
	return list
}

func moved(pairs []pair) bool {
	for _, p := range pairs {
		if p.left.index != p.right.index {
			return true
		}
	}
	return false
}

// sets compares two arrays without their order: equal elements with each other,
// and of the others those that have most in common.
func (w *walker) sets(a, b uint32, here place) {
	x, y := w.left.length(a), w.right.length(b)
	if x != y {
		w.count(KindLength, "elements", x, y)
	}
	pairs, left, right := w.matched(elements(w.left, a), elements(w.right, b), here)
	for _, p := range pairs {
		w.pair(p, here)
	}
	for _, p := range w.likely(left, right, here) {
		w.pair(p, here)
	}
}

// pair compares two elements whose indexes mean nothing.
func (w *walker) pair(p pair, at place) {
	s := step{left: p.left.index, right: p.right.index, blind: true}
	if here, ok := w.enter(s, at, p.left.node, p.right.node); ok {
		w.values(p.left.node, p.right.node, here)
		w.leave(here)
	}
}
