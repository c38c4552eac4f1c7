package validation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"sluice/rollout"
)

// What legacy and the reading of lines may fail with.
var (
	// ErrAway: nothing was sent; legacy cannot be reached now.
	ErrAway = errors.New("legacy cannot be reached")
	// ErrNone: there is no whole answer, and asking again is no use or not allowed.
	ErrNone = errors.New("legacy gives no whole answer")
	// ErrTooLarge: the answer is larger than is compared.
	ErrTooLarge = errors.New("the answer is too large to be compared")
)

const (
	// beatInterval is how often a batch shows that it is alive.
	beatInterval = 2 * time.Second
	// keptAnswer is the largest answer of legacy that a heartbeat carries, in bytes.
	keptAnswer = 64 << 10
	// typeForeign is the type of the failure of a batch that is not this worker's.
	typeForeign = "Foreign"
)

// Config is what a worker needs. All fields are needed.
type Config struct {
	Lines *Lines
	Mode  string
	Books
	Requests
	Legacy
	Temporal
	// Ready reports whether shadow runs of the route may be started; if not, why.
	Ready func(route string) (bool, string)
	// Pairs reports whether the document is to run twice.
	Pairs func(docID string) bool
	// Patience is how long a shadow run may take.
	Patience time.Duration
	// Waits is told why a batch cannot go on for now.
	Waits func(error)
}

// batches is the activity.
type batches struct{ config Config }

// position is how far an attempt at a batch is. It travels with heartbeats.
type position struct {
	Next  int             `json:"next"`
	Share json.RawMessage `json:"share,omitempty"`
	// Primary is what legacy has answered to the line Next, if that is known, as
	// rollout.AppendAnswer encodes it; Took how long it took.
	Primary []byte        `json:"primary,omitempty"`
	Took    time.Duration `json:"took,omitempty"`
}

// attempt is one attempt at a batch.
type attempt struct {
	*batches
	batch Batch
	// record sends a heartbeat. It works until the activity has returned, also while
	// the worker stops.
	record func(position)

	mu sync.Mutex
	at position // guarded by mu; written by one goroutine
}

// errStopped says that the worker stops; the next attempt goes on.
var errStopped = errors.New("the worker stops")

// batch takes the lines of a batch that no attempt before it has counted.
func (b *batches) batch(ctx context.Context, batch Batch) (json.RawMessage, error) {
	if batch.SHA256 != b.config.Lines.SHA256() || batch.Mode != b.config.Mode {
		return nil, temporal.NewNonRetryableApplicationError("the file or the mode is not that of the validation", typeForeign, nil)
	}
	a := &attempt{batches: b, batch: batch, at: position{Next: batch.From}}
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &a.at); err != nil {
			return nil, err
		}
	}
	whole := ctx
	a.record = func(at position) { activity.RecordHeartbeat(whole, at) }
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go a.beat(ctx)
	go func() {
		select {
		case <-activity.GetWorkerStopChannel(ctx):
			cancel()
		case <-ctx.Done():
		}
	}()
	for a.at.Next < batch.To {
		err := ctx.Err()
		if err == nil {
			err = a.line(ctx)
		}
		switch {
		case ctx.Err() != nil && err != nil:
			a.moveTo(a.at)
			return nil, errStopped
		case err != nil:
			a.moveTo(a.at)
			b.config.Waits(err)
			return nil, err
		}
	}
	return a.at.Share, nil
}

// beat shows that the attempt is alive, until ctx ends.
func (a *attempt) beat(ctx context.Context) {
	ticker := time.NewTicker(beatInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			a.mu.Lock()
			a.record(a.at)
			a.mu.Unlock()
		}
	}
}

// moveTo takes the position and tells Temporal, at the latest when the attempt fails.
func (a *attempt) moveTo(at position) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = at
	a.record(at)
}

