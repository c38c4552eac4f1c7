package simulate

import "sluice/rollout/guard"

// Rule is one of the rules that the guardrails replace.
type Rule uint8

// The literal rules on errors, each looked at once a minute.
const (
	// Twice: the error rate of the last five minutes is above twice legacy's.
	Twice Rule = iota
	// Thrice: the same at three looks in a row.
	Thrice
	// Twenty: the same, with at least 20 requests on each path.
	Twenty
	rules
)

// String describes the rule.
func (r Rule) String() string {
	return [...]string{"error rate of 5 min > 2x", "the same, 3 looks in a row", "the same, with >= 20 requests"}[r]
}

// literal is a window of five minutes, in slots of one.
type literal struct {
	minutes [5]struct{ legacy, temporal guard.Tries }
	row     int
	// fired is when each rule first did.
	fired [rules]int64
}

func newLiteral() literal { return literal{fired: [rules]int64{Never, Never, Never}} }

// look ends a minute.
func (l *literal) look(second int64) {
	var legacy, temporal guard.Tries
	for _, m := range l.minutes {
		legacy.All += m.legacy.All
		legacy.Bad += m.legacy.Bad
		temporal.All += m.temporal.All
		temporal.Bad += m.temporal.Bad
	}
	worse := legacy.All > 0 && temporal.All > 0 &&
		float64(temporal.Bad)*float64(legacy.All) > 2*float64(legacy.Bad)*float64(temporal.All)
	if l.row++; !worse {
		l.row = 0
	}
	for r, fires := range [rules]bool{worse, l.row >= 3, worse && legacy.All >= 20 && temporal.All >= 20} {
		if fires && l.fired[r] == Never {
			l.fired[r] = second
		}
	}
	copy(l.minutes[1:], l.minutes[:4])
	l.minutes[0].legacy, l.minutes[0].temporal = guard.Tries{}, guard.Tries{}
}
