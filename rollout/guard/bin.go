package guard

import (
	"cmp"
	"slices"

	"sluice/rollout"
)

// Quantile is one of those at which latencies are judged.
type Quantile uint8

// The quantiles, as indexes of Arm.Slow and Thresholds.
const (
	P50 Quantile = iota
	P90
	P99
	quantiles
)

// Arm counts the documents that the hash gave to one path, whichever path took
// them in the end.
type Arm struct {
	// Assigned documents, counted when they were.
	Assigned uint64 `json:"a,omitempty"`
	// Placed are those of Assigned that the sample ratio is taken of, and Withdrawn
	// those of them whose clients were not let in.
	Placed    uint64 `json:"p,omitempty"`
	Withdrawn uint64 `json:"w,omitempty"`
	// Good, Bad and Invalid (4xx) are the outcomes; each document has one.
	Good    uint64 `json:"g,omitempty"`
	Bad     uint64 `json:"b,omitempty"`
	Invalid uint64 `json:"i,omitempty"`
	// Judged documents were held against the thresholds in force, of which Slow
	// were slower, or failed.
	Judged uint64            `json:"j,omitempty"`
	Slow   [quantiles]uint64 `json:"s,omitzero"`
	// DeadLetters are sagas that gave up; they are Bad too.
	DeadLetters uint64 `json:"d,omitempty"`
}

// Settled returns the number of documents with an outcome.
func (a *Arm) Settled() uint64 { return a.Good + a.Bad + a.Invalid }

// sample returns the documents that the sample ratio is taken of.
func (a *Arm) sample() uint64 { return a.Placed - min(a.Placed, a.Withdrawn) }

func (a *Arm) add(other *Arm) {
	a.Assigned += other.Assigned
	a.Placed += other.Placed
	a.Withdrawn += other.Withdrawn
	a.Good += other.Good
	a.Bad += other.Bad
	a.Invalid += other.Invalid
	a.Judged += other.Judged
	for i := range a.Slow {
		a.Slow[i] += other.Slow[i]
	}
	a.DeadLetters += other.DeadLetters
}

// Segment counts documents that were assigned under the same policy: the epoch
// says to which step they belong, the exposure how they are weighed.
type Segment struct {
	Epoch    uint64           `json:"e"`
	Exposure rollout.Exposure `json:"x"`
	Legacy   Arm              `json:"l,omitzero"`
	Temporal Arm              `json:"t,omitzero"`
	// Compared shadows, of which Mismatched disagreed with their primary.
	Compared   uint64 `json:"c,omitempty"`
	Mismatched uint64 `json:"m,omitempty"`
	// Lost, doubled or corrupted documents, each confirmed.
	Lost    uint64 `json:"lost,omitempty"`
	Doubled uint64 `json:"doubled,omitempty"`
}

// Share returns the share of documents for Temporal, 0..1.
func (s *Segment) Share() float64 { return float64(s.Exposure) / float64(rollout.All) }

// Split reports whether both arms get documents.
func (s *Segment) Split() bool { return s.Exposure > rollout.None && s.Exposure < rollout.All }

func (s *Segment) add(other *Segment) {
	s.Legacy.add(&other.Legacy)
	s.Temporal.add(&other.Temporal)
	s.Compared += other.Compared
	s.Mismatched += other.Mismatched
	s.Lost += other.Lost
	s.Doubled += other.Doubled
}

func (s *Segment) compare(epoch uint64, exposure rollout.Exposure) int {
	return cmp.Or(cmp.Compare(s.Epoch, epoch), cmp.Compare(s.Exposure, exposure))
}

// Bin is what was counted in one second.
type Bin struct {
	// Second is the store's, since 1970.
	Second int64 `json:"second"`
	// Segments are ordered by epoch and exposure, each pair once.
	Segments []Segment `json:"segments,omitempty"`
}

// At returns the segment of an epoch and exposure, to be added to. It is valid
// until the next call.
func (b *Bin) At(epoch uint64, exposure rollout.Exposure) *Segment {
	i, found := slices.BinarySearchFunc(b.Segments, epoch, func(s Segment, e uint64) int {
		return s.compare(e, exposure)
	})
	if !found {
		b.Segments = slices.Insert(b.Segments, i, Segment{Epoch: epoch, Exposure: exposure})
	}
	return &b.Segments[i]
}

// Merge adds what another gateway counted in the same second.
func (b *Bin) Merge(other Bin) {
	for i := range other.Segments {
		s := &other.Segments[i]
		b.At(s.Epoch, s.Exposure).add(s)
	}
}

// since returns the bin without what was assigned before the epoch. It must be
// ordered.
func (b Bin) since(epoch uint64) Bin {
	i, _ := slices.BinarySearchFunc(b.Segments, epoch, func(s Segment, e uint64) int { return cmp.Compare(s.Epoch, e) })
	return Bin{Second: b.Second, Segments: b.Segments[i:]}
}

// ordered returns the bin with its segments in order, each pair once: a sum of
// fractions depends on the order of its terms.
func (b Bin) ordered() Bin {
	for i := 1; i < len(b.Segments); i++ {
		if s := &b.Segments[i]; b.Segments[i-1].compare(s.Epoch, s.Exposure) >= 0 {
			sorted := Bin{Second: b.Second}
			sorted.Merge(b)
			return sorted
		}
	}
	return b
}

// Take adds all that was counted in a second, whatever was in force.
func (s *Segment) Take(bin Bin) {
	for i := range bin.Segments {
		s.add(&bin.Segments[i])
	}
}
