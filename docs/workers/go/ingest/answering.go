package ingest

import "go.temporal.io/sdk/workflow"

// doc:begin update

// answering does the work and offers its outcome by the update "result", by which Sluice
// waits for it. It returns when everybody who asked has been answered.
func answering[T any](ctx workflow.Context, work func(workflow.Context) (T, error)) (T, error) {
	outcome, settle := workflow.NewFuture(ctx)
	err := workflow.SetUpdateHandler(ctx, "result", func(ctx workflow.Context) (result T, err error) {
		err = outcome.Get(ctx, &result)
		return result, err
	})
	if err != nil {
		return *new(T), err
	}
	result, err := work(ctx)
	settle.Set(result, err)
	answering, _ := workflow.NewDisconnectedContext(ctx)
	if err := workflow.Await(answering, func() bool { return workflow.AllHandlersFinished(answering) }); err != nil {
		return *new(T), err
	}
	return result, err
}

// doc:end update
