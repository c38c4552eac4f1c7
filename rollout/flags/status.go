package flags

import (
	"time"

	"sluice/rollout"
)

// Status is what operators see of the flags.
type Status struct {
	// Provider is the name of the flag source.
	Provider string
	// Epoch and InForce are the policy's.
	Epoch   uint64
	InForce rollout.Reading
	// Held: a good value is higher than what is in force, because the flags
	// that it depends on cannot be read at the moment.
	Held bool
	// Flags has one entry for each of Keys, in that order.
	Flags []FlagStatus
}

// FlagStatus is what operators see of one flag.
type FlagStatus struct {
	Flag string
	// Value is the last good one: float64, percent 0..100; for Kill a bool.
	Value any
	// Age is the time since the value was last read and good, or since the
	// start if Read is false.
	Age time.Duration
	// Read: the value was read since the start; else it is the stored one, the
	// boot value or 0.
	Read bool
	// Rejected: the newest value was not used.
	Rejected bool
	// Reason, Text and RejectedAt tell of the newest rejection, even if it is
	// over. Reason is empty if there was none since the start.
	Reason     Reason
	Text       string
	RejectedAt time.Time
}

// Status returns what the last reading left behind.
func (r *Reader) Status() Status {
	s := r.current.Load()
	status := Status{
		Provider: r.provider,
		Epoch:    s.policy.Epoch,
		InForce:  s.inForce,
		Held:     s.held(),
		Flags:    make([]FlagStatus, 0, flagCount),
	}
	for f, known := range s.flags {
		one := FlagStatus{
			Flag:       keys[f],
			Value:      value(s.good, flag(f)),
			Age:        time.Since(known.read),
			Read:       known.fresh,
			Rejected:   known.rejected,
			RejectedAt: known.at,
		}
		if known.last != nil {
			one.Reason, one.Text = known.last.reason, known.last.text
		}
		status.Flags = append(status.Flags, one)
	}
	return status
}

// Age returns the time since the flag that has gone longest without a good
// value had one, or since the start if it never had.
func (r *Reader) Age() time.Duration {
	s := r.current.Load()
	oldest := s.flags[0].read
	for _, known := range s.flags[1:] {
		if known.read.Before(oldest) {
			oldest = known.read
		}
	}
	return time.Since(oldest)
}
