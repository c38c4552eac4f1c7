package certificate

import "fmt"

func mismatches(e Evidence, limits Limits) Line {
	l := rate{
		name: "mismatches", k: e.Mismatches, n: e.Compared, certain: e.Mismatches - min(e.Undecided, e.Mismatches),
		limit: limits.Mismatch, confidence: limits.Confidence,
		noun: "comparisons", differs: "differs", differ: "differ",
	}.line()
	if e.Undecided > 0 {
		l.Words += fmt.Sprintf("; %d of these only in fields that may be noise: more A/A pairs will tell", e.Undecided)
	}
	return l
}

func validity(e Evidence, limits Limits) Line {
	return rate{
		name: "validity", k: e.Disagreed, n: e.Judged, certain: e.Disagreed,
		limit: limits.Validity, confidence: limits.Confidence,
		noun: "comparisons", differs: "disagrees on validity", differ: "disagree on validity",
	}.line()
}

// starts proves that no acknowledged shadow start is lost. Every single one counts,
// so there is no confidence to it.
func starts(s Starts) Line {
	l := Line{Name: "starts", N: s.Acknowledged}
	accounted := s.Completed + s.Listed + s.Running
	switch {
	case s.Acknowledged == 0 && accounted == 0 && len(s.Lost) == 0:
		l.Proof, l.Words = Missing, "no shadow was started yet"
	case accounted > s.Acknowledged:
		l.Proof = Missing
		l.Words = fmt.Sprintf("the books do not balance: %d starts, %d accounted for", s.Acknowledged, accounted)
	case accounted < s.Acknowledged || len(s.Lost) > 0:
		l.K = max(s.Acknowledged-accounted, uint64(len(s.Lost)))
		l.Proof = Failed
		l.Words = fmt.Sprintf("%d of %d acknowledged shadow starts are neither complete nor listed", l.K, s.Acknowledged)
	default:
		l.Proof = Proved
		l.Words = fmt.Sprintf("%d acknowledged shadow starts: %d complete, %d listed, %d running", s.Acknowledged, s.Completed, s.Listed, s.Running)
	}
	return l
}

// uncompared keeps a certificate from being made of the few answers that could be
// compared.
func uncompared(e Evidence, limits Limits) Line {
	l := Line{Name: "uncompared", K: e.Uncompared, N: e.Judged + e.Uncompared, Limit: limits.Uncompared}
	if l.N == 0 {
		l.Proof, l.Words = Missing, "nothing was compared yet"
		return l
	}
	share := float64(l.K) / float64(l.N)
	l.Words = fmt.Sprintf("%d of %d answers could not be compared, %s", l.K, l.N, percent(share))
	if l.Proof = Proved; share > limits.Uncompared {
		l.Proof = Failed
		l.Words += fmt.Sprintf("; %s are allowed", percent(limits.Uncompared))
	}
	return l
}

func (g Gate) line() Line {
	l := Line{Name: "gate " + g.Name, Proof: Missing, Words: g.Words}
	switch g.Answer {
	case Yes:
		l.Proof = Proved
	case No:
		l.Proof = Failed
	}
	if l.Words == "" {
		l.Words = map[Proof]string{Proved: "says yes", Failed: "says no", Missing: "has not answered"}[l.Proof]
	}
	return l
}
