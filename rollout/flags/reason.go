package flags

import (
	"slices"

	"github.com/open-feature/go-sdk/openfeature"
)

// Reason says why a value was not used.
type Reason string

// The closed set of reasons.
const (
	// ReasonMissing: the source has no such flag.
	ReasonMissing Reason = "missing"
	// ReasonBroken: the source's data, or the flag's definition, is not
	// understood.
	ReasonBroken Reason = "broken"
	// ReasonWrongType: the value is of another type.
	ReasonWrongType Reason = "wrong-type"
	// ReasonOutOfRange: a percentage outside 0..100, or not a number.
	ReasonOutOfRange Reason = "out-of-range"
	// ReasonDisabled: the flag is switched off at the source and has no value.
	ReasonDisabled Reason = "disabled"
	// ReasonNoValue: the source handed back the default it was given.
	ReasonNoValue Reason = "no-value"
	// ReasonUnavailable: the source cannot be reached or failed.
	ReasonUnavailable Reason = "unavailable"
	// ReasonNotReady: the provider has not started, or gave up.
	ReasonNotReady Reason = "not-ready"
	// ReasonTimeout: no answer before the deadline.
	ReasonTimeout Reason = "timeout"
)

var reasons = [...]Reason{
	ReasonMissing, ReasonBroken, ReasonWrongType, ReasonOutOfRange, ReasonDisabled,
	ReasonNoValue, ReasonUnavailable, ReasonNotReady, ReasonTimeout,
}

// Reasons lists them all.
func Reasons() []Reason { return slices.Clone(reasons[:]) }

// rejection is why one value was not used.
type rejection struct {
	reason Reason
	text   string
}

// reasonOf maps the code of a failed evaluation. The SDK's errors compare by
// their messages, so the code is all there is to go by.
func reasonOf(code openfeature.ErrorCode) Reason {
	switch code {
	case openfeature.FlagNotFoundCode:
		return ReasonMissing
	case openfeature.ParseErrorCode:
		return ReasonBroken
	case openfeature.TypeMismatchCode:
		return ReasonWrongType
	case openfeature.ProviderNotReadyCode, openfeature.ProviderFatalCode:
		return ReasonNotReady
	}
	return ReasonUnavailable
}
