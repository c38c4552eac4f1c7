package guard

import "sluice/rollout"

// Take adds what a store counted.
func (b *Bin) Take(counts []rollout.Count) {
	for _, c := range counts {
		s := b.At(c.Epoch, c.Exposure)
		if field := s.field(c); field != nil {
			*field += c.Times
		}
	}
}

// field returns where the count belongs, nil for one that this version does not
// know.
func (s *Segment) field(c rollout.Count) *uint64 {
	arm := &s.Legacy
	if c.Arm == rollout.Temporal {
		arm = &s.Temporal
	}
	switch c.Event {
	case rollout.EventAssigned:
		return &arm.Assigned
	case rollout.EventPlaced:
		return &arm.Placed
	case rollout.EventWithdrawn:
		return &arm.Withdrawn
	case rollout.EventGood:
		return &arm.Good
	case rollout.EventBad:
		return &arm.Bad
	case rollout.EventInvalid:
		return &arm.Invalid
	case rollout.EventTimed:
		return &arm.Judged
	case rollout.EventSlow50, rollout.EventSlow90, rollout.EventSlow99:
		return &arm.Slow[c.Event-rollout.EventSlow50]
	case rollout.EventDeadLetter:
		return &arm.DeadLetters
	case rollout.EventLost:
		return &s.Lost
	case rollout.EventDoubled:
		return &s.Doubled
	case rollout.EventCompared:
		return &s.Compared
	case rollout.EventMismatched:
		return &s.Mismatched
	}
	return nil
}
