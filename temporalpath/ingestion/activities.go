package ingestion

import (
	"context"
	"errors"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"sluice/temporalpath/ingestion/stores"
)

// The names under which the activities are registered: histories hold them, so
// they stay.
const (
	activityCheck  = "CheckDocument"
	activityUndo   = "UndoStep"
	activityReport = "ReportDeadLetter"
)

// activityOf names the activity of a kind's step.
func activityOf(kind stores.Kind) string {
	switch kind {
	case stores.Document:
		return "StoreDocument"
	case stores.Vector:
		return "StoreVectors"
	case stores.Graph:
		return "StoreGraph"
	default:
		return "StoreCache"
	}
}

// typeRefused is the type of a step's failure that no repeat will mend.
const typeRefused = "Refused"

// Register registers the workflow and its activities with a worker. It fails if
// config lacks a store.
func Register(registry worker.Registry, config Config) error {
	steps, err := NewSteps(config)
	if err != nil {
		return err
	}
	RegisterWorkflow(registry, config.Policy)
	a := activities{steps: steps}
	register := func(name string, do any) {
		registry.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: name})
	}
	for _, kind := range stores.Kinds() {
		register(activityOf(kind), a.store(kind))
	}
	register(activityCheck, a.check)
	register(activityUndo, a.undo)
	register(activityReport, a.report)
	return nil
}

// activities are the steps as Temporal calls them: failures tell whether a
// repeat may help, and the vector step sends heartbeats.
type activities struct {
	steps *Steps
}

func (a activities) check(_ context.Context, job Job) (Result, error) {
	result, err := a.steps.check(job)
	return result, typed(err)
}

func (a activities) store(kind stores.Kind) func(context.Context, Job, Result) (Result, error) {
	return func(ctx context.Context, job Job, result Result) (Result, error) {
		beat := func() { activity.RecordHeartbeat(ctx) } // does nothing in a local activity
		result, err := a.steps.store(ctx, kind, job, result, beat)
		return result, typed(err)
	}
}

func (a activities) undo(ctx context.Context, undo Undo) error {
	return typed(a.steps.undo(ctx, undo))
}

func (a activities) report(ctx context.Context, failure *Failure) error {
	activity.GetLogger(ctx).Error("A document became a dead letter.", "failure", failure.Error())
	a.steps.observer.DeadLettered(failure.Step)
	return nil
}

// final reports whether repeating a step that failed with err is pointless.
func final(err error) bool {
	return errors.Is(err, ErrInvalidDocument) || errors.Is(err, errInjected) ||
		errors.Is(err, errNoShadows) || errors.Is(err, errShadowsOnly) || stores.Final(err)
}

// typed tells Temporal which failures are final.
func typed(err error) error {
	switch {
	case errors.Is(err, ErrInvalidDocument):
		return temporal.NewNonRetryableApplicationError(err.Error(), TypeInvalidDocument, nil)
	case final(err):
		return temporal.NewNonRetryableApplicationError(err.Error(), typeRefused, nil)
	default:
		return err
	}
}
