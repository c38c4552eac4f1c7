package rollout

import "errors"

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
	// Status is the HTTP status that the route's table gives the type, or 502.
	Status int
}
