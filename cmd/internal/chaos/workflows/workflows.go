// Package workflows is the Temporal side of the chaos harness: two workflow types
// that ingest a document by writing down that they did. What the ledger counts is
// therefore what Temporal executed.
package workflows

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"sluice/cmd/internal/chaos/ledger"
	"sluice/cmd/internal/chaos/wishes"
	"sluice/temporalpath/wire"
)

// The names of the types, their queue, and the failures they end with.
const (
	TypeUpdate = "ChaosUpdate"
	TypeClose  = "ChaosClose"
	Queue      = "chaos"
	Failed     = "IngestionFailed" // everything is undone
	DeadLetter = "DeadLetter"      // something stays
)

// slowest is the longest that an activity takes.
const slowest = 2500 * time.Millisecond

// ingestion is the workflow and its activities.
type ingestion struct {
	ledger *ledger.Ledger
	seed   uint64
	calm   atomic.Bool
}

// plan is what a life comes to. It follows from the seed and the life alone, so
// that replays agree.
type plan struct {
	fate ledger.Fate
	slow time.Duration
}

func (i *ingestion) plan(in wire.Input) plan {
	h := fnv.New64a()
	for _, part := range [...]string{strconv.FormatUint(i.seed, 10), in.DocID, in.Intent, strconv.FormatUint(in.Life, 10)} {
		_, _ = h.Write([]byte(part)) // never fails
	}
	luck := h.Sum64() % 1000
	p := plan{}
	switch {
	case luck < 60:
		p.fate = ledger.Undo
	case luck < 75:
		p.fate = ledger.Dead
	}
	// Versions of a hot document have to wait for each other.
	if luck%20 == 7 || strings.HasPrefix(in.DocID, wishes.Hot) && luck%2 == 0 {
		p.slow = slowest * time.Duration(luck) / 1000
	}
	return p
}

// byUpdate offers its result through the update, and does not end before every
// update has its answer.
func (i *ingestion) byUpdate(ctx workflow.Context, in wire.Input) (wishes.Answer, error) {
	outcome, settle := workflow.NewFuture(ctx)
	err := workflow.SetUpdateHandler(ctx, wire.ResultUpdate, func(ctx workflow.Context) (wishes.Answer, error) {
		var answer wishes.Answer
		err := outcome.Get(ctx, &answer)
		return answer, err
	})
	if err != nil {
		return wishes.Answer{}, err
	}
	answer, err := i.byClose(ctx, in)
	settle.Set(answer, err)
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return wishes.Answer{}, err
	}
	return answer, err
}

// byClose ingests and says so by its end.
func (i *ingestion) byClose(ctx workflow.Context, in wire.Input) (wishes.Answer, error) {
	p := i.plan(in)
	retries := &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 1}
	var answer wishes.Answer
	var err error
	if p.slow > 0 {
		away := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second, RetryPolicy: retries})
		err = workflow.ExecuteActivity(away, i.Ingest, in).Get(ctx, &answer)
	} else {
		here := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 10 * time.Second, RetryPolicy: retries})
		err = workflow.ExecuteLocalActivity(here, i.Ingest, in).Get(ctx, &answer)
	}
	switch {
	case err != nil:
		return wishes.Answer{}, err
	case p.fate == ledger.Dead:
		return wishes.Answer{}, temporal.NewNonRetryableApplicationError("it stays half done", DeadLetter, nil)
	case p.fate == ledger.Undo:
		here := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 10 * time.Second, RetryPolicy: retries})
		if err := workflow.ExecuteLocalActivity(here, i.Undo, answer).Get(ctx, nil); err != nil {
			return wishes.Answer{}, err
		}
		return wishes.Answer{}, temporal.NewNonRetryableApplicationError("nothing is left of it", Failed, nil)
	}
	return answer, nil
}

// Ingest is the side effect.
func (i *ingestion) Ingest(ctx context.Context, in wire.Input) (wishes.Answer, error) {
	var doc wishes.Document
	if err := json.Unmarshal(in.Body, &doc); err != nil {
		return wishes.Answer{}, err
	}
	p, id := i.plan(in), activity.GetInfo(ctx).WorkflowExecution.RunID
	ended := i.ledger.Ran(doc.Wish, ledger.Run{Life: in.Life, ID: id, Fate: p.fate, Intent: in.Intent})
	defer ended()
	if !i.calm.Load() {
		time.Sleep(p.slow)
	}
	return wishes.Answer{Path: "temporal", Wish: doc.Wish, Life: in.Life, Run: id}, nil
}

// Undo takes the side effect back.
func (i *ingestion) Undo(_ context.Context, done wishes.Answer) error {
	i.ledger.Undone(done.Wish, done.Run)
	return nil
}
