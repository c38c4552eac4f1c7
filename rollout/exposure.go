package rollout

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Exposure is the share of documents served by Temporal, in steps of 0.0001 %:
// 0 is none, 1,000,000 is all. Bucket b is exposed if b < Exposure.
type Exposure uint32

// The two ends of the scale.
const (
	None Exposure = 0
	All  Exposure = 1_000_000
)

const stepsPerPercent = 10_000

// ErrNotPercent says that a number is not a percentage: outside 0..100, or NaN.
var ErrNotPercent = errors.New("a percentage must be a number from 0 to 100")

// ParsePercent turns a percentage, 0..100, into an Exposure, rounded to the
// nearest step. It fails with ErrNotPercent.
func ParsePercent(percent float64) (Exposure, error) {
	if !(percent >= 0 && percent <= 100) { // NaN fails every comparison
		return None, fmt.Errorf("%v: %w", percent, ErrNotPercent)
	}
	return Exposure(math.Round(percent * stepsPerPercent)), nil
}

// Percent returns the exposure in percent, 0..100.
func (e Exposure) Percent() float64 { return float64(e) / stepsPerPercent }

// String returns the exposure as operators write it, such as "12.5%".
func (e Exposure) String() string {
	return strconv.FormatFloat(e.Percent(), 'f', -1, 64) + "%"
}

// Includes reports whether a document in the bucket is within the exposure.
func (e Exposure) Includes(b Bucket) bool { return uint32(b) < uint32(e) }
