package compare

// memory is what a comparison works in. It is used again by later ones: most of what
// comparing usual answers costs is otherwise fresh memory, and its collection. Nothing
// that a Comparison holds is part of it.
type memory struct {
	primary, shadow []node
	// states is a stack: those of each place on the way down, one after the other.
	states []state
	// path and pattern are the way down, as steps and as a field.
	path    []step
	pattern []byte
}

// maxKept is how many nodes of an answer are kept room for: 256 KiB.
const maxKept = 1 << 14

// borrow returns memory that nobody else uses.
func (c *Comparer) borrow() *memory {
	if m, ok := c.spare.Get().(*memory); ok {
		return m
	}
	return &memory{path: make([]step, 0, 16), pattern: make([]byte, 0, 256)}
}

// giveBack leaves the memory of a comparison that is over to the next.
func (c *Comparer) giveBack(m *memory, primary, shadow *document) {
	m.primary, m.shadow = larger(m.primary, primary.nodes), larger(m.shadow, shadow.nodes)
	clear(m.path[:cap(m.path)]) // the names in it are parts of the answers
	m.states, m.path, m.pattern = m.states[:0], m.path[:0], m.pattern[:0]
	c.spare.Put(m)
}

// larger returns the larger room of two, if it is not too large to be kept.
func larger(before, now []node) []node {
	if cap(now) > cap(before) && cap(now) <= maxKept {
		before = now
	}
	return before[:0]
}
