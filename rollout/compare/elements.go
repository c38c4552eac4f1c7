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
	left, right := w.inOrder(a, b, here)
	if x != y || w.steady || len(left) < 2 {
		return
	}
	pairs, lefts, _ := w.matched(left, right, here)
	if len(lefts) > 0 || !moved(pairs) {
		return
	}
	inOrder := w.found.takeBack(before)
	w.differ(KindOrder, a, b)
	if !w.agree(pairs, here) {
		w.found.takeBack(before)
		w.found.putBack(inOrder)
	}
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

// inOrder compares the elements with the same index, and returns those that
// differ.
func (w *walker) inOrder(a, b uint32, here place) (left, right []element) {
	x, y := a+1, b+1
	endX, endY := w.left.nodes[a].next, w.right.nodes[b].next
	for i := 0; x < endX && y < endY; i++ {
		if below, ok := w.enter(step{left: i, right: i}, here, x, y); ok {
			before := w.found.total
			w.values(x, y, below)
			if w.leave(below); w.found.total > before {
				left, right = append(left, element{index: i, node: x}), append(right, element{index: i, node: y})
			}
		}
		x, y = w.left.nodes[x].next, w.right.nodes[y].next
	}
	return left, right
}

// elements lists an array's.
func elements(d *document, n uint32) (list []element) {
	for at := n + 1; at < d.nodes[n].next; at = d.nodes[at].next {
		list = append(list, element{index: len(list), node: at})
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
