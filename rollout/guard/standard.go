package guard

import (
	"errors"
	"fmt"
)

// Standard is what must be proved for a plan to advance.
type Standard struct {
	// Ratio is the ratio of bad rates that must be excluded; 2 is twice legacy's.
	Ratio float64 `json:"ratio"`
	// Alpha is the chance, 0..1, that a path at a limit passes.
	Alpha float64 `json:"alpha"`
	// Floor is a bad rate of Temporal, 0..1, that is good enough whatever
	// legacy's is.
	Floor float64 `json:"floor"`
	// Mismatch is the rate of mismatches, 0..1, that must be excluded.
	Mismatch float64 `json:"mismatch"`
	// SampleRatio is the p-value below which assignments are taken to be lost.
	SampleRatio float64 `json:"sample_ratio"`
}

// DefaultStandard returns the recommended one.
func DefaultStandard() Standard {
	return Standard{Ratio: 2, Alpha: 0.05, Floor: 0.001, Mismatch: 0.01, SampleRatio: 0.001}
}

// Validate returns an error that names each bad setting and says what to do.
func (s *Standard) Validate() error {
	var wrong []error
	if !(s.Ratio > 1 && s.Ratio <= 1000) {
		wrong = append(wrong, fmt.Errorf("ratio is %v: set it above 1; that Temporal is no worse at all cannot be proved", s.Ratio))
	}
	for _, part := range []struct {
		name    string
		value   float64
		example string
	}{
		{"alpha", s.Alpha, "0.05"}, {"floor", s.Floor, "0.001"}, {"mismatch", s.Mismatch, "0.01"}, {"sample_ratio", s.SampleRatio, "0.001"},
	} {
		if !(part.value > 0 && part.value < 1) {
			wrong = append(wrong, fmt.Errorf("%s is %v: set it between 0 and 1, such as %s", part.name, part.value, part.example))
		}
	}
	return errors.Join(wrong...)
}
