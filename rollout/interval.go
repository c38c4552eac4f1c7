package rollout

import "math"

// Upper returns the exact (Clopper-Pearson) one-sided upper bound of a rate of
// which k of n trials were seen: with the given confidence, such as 0.95, the
// rate is not above it. It is 1 without trials, or if all of them were.
func Upper(k, n uint64, confidence float64) float64 {
	if k >= n {
		return 1
	}
	return solve(func(p float64) bool { return BinomialCDF(k, n, p) > 1-confidence })
}

// Lower returns the exact one-sided lower bound of a rate, as Upper. It is 0
// without trials, or if none of them was.
func Lower(k, n uint64, confidence float64) float64 {
	if k == 0 || k > n {
		return 0
	}
	return solve(func(p float64) bool { return 1-BinomialCDF(k-1, n, p) < 1-confidence })
}

// WilsonLower returns the lower end of Wilson's two-sided interval of a rate of
// which k of n trials were seen; z is the normal quantile, 1.96 for 95 %. It is
// 0 without trials.
func WilsonLower(k, n uint64, z float64) float64 {
	if n == 0 {
		return 0
	}
	trials, rate := float64(n), float64(k)/float64(n)
	centre := rate + z*z/(2*trials)
	half := z * math.Sqrt(rate*(1-rate)/trials+z*z/(4*trials*trials))
	return max(0, (centre-half)/(1+z*z/trials))
}

// BinomialCDF returns the probability of at most k successes in n trials that
// succeed with probability p each.
func BinomialCDF(k, n uint64, p float64) float64 {
	switch {
	case k >= n || p <= 0:
		return 1
	case p >= 1:
		return 0
	}
	return incompleteBeta(float64(n-k), float64(k+1), 1-p)
}

// solve returns the point in 0..1 up to which below holds.
func solve(below func(p float64) bool) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		if middle := (low + high) / 2; below(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// incompleteBeta is the regularised incomplete beta function I_x(a, b), by its
// continued fraction (Abramowitz and Stegun 26.5.8, evaluated after Lentz).
func incompleteBeta(a, b, x float64) float64 {
	if x <= 0 || x >= 1 {
		return min(1, max(0, x))
	}
	if x > (a+1)/(a+b+2) { // the fraction converges quickly only below
		return 1 - incompleteBeta(b, a, 1-x)
	}
	front := math.Exp(lgamma(a+b) - lgamma(a) - lgamma(b) + a*math.Log(x) + b*math.Log1p(-x))
	return front / a / betaFraction(a, b, x)
}

func betaFraction(a, b, x float64) float64 {
	const tiny, enough = 1e-300, 1e-15
	away := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	f, c, d := 1.0, 1.0, 0.0
	for i := range 100_000 {
		m := float64((i + 1) / 2)
		term := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		if i%2 == 0 {
			term = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		d = 1 / away(1+term*d)
		c = away(1 + term/c)
		f *= c * d
		if math.Abs(c*d-1) < enough {
			break
		}
	}
	return f
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}
