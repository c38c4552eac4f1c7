package rollout

// Outcome is how one request ended, for the statistics.
type Outcome uint8

// The closed set of outcomes.
const (
	// OutcomeOK: answered 1xx, 2xx or 3xx, complete.
	OutcomeOK Outcome = iota
	// OutcomeAccepted: answered 202 by the gateway; the run goes on.
	OutcomeAccepted
	// OutcomeInvalid: answered 4xx; the client's doing, not the path's.
	OutcomeInvalid
	// OutcomeFailed: answered 5xx by the path.
	OutcomeFailed
	// OutcomeRefused: the path provably did not take the document.
	OutcomeRefused
	// OutcomeAmbiguous: the path may or may not have taken the document.
	OutcomeAmbiguous
	// OutcomeTimeout: no answer in time, after the document was sent.
	OutcomeTimeout
	// OutcomeTruncated: the answer broke off.
	OutcomeTruncated
	// OutcomeCanceled: the client left before its answer.
	OutcomeCanceled
)

var outcomes = [...]string{"ok", "accepted", "invalid", "failed", "refused", "ambiguous", "timeout", "truncated", "canceled"}

// Outcomes lists them all.
func Outcomes() []Outcome {
	all := make([]Outcome, len(outcomes))
	for i := range all {
		all[i] = Outcome(i)
	}
	return all
}

// String returns the word used in metrics and logs.
func (o Outcome) String() string { return outcomes[o] }

// Bad reports whether the outcome counts against the path.
func (o Outcome) Bad() bool {
	switch o {
	case OutcomeFailed, OutcomeRefused, OutcomeAmbiguous, OutcomeTimeout, OutcomeTruncated:
		return true
	}
	return false
}

// InvitesRepeat reports whether an answer with this HTTP status asks for the same
// request again: later, or, as credentials are no part of an intent, with others.
func InvitesRepeat(status int) bool {
	switch status {
	case 401, 403, 407, 408, 425, 429:
		return true
	}
	return status >= 500
}

// OutcomeOfStatus classes a complete answer by its HTTP status.
func OutcomeOfStatus(status int) Outcome {
	switch {
	case status >= 500:
		return OutcomeFailed
	case status >= 400:
		return OutcomeInvalid
	}
	return OutcomeOK
}
