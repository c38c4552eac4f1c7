package temporalpath

import (
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"

	"sluice/rollout"
)

// ErrAmbiguous says that Temporal may or may not have taken the document: the
// attempt left this process and was not answered in a way that proves either.
var ErrAmbiguous = errors.New("temporal may or may not have taken the document")

// judge turns the error of one attempt to start into rollout.ErrNotAccepted,
// where it is proved that this attempt started nothing, or else ErrAmbiguous. It
// wraps rollout.ErrUnavailable too unless the document itself was refused.
func judge(err error, left bool) error {
	switch {
	case left && unfit(err):
		return fmt.Errorf("%w: %w", rollout.ErrNotAccepted, err)
	case !left || refused(err):
		return fmt.Errorf("%w: %w: %w", rollout.ErrNotAccepted, rollout.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w: %w", ErrAmbiguous, rollout.ErrUnavailable, err)
}

// unfit reports whether Temporal refused this document and would take another.
func unfit(err error) bool {
	answer := serviceerror.ToStatus(err)
	return answer.Code() == codes.InvalidArgument || strings.Contains(answer.Message(), "larger than max")
}

// refused reports whether Temporal's answer proves that the attempt started
// nothing and never will.
func refused(err error) bool {
	answer := serviceerror.ToStatus(err)
	switch answer.Code() {
	case codes.InvalidArgument, codes.NotFound, codes.PermissionDenied,
		codes.Unauthenticated, codes.FailedPrecondition, codes.Unimplemented:
		return true
	case codes.ResourceExhausted:
		var exhausted *serviceerror.ResourceExhausted
		limited := errors.As(err, &exhausted) && exhausted.Cause == enumspb.RESOURCE_EXHAUSTED_CAUSE_RPS_LIMIT
		return limited || strings.Contains(answer.Message(), "larger than max") // gRPC's own, before Temporal saw it
	}
	return false
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
