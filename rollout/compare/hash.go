package compare

import (
	"hash/maphash"
	"math/bits"
	"strconv"
)

// hasher hashes values so that two which the rules call equal have the same hash.
// A hash only says which elements are compared with each other; what they have in
// common the comparison itself finds. So a collision costs a pairing, never a
// difference.
type hasher struct {
	rules    *rules
	document *document
	states   []state
	// slack sums the numbers with a tolerance, which no hash can hold.
	slack float64
}

// value hashes a value at a place that has these states.
func (h *hasher) value(n uint32, states []state) uint64 {
	if !h.rules.plain {
		return h.fresh(n, states)
	}
	if h.document.hashes == nil {
		h.document.hashes = make([]uint64, len(h.document.nodes))
	}
	if known := h.document.hashes[n]; known != 0 {
		return known
	}
	sum := h.fresh(n, states)
	h.document.hashes[n] = sum
	return sum
}

func (h *hasher) fresh(n uint32, states []state) uint64 {
	effect := h.effects(states)
	if effect.ignore {
		return mix(1, 1)
	}
	switch kind := h.document.nodes[n].kind; kind {
	case valueNumber:
		if effect.tolerance {
			number, _ := strconv.ParseFloat(string(h.document.spelling(n)), 64)
			h.slack += number
			return mix(2, 1)
		}
		return h.number(n)
	case valueString:
		return mix(3, h.bytes(h.document.text(n)))
	case valueArray:
		return h.array(n, states, effect.set)
	case valueObject:
		return h.object(n, states)
	default:
		return mix(4, uint64(kind))
	}
}

func (h *hasher) bytes(text []byte) uint64 { return maphash.Bytes(h.rules.seed, text) }

// mix joins two hashes; their order matters.
func mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd1b54a32d192ed03)
	return high ^ low
}

// number hashes the value, not the spelling.
func (h *hasher) number(n uint32) uint64 {
	d := decimalOf(h.document.spelling(n))
	if d.far != nil {
		return mix(5, h.bytes(d.far))
	}
	sum := uint64(6)
	if d.negative {
		sum = 7
	}
	for _, digits := range [][]byte{d.whole, d.fraction} { // as one: where the point was is not known
		for _, digit := range digits {
			sum = (sum ^ uint64(digit)) * 0x100000001b3 // FNV-1a
		}
	}
	return mix(sum, uint64(d.exponent))
}

func (h *hasher) array(n uint32, states []state, set bool) uint64 {
	base := len(h.states)
	h.states = h.rules.step(h.states, states, &step{blind: true})
	below := h.states[base:]
	sum, count := uint64(8), uint64(0)
	for at := n + 1; at < h.document.nodes[n].next; at = h.document.nodes[at].next {
		if value := h.value(at, below); set {
			sum += mix(9, value)
		} else {
			sum = mix(sum, value)
		}
		count++
	}
	h.states = h.states[:base]
	return mix(sum, count)
}

// object adds its members up, since their order means nothing.
func (h *hasher) object(n uint32, states []state) uint64 {
	sum := uint64(10)
	for at := n + 1; at < h.document.nodes[n].next; at = h.document.nodes[at+1].next {
		sum += h.member(at, states)
	}
	return mix(11, sum)
}

// member hashes a name and its value; 0 where the value is ignored, so that it
// makes no difference whether it is there.
func (h *hasher) member(name uint32, states []state) uint64 {
	key := h.document.text(name)
	if len(states) == 0 { // no rule reaches further
		return mix(h.bytes(key), h.value(name+1, nil))
	}
	base := len(h.states)
	h.states = h.rules.step(h.states, states, &step{key: key})
	below := h.states[base:]
	defer func() { h.states = h.states[:base] }()
	if h.effects(below).ignore {
		return 0
	}
	return mix(h.bytes(key), h.value(name+1, below))
}

// applied says which effects hold at a place.
type applied struct{ ignore, set, tolerance bool }

func (h *hasher) effects(states []state) (a applied) {
	for _, s := range states {
		if int(s.at) < len(h.rules.patterns[s.rule].tokens) {
			continue
		}
		switch h.rules.rules[s.rule].Effect {
		case Ignore:
			a.ignore = true
		case Set:
			a.set = true
		case Tolerance:
			a.tolerance = true
		}
	}
	return a
}
