// Package verdict says what an error of Temporal's proves of the start that it answers.
package verdict

import (
	"errors"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
)

// Unfit reports whether Temporal refused this document and would take another.
func Unfit(err error) bool {
	answer := serviceerror.ToStatus(err)
	return answer.Code() == codes.InvalidArgument || strings.Contains(answer.Message(), "larger than max")
}

// Refused reports whether Temporal's answer proves that the attempt started
// nothing and never will.
func Refused(err error) bool {
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
