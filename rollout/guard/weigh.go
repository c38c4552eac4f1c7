package guard

import "math"

// weight is the log likelihood ratio of one event for an alternative against the
// limit: of a bad event of the suspect (or a bad trial), and of the other arm (or
// a good trial).
type weight struct{ suspect, other float64 }

// weigh returns an alternative's weight. With a share w of the documents, a bad
// event is the suspect's with probability R*w / (R*w + 1 - w) if its rate is R
// times the other's.
func (g *Guardrail) weigh(k kind, alternative, share float64) weight {
	if k == ratio {
		m := g.Limit
		norm := math.Log((m*alternative*share + 1 - share) / (m*share + 1 - share))
		return weight{math.Log(alternative) - norm, -norm}
	}
	return weight{math.Log(alternative / g.Limit), math.Log1p(-alternative) - math.Log1p(-g.Limit)}
}

// of returns the weight of several events. The conversion keeps the compiler from
// fusing the product with what it is added to, which some processors would round
// differently.
func (w weight) of(suspect, other uint64) float64 {
	return float64(float64(suspect)*w.suspect) + float64(float64(other)*w.other)
}

// logMean returns the logarithm of the mean of exp(L_j), which may itself be too
// large for a number.
func logMean(l []float64) float64 {
	top, sum := 0.0, 0.0
	for _, x := range l {
		top = max(top, x)
	}
	for _, x := range l {
		sum += math.Exp(x - top)
	}
	return top + math.Log(sum/float64(len(l)))
}
