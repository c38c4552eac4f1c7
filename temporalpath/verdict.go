package temporalpath

import (
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"

	"sluice/rollout"
	"sluice/temporalpath/verdict"
)

// ErrAmbiguous says that Temporal may or may not have taken the document: the
// attempt left this process and was not answered in a way that proves either.
var ErrAmbiguous = errors.New("temporal may or may not have taken the document")

// judge turns the error of one attempt to start into rollout.ErrNotAccepted,
// where it is proved that this attempt started nothing, or else ErrAmbiguous. It
// wraps rollout.ErrUnavailable too unless the document itself was refused.
func judge(err error, left bool) error {
	switch {
	case left && verdict.Unfit(err):
		return fmt.Errorf("%w: %w", rollout.ErrNotAccepted, err)
	case !left || verdict.Refused(err):
		return fmt.Errorf("%w: %w: %w", rollout.ErrNotAccepted, rollout.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w: %w", ErrAmbiguous, rollout.ErrUnavailable, err)
}

// startError returns the error of the start within a failed Update-with-Start,
// or nil if only the update failed or the error says nothing of the start.
func startError(err error) error {
	var multi *serviceerror.MultiOperationExecution
	if !errors.As(err, &multi) {
		return err
	}
	operations := multi.OperationErrors()
	var aborted *serviceerror.MultiOperationAborted
	if len(operations) == 0 || operations[0] == nil || errors.As(operations[0], &aborted) {
		return nil
	}
	return operations[0]
}