// line takes the next line. If it fails, nothing of the line is counted.
func (a *attempt) line(ctx context.Context) error {
	text, err := a.config.Lines.Read(a.at.Next)
	if err != nil {
		return temporal.NewNonRetryableApplicationError(err.Error(), typeForeign, err)
	}
	request, doc, err := a.config.Request(ctx, text)
	switch {
	case errors.Is(err, ErrNone) && ctx.Err() == nil:
		return a.drop(doc, rollout.DropPrimary)
	case err != nil:
		return fmt.Errorf("line %d: %w", a.config.Lines.Number(a.at.Next), err)
	case a.config.Oversize(doc):
		return a.drop(doc, rollout.DropTooLarge)
	}
	doc.Intent = rollout.KeyedIntent(doc.Route, WorkflowType+"/"+a.batch.Run, doc.DocID, strconv.Itoa(a.at.Next))
	doc.Life = rollout.ShadowLife
	if ready, why := a.config.Ready(doc.Route); !ready {
		return errors.New(why)
	}
	exchange := &rollout.Exchange{Route: doc.Route, DocID: doc.DocID, Intent: doc.Intent}
	switch err := a.primary(ctx, request, exchange); {
	case errors.Is(err, ErrTooLarge):
		return a.drop(doc, rollout.DropTooLarge)
	case errors.Is(err, ErrNone):
		return a.drop(doc, rollout.DropPrimary)
	case err != nil:
		return err
	case rollout.RefusesClient(exchange.Primary.Status):
		return a.drop(doc, rollout.DropClient)
	}
	return a.compare(ctx, doc, exchange)
}

func (a *attempt) drop(doc *rollout.Document, reason rollout.DropReason) error {
	share, err := a.config.Dropped(a.at.Share, doc.Route, reason)
	if err == nil {
		a.moveTo(position{Next: a.at.Next + 1, Share: share})
	}
	return err
}

// primary asks legacy, unless an attempt before this one has its answer. A call that
// was begun is not broken off when the worker stops: it may be a write.
func (a *attempt) primary(ctx context.Context, request *Request, e *rollout.Exchange) (err error) {
	if len(a.at.Primary) > 0 {
		e.PrimaryTook = a.at.Took
		e.Primary, err = rollout.ParseAnswer(a.at.Primary)
		return err
	}
	began := time.Now()
	e.Primary, err = a.config.Call(context.WithoutCancel(ctx), request)
	e.PrimaryTook, e.At = time.Since(began), time.Now()
	if err == nil && e.Primary.Size() <= keptAnswer {
		a.moveTo(position{Next: a.at.Next, Share: a.at.Share, Primary: rollout.AppendAnswer(nil, &e.Primary), Took: e.PrimaryTook})
	}
	return err
}

// compare runs the document on Temporal and counts both answers.
func (a *attempt) compare(ctx context.Context, doc *rollout.Document, e *rollout.Exchange) (err error) {
	e.Shadow, e.ShadowTook, err = a.shadow(ctx, doc, "a")
	switch {
	case ctx.Err() != nil: // nobody waited to the end
		return ctx.Err()
	case errors.Is(err, rollout.ErrNotAccepted) && !errors.Is(err, rollout.ErrUnavailable):
		return a.drop(doc, rollout.DropTemporal) // this document, whenever it is tried
	case err != nil:
		return fmt.Errorf("Temporal: %w", err)
	}
	running := e.Shadow.State == rollout.RunRunning
	if !running && a.config.Pairs(doc.DocID) {
		if again, _, err := a.shadow(ctx, doc, "b"); err == nil && again.State != rollout.RunRunning {
			e.Again = &again
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e.ID = e.Shadow.WorkflowID
	share, err := a.config.Compared(a.at.Share, e)
	if err == nil {
		a.moveTo(position{Next: a.at.Next + 1, Share: share})
	}
	return err
}

// shadow runs an arm of the document, or waits for the run that there was.
func (a *attempt) shadow(ctx context.Context, doc *rollout.Document, arm string) (run rollout.Run, took time.Duration, err error) {
	began := time.Now()
	run, err = a.config.Shadow(ctx, doc, arm, a.config.Patience)
	took = time.Since(began)
	if errors.Is(err, rollout.ErrDuplicate) {
		return a.config.Shadowed(ctx, doc, arm, a.config.Patience)
	}
	return run, took, err
}
