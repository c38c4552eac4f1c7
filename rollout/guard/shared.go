package guard

// sharedWidth is the length of one slot of what legacy suffers, in seconds.
const sharedWidth = 5

// sharedTrouble is the share of legacy's documents, 0..1, that are beyond its slowest
// threshold, or bad, above which latency is not judged: something is wrong that both
// paths suffer from, each in its own time. Errors are judged all the same.
const sharedTrouble = 0.05

// Shared is how slow legacy itself is, by the thresholds that Temporal is judged by,
// over the last half minute. When a store that both use stalls or fails, Temporal is
// slow and legacy is too, long before the thresholds follow.
type Shared struct {
	// Slot is the number of the newest slot, since 1970.
	Slot int64 `json:"slot"`
	// Judged documents of the newest slots, newest first, and how many were Slow.
	Judged [30 / sharedWidth]uint64            `json:"judged"`
	Slow   [30 / sharedWidth][quantiles]uint64 `json:"slow"`
}

func (s *Shared) add(b *Bin) {
	if gone := b.Second/sharedWidth - s.Slot; gone > 0 {
		next := Shared{Slot: b.Second / sharedWidth}
		if gone < int64(len(s.Judged)) {
			copy(next.Judged[gone:], s.Judged[:])
			copy(next.Slow[gone:], s.Slow[:])
		}
		*s = next
	}
	for i := range b.Segments {
		arm := &b.Segments[i].Legacy
		s.Judged[0] += arm.Judged
		for q := range arm.Slow {
			s.Slow[0][q] += arm.Slow[q]
		}
	}
}

// rate returns the share of legacy's documents, 0..1, that were slower than the
// quantile's threshold: over the last half minute, or in this second if that is
// more.
func (s *Shared) rate(q Quantile, b *Bin) float64 {
	var now, half struct{ judged, slow uint64 }
	for i := range b.Segments {
		now.judged += b.Segments[i].Legacy.Judged
		now.slow += b.Segments[i].Legacy.Slow[q]
	}
	for i := range s.Judged {
		half.judged += s.Judged[i]
		half.slow += s.Slow[i][q]
	}
	return max(share(now.slow, now.judged), share(half.slow, half.judged))
}

func share(k, n uint64) float64 {
	if n == 0 {
		return 0
	}
	return float64(k) / float64(n)
}
