package guard

import "sluice/rollout"

// healthWidth is the length of one slot of legacy's health, in seconds; all but
// one of them are five minutes.
const healthWidth = 10

// Tries are documents with an outcome, of which some were bad.
type Tries struct {
	All uint64 `json:"all,omitempty"`
	Bad uint64 `json:"bad,omitempty"`
}

// Health is how legacy itself fares, over the last five minutes.
type Health struct {
	// Slot is the number of the newest slot, since 1970.
	Slot int64 `json:"slot"`
	// Tries are those of the newest slots, newest first.
	Tries [300 / healthWidth]Tries `json:"tries"`
}

func (h *Health) add(b *Bin) {
	h.age(b.Second)
	for i := range b.Segments {
		h.Tries[0].All += b.Segments[i].Legacy.Settled()
		h.Tries[0].Bad += b.Segments[i].Legacy.Bad
	}
}

// age moves the window on to the second.
func (h *Health) age(second int64) {
	gone := second/healthWidth - h.Slot
	if gone <= 0 {
		return
	}
	var tries [len(h.Tries)]Tries
	if gone < int64(len(tries)) {
		copy(tries[gone:], h.Tries[:])
	}
	h.Slot, h.Tries = second/healthWidth, tries
}

// Unhealthy reports whether legacy's bad rate over the five minutes before the
// second is proved to be above the limit, at 95 %.
func (h *Health) Unhealthy(limit float64, second int64) bool {
	now := *h
	now.age(second)
	var sum Tries
	for _, t := range now.Tries {
		sum.All += t.All
		sum.Bad += t.Bad
	}
	return rollout.Lower(sum.Bad, sum.All, 0.95) > limit
}
