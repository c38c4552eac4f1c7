package guard

import (
	"fmt"

	"sluice/rollout"
)

// Tally is the evidence for leaving one step of a plan: the documents that were
// assigned since the step began, while its exposure was in force. What was
// assigned before, or while the flag was lower, proves nothing for it.
type Tally struct {
	// Epoch is the first of the step.
	Epoch uint64 `json:"epoch"`
	// Exposure is the step's.
	Exposure rollout.Exposure `json:"exposure"`
	// Second is the last that was added.
	Second int64 `json:"second"`
	// Sum is what was counted; its epoch is not used.
	Sum Segment `json:"sum"`
}

// Add takes in the sum of what all gateways counted in one second. It fails with
// ErrPast, and adds nothing, if that second or a later one was added before.
func (t *Tally) Add(bin Bin) error {
	if bin.Second <= t.Second {
		return fmt.Errorf("second %d, after %d: %w", bin.Second, t.Second, ErrPast)
	}
	t.Second = bin.Second
	for i := range bin.Segments {
		if s := &bin.Segments[i]; s.Epoch >= t.Epoch && s.Exposure == t.Exposure {
			t.Sum.add(s)
		}
	}
	return nil
}
