package ingestion

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// backoff is the factor between two waits.
const backoff = 2

// Policy says how often and how long steps and undos are tried. Zero fields
// mean the defaults.
//
// Workers of one build may differ in it and it may change under running
// workflows: it becomes part of the commands that a workflow gives, never of
// which commands it gives.
type Policy struct {
	// Attempts is how often a step is tried; default 5.
	Attempts int32
	// FirstWait is the pause after the first attempt of a step or an undo; each
	// further one is twice as long. Default 200 ms.
	FirstWait time.Duration
	// MaxWait bounds that pause; default 10 s.
	MaxWait time.Duration
	// Timeout bounds one attempt of a short step or an undo; default 5 s.
	Timeout time.Duration
	// LongTimeout bounds one attempt of the vector step; default 2 min.
	LongTimeout time.Duration
	// Heartbeat is how long the vector step may be silent; default 10 s.
	Heartbeat time.Duration
	// UndoGiveUp is how long one undo is tried, as often as it takes, before the
	// document becomes a dead letter; time without workers counts. Default 1 h.
	UndoGiveUp time.Duration
}

// filled returns the policy with its defaults.
func (p Policy) filled() Policy {
	if p.Attempts <= 0 {
		p.Attempts = 5
	}
	for field, standard := range map[*time.Duration]time.Duration{
		&p.FirstWait: 200 * time.Millisecond, &p.MaxWait: 10 * time.Second,
		&p.Timeout: 5 * time.Second, &p.LongTimeout: 2 * time.Minute,
		&p.Heartbeat: 10 * time.Second, &p.UndoGiveUp: time.Hour,
	} {
		if *field <= 0 {
			*field = standard
		}
	}
	return p
}

// short is for steps that are one idempotent write: run in the worker that has
// the workflow, without a round trip through the server. The time for all
// attempts must be given, or the SDK allows them that of one.
func (p Policy) short() workflow.LocalActivityOptions {
	return workflow.LocalActivityOptions{
		StartToCloseTimeout:    p.Timeout,
		ScheduleToCloseTimeout: time.Duration(p.Attempts) * (p.Timeout + max(p.MaxWait, p.FirstWait)),
		RetryPolicy:            p.retry(p.Attempts),
	}
}

// long is for the step that computes: the server knows of it and gives it to
// another worker if this one falls silent.
func (p Policy) long() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: p.LongTimeout, HeartbeatTimeout: p.Heartbeat, RetryPolicy: p.retry(p.Attempts),
	}
}

// undo is for undos: the server shows each one that is stuck, and why.
func (p Policy) undo(name string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: p.Timeout, ScheduleToCloseTimeout: p.UndoGiveUp,
		RetryPolicy: p.retry(0), Summary: "undo " + name,
	}
}

// retry returns the policy for a number of attempts, 0 for any number.
func (p Policy) retry(attempts int32) *temporal.RetryPolicy {
	return &temporal.RetryPolicy{
		InitialInterval: p.FirstWait, BackoffCoefficient: backoff,
		MaximumInterval: max(p.MaxWait, p.FirstWait), MaximumAttempts: attempts,
	}
}
