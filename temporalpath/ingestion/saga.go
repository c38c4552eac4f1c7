package ingestion

import (
	"slices"

	"sluice/temporalpath/ingestion/stores"
)

// saga is the order of steps and undos. How one of them is tried, and how
// often, is up to the three functions, so the same saga runs as a workflow and
// as a plain call; it is deterministic as far as they are.
type saga struct {
	// check returns the result so far, or why the document is invalid.
	check func() (Result, error)
	// store runs one step and returns the result with its share.
	store func(stores.Kind, Result) (Result, error)
	// undo makes sure that one step's write is gone.
	undo func(Undo) error
	// reason says in words why a function failed.
	reason func(error) string
	// invalid tells whether an error of check is the document's fault.
	invalid func(error) bool
}

// run returns the result, or how it failed and the step's own error.
func (s saga) run(job Job) (Result, *Failure, error) {
	result, err := s.check()
	if err != nil {
		failure := &Failure{Type: TypeIngestionFailed, Step: StepCheck, Reason: s.reason(err)}
		if s.invalid(err) {
			failure.Type = TypeInvalidDocument
		}
		return Result{}, failure, err
	}
	var begun []Undo
	for _, kind := range stores.Kinds() {
		begun = append(begun, Undo{Kind: kind, Ref: job.ref(), Shadow: job.Input.Shadow})
		if result, err = s.store(kind, result); err != nil {
			return Result{}, s.fail(kind, err, begun), err
		}
	}
	return result, nil, nil
}

// fail undoes what was begun, the last step first, past undos that fail.
func (s saga) fail(kind stores.Kind, cause error, begun []Undo) *Failure {
	failure := &Failure{Type: TypeIngestionFailed, Step: string(kind), Reason: s.reason(cause)}
	for _, undo := range slices.Backward(begun) {
		if err := s.undo(undo); err != nil {
			failure.Type = TypeDeadLetter
			failure.NotUndone = append(failure.NotUndone, NotUndone{Store: undo.storeName(), Reason: s.reason(err)})
		}
	}
	return failure
}
