// Package validation is the workflow that compares the two paths on a backlog, a file
// of requests, without a gateway. Its worker is the command that was started for it,
// for the file and legacy are where the command runs.
//
//	lines ─▶ batches, so many at one time ─▶ shares of the evidence ─▶ their sum
//	              │ worker gone: Temporal waits, the next attempt goes on
//	              ▼ from the batch's last heartbeat
//	   line ─▶ legacy's answer ─▶ shadow run, or the one that there was ─▶ counted
//
// Invariants:
//   - Each line is counted once: what a batch has counted travels with its heartbeats
//     and its result, and what was cut off before is counted by no one else.
//   - A line's shadow run has a workflow ID of its own, in this validation alone, so a
//     repeat finds the run that there was, and the mirror's runs are never met.
//   - Legacy is called once for each line, but for an attempt that was cut off before
//     its answer was on a heartbeat.
//   - Histories stay small: the workflow continues as new.
//
// How answers are compared and counted is the caller's: shares are JSON here.
package validation

import (
	"context"
	"encoding/json"
	"time"

	"sluice/rollout"
)

// Names that histories and other processes hold, so they stay.
const (
	// WorkflowType is the workflow's.
	WorkflowType = "sluice.validation"
	// ProgressQuery is answered with a Progress.
	ProgressQuery = "progress"

	activityBatch = "sluice.validation-batch"
)

// IDOf returns the workflow's ID, which is its task queue's name too; digest tells
// validations apart. Each has a queue of its own, so that no worker gets batches of
// a file that it does not have.
func IDOf(digest string) string { return "validation/" + digest }

// Input is the workflow's only argument.
type Input struct {
	// File is the file's name, for people; SHA256 is what it holds.
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	// Lines counts them.
	Lines int `json:"lines"`
	// Batch is how many lines an activity takes, Parallel how many activities run at
	// one time.
	Batch    int `json:"batch"`
	Parallel int `json:"parallel"`
	// Mode says how legacy is called; a worker of another mode refuses.
	Mode string `json:"mode"`
	// Next is the first line that no run of the workflow has begun, from 0, and Sum
	// the share of those before.
	Next int             `json:"next,omitempty"`
	Sum  json.RawMessage `json:"sum,omitempty"`
}

// Progress says how far a validation is.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
	// Running counts the lines of the batches under way.
	Running int `json:"running"`
}

// Batch is an activity's argument: the lines from From to before To.
type Batch struct {
	SHA256 string `json:"sha256"`
	Mode   string `json:"mode"`
	// Run names the validation among all that there were.
	Run  string `json:"run"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// Books counts. Shares are JSON; an empty one is null or has no bytes.
type Books interface {
	// Compared returns the share with one exchange more.
	Compared(share json.RawMessage, exchange *rollout.Exchange) (json.RawMessage, error)
	// Dropped returns the share with one more request that was not compared.
	Dropped(share json.RawMessage, route string, reason rollout.DropReason) (json.RawMessage, error)
	// Sum adds two shares. It is called by the workflow: the same shares must give
	// the same sum, without I/O or clock.
	Sum(a, b json.RawMessage) (json.RawMessage, error)
}

// Requests reads lines.
type Requests interface {
	// Request returns the request that a line stands for, and its document, without
	// an intent. It fails with ErrNone if there is no such request after all, and says
	// then of which route it would have been; with any other error, asking again may
	// help.
	Request(ctx context.Context, line []byte) (*Request, *rollout.Document, error)
}

// Legacy is the legacy service.
type Legacy interface {
	// Call sends the request, in the mode that the validation has, and returns the
	// whole answer. It fails with ErrAway if nothing was sent, with ErrTooLarge, or
	// with ErrNone if there is no whole answer.
	Call(ctx context.Context, request *Request) (rollout.Answer, error)
}

// Temporal runs documents for the shadow.
type Temporal interface {
	// Shadow starts the document's shadow run and waits for its end, at most for wait.
	// It fails with rollout.ErrDuplicate if there was such a run before.
	Shadow(ctx context.Context, doc *rollout.Document, arm string, wait time.Duration) (rollout.Run, error)
	// Shadowed waits for the run that there was, and says how long it took.
	Shadowed(ctx context.Context, doc *rollout.Document, arm string, wait time.Duration) (rollout.Run, time.Duration, error)
	// Oversize reports whether Temporal cannot hold the document.
	Oversize(doc *rollout.Document) bool
}
