package compare

// state is a position that matching has reached: in pattern number rule, the
// tokens from at on are still to come. The pattern matches here if none is.
type state struct {
	rule, at uint16
}

// matcher matches many patterns at once, one step at a time. What it has reached
// is a set of states, never larger than the patterns are long, so no pattern
// makes it slow.
type matcher struct {
	patterns []Pattern
}

// step is one step down: to a member, or to an element.
type step struct {
	// key is the member's name; nil for an element.
	key []byte
	// left and right are the element's index in the primary's and the shadow's
	// array. They differ only if the order is not compared.
	left, right int
	// blind: an element whose index means nothing.
	blind bool
	// uneven: one side has more members of that name, so the two are not alike.
	uneven bool
}

// start appends the states at the root.
func (m *matcher) start(to []state) []state {
	base := len(to)
	for rule := range m.patterns {
		if m.patterns[rule].head != "" {
			continue
		}
		to = m.reach(to, base, state{rule: uint16(rule)})
	}
	return to
}

// step appends the states that are reached from those by one step.
func (m *matcher) step(to []state, from []state, s *step) []state {
	base := len(to)
	for _, now := range from {
		tokens := m.patterns[now.rule].tokens
		if int(now.at) == len(tokens) {
			continue
		}
		t := &tokens[now.at]
		if !t.matches(s) {
			continue
		}
		next := state{now.rule, now.at + 1}
		if t.deep {
			to = m.reach(to, base, now)
			if int(next.at) < len(tokens) {
				continue // what ** has taken it may also leave to the next one
			}
		}
		to = m.reach(to, base, next)
	}
	return to
}

// reach appends a state unless it is there, and those reached without a step.
func (m *matcher) reach(to []state, base int, s state) []state {
	if !m.patterns[s.rule].deep { // one way leads to each state
		return append(to, s)
	}
	for _, known := range to[base:] {
		if known == s {
			return to
		}
	}
	to = append(to, s)
	if tokens := m.patterns[s.rule].tokens; int(s.at)+1 < len(tokens) && tokens[s.at].deep {
		to = m.reach(to, base, state{s.rule, s.at + 1})
	}
	return to
}

func (t *token) matches(s *step) bool {
	switch {
	case t.any || t.deep:
		return true
	case s.blind:
		return false
	case s.key == nil:
		return t.index >= 0 && t.index == s.left
	}
	return t.text == string(s.key)
}
