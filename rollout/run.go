package rollout

import (
	"errors"
	"time"
)

// RunState is where a document's workflow stands.
type RunState uint8

// The states of a run, as the status resource shows them.
const (
	// RunRunning: Temporal has it; it is not finished.
	RunRunning RunState = iota
	// RunCompleted: finished with a result.
	RunCompleted
	// RunFailed: finished without one.
	RunFailed
)

// String returns "running", "completed" or "failed".
func (s RunState) String() string {
	return [...]string{"running", "completed", "failed"}[s]
}

// Run is a workflow that Temporal provably holds, as the gateway last saw it.
type Run struct {
	WorkflowID string
	State      RunState
	// Answer is what the client gets; set if State is RunCompleted.
	Answer Answer
	// Failure is set if State is RunFailed.
	Failure Failure
	// Stalled says what keeps a run that is RunRunning from getting on, for people; empty
	// if nothing is known to.
	Stalled string
	// Took is how long the attempt took that started it, as the gateway saw it; 0 if
	// it saw no start. Closed is when it ended by Temporal's clock; zero if unknown.
	Took   time.Duration
	Closed time.Time
}

// Fate returns what the end of the run is for the guardrails, if dead says whether
// it is a dead letter.
func (r *Run) Fate(dead bool) Fate {
	switch {
	case r.State == RunCompleted:
		return FateOf(OutcomeOfStatus(r.Answer.Status))
	case r.State != RunFailed:
		return FateUnknown
	case dead:
		return FateDead
	}
	return FateOf(OutcomeOfStatus(r.Failure.Status))
}

// took returns how long a life was at work, given when it began and the time now; 0
// if nobody knows, as of one that was held back.
func (r *Run) took(c *Claim, now time.Time) time.Duration {
	switch {
	case r.Took > 0 && c.Attempts == 1:
		return r.Took
	case c.Begins != 0:
		return 0
	case !r.Closed.IsZero():
		now = r.Closed
	}
	return max(c.Age(now), time.Millisecond) // two clocks may differ
}

// ErrDuplicate says that the document's shadow run had been started before, by
// whomever: what it answered was, or is to be, compared there.
var ErrDuplicate = errors.New("the shadow run exists already")

// The types of failures that have no ApplicationError.
const (
	// FailureFailed: an error without a type of its own.
	FailureFailed = "failed"
	// FailureTimeout, FailureCanceled, FailureTerminated: closed from outside.
	FailureTimeout    = "timeout"
	FailureCanceled   = "canceled"
	FailureTerminated = "terminated"
	// FailureBadResult: the workflow completed with a result that is no answer.
	FailureBadResult = "BadResult"
)

// Failure is why a run ended without a result.
type Failure struct {
	// Type is the ApplicationError's type, or one of those above.
	Type string
	// Message is for people.
	Message string
	// Public: clients may read Message. What an error says that no table names was not
	// meant for them.
	Public bool
	// Note is for those who keep the workers, and in the log alone; may be empty.
	Note string
	// Status is Answer's, or the HTTP status that the route's table gives the type, or
	// 502.
	Status int
	// Answer is the answer that the failure carries, of an error; nil if it carries none.
	Answer *Answer
}
