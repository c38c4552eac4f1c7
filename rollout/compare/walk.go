package compare

import (
	"bytes"
	"fmt"
	"strconv"
)

// none stands for a node that one side does not have.
const none = ^uint32(0)

// walker goes through two documents side by side.
type walker struct {
	*memory
	rules       *rules
	left, right *document
	found       *findings
	matches     Matches
	// steady: what is compared was compared before, in another order. No array is
	// searched again for its elements in another order, or each level would double
	// the work.
	steady bool
}

// place is where the walker stands: its states, and what to go back to.
type place struct {
	states  []state
	pattern int
	// set: an array here is compared without its order.
	set bool
}

func newWalker(rules *rules, left, right *document, found *findings, room *memory) *walker {
	return &walker{
		memory: room, rules: rules, left: left, right: right, found: found, matches: make(Matches, len(rules.rules)),
	}
}

func (w *walker) documents() {
	w.states = w.rules.start(w.states)
	here := place{states: w.states}
	if w.apply(&here, 0, 0) {
		w.values(0, 0, here)
	}
}

// enter steps down to two values, one of which may be none. It is false where they
// are ignored or spelt alike, and then there is nothing to compare nor to leave.
func (w *walker) enter(s step, from place, a, b uint32) (place, bool) {
	quiet := w.quiet(from.states)
	if quiet && w.alike(s, a, b) {
		return place{}, false
	}
	here := place{pattern: len(w.pattern)}
	base, compared := len(w.states), true
	if len(from.states) > 0 {
		w.states = w.rules.step(w.states, from.states, &s)
		here.states = w.states[base:]
		compared = w.apply(&here, a, b)
	}
	if !compared || !quiet && w.quiet(here.states) && w.alike(s, a, b) {
		w.states = w.states[:base]
		return place{}, false
	}
	w.path = append(w.path, s)
	if s.key == nil {
		w.pattern = append(w.pattern, "/*"...)
	} else {
		w.pattern = appendName(w.pattern, s.key, true)
	}
	return here, true
}

// alike reports whether the two are there, and spelt alike.
func (w *walker) alike(s step, a, b uint32) bool {
	return !s.uneven && a != none && b != none && bytes.Equal(w.left.spelling(a), w.right.spelling(b))
}

// quiet reports whether no rule is yet to be seen to match here or further down.
func (w *walker) quiet(states []state) bool {
	for _, s := range states {
		if w.matches[s.rule] == 0 {
			return false
		}
	}
	return true
}

// leave steps up again.
func (w *walker) leave(here place) {
	w.states = w.states[:len(w.states)-len(here.states)]
	w.path = w.path[:len(w.path)-1]
	w.pattern = w.pattern[:here.pattern]
}

// apply notes the rules that match here, and reports whether the values are to be
// compared.
func (w *walker) apply(here *place, a, b uint32) bool {
	ignored := false
	for _, s := range here.states {
		if int(s.at) < len(w.rules.patterns[s.rule].tokens) {
			continue
		}
		matches := true
		switch w.rules.rules[s.rule].Effect {
		case Ignore:
			ignored = true
		case Set:
			matches = w.either(a, b, valueArray)
			here.set = true
		case Tolerance:
			matches = w.either(a, b, valueNumber)
		}
		if matches {
			w.matches[s.rule] = 1
		}
	}
	return !ignored
}

func (w *walker) either(a, b uint32, kind valueKind) bool {
	return a != none && w.left.nodes[a].kind == kind || b != none && w.right.nodes[b].kind == kind
}

// values compares two values that are at the same place.
func (w *walker) values(a, b uint32, here place) {
	x, y := w.left.nodes[a].kind, w.right.nodes[b].kind
	switch {
	case x.typeName() != y.typeName():
		w.differ(KindType, a, b)
	case x != y: // true and false
		w.differ(KindPrimitive, a, b)
	case x == valueNumber:
		w.numbers(a, b, here)
	case x == valueString && !w.sameText(a, b):
		w.differ(KindPrimitive, a, b)
	case x == valueArray && here.set:
		w.sets(a, b, here)
	case x == valueArray:
		w.arrays(a, b, here)
	case x == valueObject:
		w.objects(a, b, here)
	}
}

func (w *walker) sameText(a, b uint32) bool {
	x, y := &w.left.nodes[a], &w.right.nodes[b]
	same := bytes.Equal(w.left.raw[x.start:x.end], w.right.raw[y.start:y.end])
	return same || (x.escaped || y.escaped) && bytes.Equal(w.left.text(a), w.right.text(b))
}

func (w *walker) numbers(a, b uint32, here place) {
	one, other := w.left.spelling(a), w.right.spelling(b)
	if sameNumber(one, other) {
		return
	}
	kind := KindPrimitive
	for _, s := range here.states {
		if int(s.at) < len(w.rules.patterns[s.rule].tokens) || w.rules.rules[s.rule].Effect != Tolerance {
			continue
		}
		kind = KindTolerance
		if x, y := rational(one), rational(other); x != nil && y != nil && w.rules.tolerates(s.rule, x, y) {
			return
		}
	}
	w.differ(kind, a, b)
}

// differ notes a difference here between two values, one of which may be none.
func (w *walker) differ(kind Kind, a, b uint32) {
	if w.found.note(w.pattern) {
		w.keep(kind, w.show(w.left, a), w.show(w.right, b))
	}
}

// count notes that one side has more than the other.
func (w *walker) count(kind Kind, what string, left, right int) {
	if w.found.note(w.pattern) {
		w.keep(kind, fmt.Sprintf("%d %s", left, what), fmt.Sprintf("%d %s", right, what))
	}
}

func (w *walker) show(d *document, n uint32) string {
	if n == none {
		return ""
	}
	return cut(d.spelling(n), w.found.limits.Shown)
}

func (w *walker) keep(kind Kind, primary, shadow string) {
	d := Difference{
		Pointer: w.pointer(false), ShadowPointer: w.pointer(true),
		Pattern: cut(w.pattern, maxPointer), Kind: kind, Primary: primary, Shadow: shadow,
	}
	if d.ShadowPointer == d.Pointer {
		d.ShadowPointer = ""
	}
	w.found.kept = append(w.found.kept, d)
}

// pointer writes the way down for one of the documents.
func (w *walker) pointer(shadow bool) string {
	var text []byte
	for _, s := range w.path {
		switch {
		case s.key != nil:
			text = appendName(text, s.key, false)
		case shadow:
			text = strconv.AppendInt(append(text, '/'), int64(s.right), 10)
		default:
			text = strconv.AppendInt(append(text, '/'), int64(s.left), 10)
		}
		if len(text) > maxPointer {
			break
		}
	}
	return cut(text, maxPointer)
}
