package ingestion

import (
	"errors"
	"fmt"
	"strings"
)

// The types of failure in which an ingestion ends. They are the types of the
// ApplicationErrors that the workflow fails with.
const (
	// TypeInvalidDocument: the document is no JSON object; nothing was written.
	TypeInvalidDocument = "InvalidDocument"
	// TypeIngestionFailed: a step failed for good; everything was undone.
	TypeIngestionFailed = "IngestionFailed"
	// TypeDeadLetter: a step failed for good, and not everything was undone.
	TypeDeadLetter = "DeadLetter"
)

// ErrInvalidDocument says that a document cannot be ingested as it is.
var ErrInvalidDocument = errors.New("the document must be a JSON object")

// errInjected is the failure that a demonstration asked for.
var errInjected = errors.New("this failure was switched on for demonstration")

// StepCheck is the step before the four that are named after their stores.
const StepCheck = "check"

// Failure is how an ingestion ended that did not succeed. It is the first of
// the details of the workflow's ApplicationError.
type Failure struct {
	// Type is one of the types above.
	Type string `json:"type"`
	// Step is StepCheck or the kind of the store.
	Step string `json:"step"`
	// Reason is what the step's last attempt answered.
	Reason string `json:"reason"`
	// NotUndone names the stores in which something may be left, in the order
	// in which their undos gave up.
	NotUndone []NotUndone `json:"not_undone,omitempty"`
}

// NotUndone is an undo that gave up.
type NotUndone struct {
	Store  string `json:"store"`
	Reason string `json:"reason"`
}

// Error says in one sentence what happened and what is left behind.
func (f *Failure) Error() string {
	switch f.Type {
	case TypeInvalidDocument:
		return f.Reason
	case TypeDeadLetter:
		var left []string
		for _, undo := range f.NotUndone {
			left = append(left, undo.Store)
		}
		return fmt.Sprintf("step %s failed for good: %s; something may be left in: %s",
			f.Step, f.Reason, strings.Join(left, ", "))
	default:
		return fmt.Sprintf("step %s failed for good: %s; everything was undone", f.Step, f.Reason)
	}
}
