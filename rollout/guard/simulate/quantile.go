package simulate

import "slices"

// Happened returns how many of the seconds are not Never.
func Happened(seconds []int64) (n int) {
	for _, s := range seconds {
		if s != Never {
			n++
		}
	}
	return n
}

// Quantile returns the quantile q of the seconds, or Never if so many of them
// did not happen.
func Quantile(seconds []int64, q float64) int64 {
	sorted := slices.Clone(seconds)
	slices.SortFunc(sorted, func(a, b int64) int {
		switch {
		case a == b:
			return 0
		case a == Never || b != Never && a > b:
			return 1
		}
		return -1
	})
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
