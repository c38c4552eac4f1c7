package flags

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"sluice/rollout"
)

// noPercent is the default that a percentage is asked for with: not a
// percentage, so that it cannot be taken for a value.
const noPercent = -1

// evaluator reads the flags through an OpenFeature API of its own.
type evaluator struct {
	api      *openfeature.EvaluationAPI
	client   *openfeature.Client
	subject  openfeature.EvaluationContext
	deadline time.Duration    // for one evaluation
	calls    [flagCount]calls // owned by whoever reads
}

// answers is one reading: a value where there is no rejection.
type answers struct {
	reading rollout.Reading
	rejects [flagCount]*rejection
}

// newEvaluator hands the provider over to the SDK, which initialises it in the
// background, and calls wake on each of its events. ctx ends the provider's
// initialisation. ready is closed once that has succeeded or failed.
func newEvaluator(ctx context.Context, provider openfeature.FeatureProvider, deadline time.Duration, wake func()) (e *evaluator, ready <-chan struct{}, err error) {
	api := isolated.NewAPI()
	settled := make(chan struct{})
	settle := sync.OnceFunc(func() { close(settled) })
	later := func(openfeature.EventDetails) { wake() }
	first := func(openfeature.EventDetails) { settle(); wake() }
	api.AddHandler(openfeature.ProviderReady, &first)
	api.AddHandler(openfeature.ProviderError, &first)
	api.AddHandler(openfeature.ProviderStale, &later)
	api.AddHandler(openfeature.ProviderConfigChange, &later)
	if err := api.SetProvider(ctx, provider); err != nil {
		return nil, nil, fmt.Errorf("flag provider %s: %w", provider.Metadata().Name, err)
	}
	return &evaluator{
		api:      api,
		client:   api.NewClient(),
		subject:  openfeature.NewEvaluationContext("gateway", nil),
		deadline: deadline,
	}, settled, nil
}

// read evaluates the three flags. The kill flag goes first and last: if the two
// agree, no edit of it fell between, and it belongs with the percentages.
func (e *evaluator) read(ctx context.Context) answers {
	var a answers
	for range 2 { // an edit may fall into one reading, not into two in a row
		a = answers{}
		var before, after openfeature.BooleanEvaluationDetails
		before, a.rejects[killFlag] = e.kill(ctx, false)
		a.reading.Rollout, a.rejects[rolloutFlag] = e.percent(ctx, rolloutFlag)
		a.reading.Shadow, a.rejects[shadowFlag] = e.percent(ctx, shadowFlag)
		if a.rejects[killFlag] != nil {
			return a
		}
		after, a.rejects[killFlag] = e.kill(ctx, true)
		if a.rejects[killFlag] != nil {
			return a
		}
		if before.Value == after.Value {
			a.reading.Kill = after.Value
			return a
		}
		a.rejects[killFlag] = withoutValue(killFlag, after.Reason)
		if before.Reason == openfeature.DisabledReason && after.Reason == openfeature.DisabledReason {
			return a
		}
	}
	return a
}

func (e *evaluator) percent(ctx context.Context, f flag) (rollout.Exposure, *rejection) {
	details, rejected := ask(ctx, &e.calls[f], e.deadline, func(ctx context.Context) (openfeature.FloatEvaluationDetails, error) {
		return e.client.FloatValueDetails(ctx, keys[f], noPercent, e.subject)
	})
	if rejected != nil {
		return rollout.None, rejected
	}
	exposure, err := rollout.ParsePercent(details.Value)
	switch {
	case err == nil:
		// Whatever reason came with it: a good value may bear any.
		return exposure, nil
	case details.Value == noPercent && (details.Reason == openfeature.DisabledReason || details.Variant == ""):
		return rollout.None, withoutValue(f, details.Reason)
	}
	return rollout.None, &rejection{ReasonOutOfRange, fmt.Sprintf("its value is %v: %v", details.Value, rollout.ErrNotPercent)}
}

func (e *evaluator) kill(ctx context.Context, fallback bool) (openfeature.BooleanEvaluationDetails, *rejection) {
	return ask(ctx, &e.calls[killFlag], e.deadline, func(ctx context.Context) (openfeature.BooleanEvaluationDetails, error) {
		return e.client.BooleanValueDetails(ctx, keys[killFlag], fallback, e.subject)
	})
}

// withoutValue explains a default that came back without an error.
func withoutValue(f flag, reason openfeature.Reason) *rejection {
	if reason != openfeature.DisabledReason {
		return &rejection{ReasonNoValue, "the source answered with the default it was given: it has no value for this flag"}
	}
	off := "to switch the rollout off, set it to 0 or set " + Kill + " to true"
	if f == killFlag {
		off = "to let documents through to Temporal, enable it and set it to false"
	}
	return &rejection{ReasonDisabled, "the flag is disabled at the source, and so has no value; " + off}
}
