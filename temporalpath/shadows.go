package temporalpath

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/durationpb"

	"sluice/rollout"
	"sluice/temporalpath/closing"
	"sluice/temporalpath/shadowruns"
	"sluice/temporalpath/wire"
)

// Bounds of what runs together.
const (
	// shadowBegin is how long after a batch is taken the last run of it may begin: so
	// long, and the time until it is taken, may mirroring go on that has been switched
	// off.
	shadowBegin = 15 * time.Second
	// shadowLinger is how long a run is waited for with the others.
	shadowLinger = 2 * time.Second
	// batchBytes bounds a batch's encoded runs; a twin of more runs without one.
	batchBytes = 256 << 10
	// answerBytes bounds the answers of those that run together; the others are given
	// back as if they were running still.
	answerBytes = 4 << 20
	// distrust is how long a route's workers get no batch after one that did not end.
	distrust = 5 * time.Minute
)

// Shadows runs documents in the shadow. It is safe for concurrent use.
type Shadows struct {
	path     *Path
	watch    *ShadowWatch
	patience time.Duration
	broke    func(route string, err error)
	runner   shadowruns.Runner

	mu     sync.Mutex
	broken map[string]time.Time // when a batch of the route did not end, guarded by mu
}

// NewShadows returns Shadows that wait for so many runs at one time, in each call, and
// whose runs may take as long as the patience says. broke is told of a batch that did
// not end as it should: what came of its runs is not known.
func NewShadows(p *Path, w *ShadowWatch, parallel int, patience time.Duration, broke func(route string, err error)) *Shadows {
	return &Shadows{path: p, watch: w, patience: patience, broke: broke, broken: map[string]time.Time{}, runner: shadowruns.Runner{
		Watch: p.closing(), Parallel: parallel,
		Begin: shadowBegin, Linger: min(shadowLinger, patience), StartTimeout: p.config.StartTimeout,
	}}
}

// Together starts the twins' shadow runs as Path.Shadow does, and waits for their ends
// for a short time: Shadowed has the patience for those that take longer. There is one
// element for each twin. The starts are spread over the time of over. A worker makes
// them, asked in one call, where the route's workers offer that. An error wraps
// rollout.ErrDuplicate or rollout.ErrNotAccepted; after any other nobody knows.
func (s *Shadows) Together(ctx context.Context, routeName string, twins []rollout.Twin, over time.Duration) []rollout.Mirrored {
	found := &found{route: routeName, all: make([]rollout.Mirrored, len(twins))}
	found.room.Store(answerBytes)
	route, err := s.path.route(routeName)
	if err != nil {
		for i := range found.all {
			found.all[i].Err = err
		}
		return found.all
	}
	over = min(over, s.runner.Begin/2)
	alone, batches := s.portions(ctx, route, twins, found.all)
	var group errgroup.Group
	group.Go(func() error {
		s.ended(ctx, route, &alone, s.runner.Run(ctx, alone.twins, over), found)
		return nil
	})
	before := 0
	for _, b := range batches {
		part := func(of int) time.Duration { return over * time.Duration(of) / time.Duration(len(twins)) }
		wait, during := part(before), part(len(b.twins))
		b.parallel = (s.runner.Parallel*len(b.twins) + len(twins) - 1) / len(twins)
		before += len(b.twins)
		group.Go(func() error {
			closing.Pause(ctx, wait)
			s.batch(ctx, route, b, during, found)
			return nil
		})
	}
	_ = group.Wait() // none fails
	return found.all
}

// Shadow is Path.Shadow, with a wait of the patience.
func (s *Shadows) Shadow(ctx context.Context, doc *rollout.Document, arm string) (rollout.Run, error) {
	return s.path.Shadow(ctx, doc, arm, s.patience)
}

// Shadowed is Path.Shadowed of a run that was started here. One that Temporal ended for
// the patience's sake is RunRunning: it did not end by itself.
func (s *Shadows) Shadowed(ctx context.Context, doc *rollout.Document, arm string, wait time.Duration) (run rollout.Run, took time.Duration, err error) {
	run, took, err = s.path.Shadowed(ctx, doc, arm, wait)
	if err != nil {
		return run, took, err
	}
	route, err := s.path.route(doc.Route)
	return s.unlessGivenUp(route, run), took, err
}

// unlessGivenUp returns the run as one that has not ended if it was its start's limit
// that ended it.
func (s *Shadows) unlessGivenUp(route Route, run rollout.Run) rollout.Run {
	own := route.ExecutionTimeout > 0 && route.ExecutionTimeout <= s.path.shadowLimit(s.patience)
	if run.State == rollout.RunFailed && run.Failure.Type == rollout.FailureTimeout && !own {
		return rollout.Run{WorkflowID: run.WorkflowID, State: rollout.RunRunning}
	}
	return run
}

// found is what came of twins that run together.
type found struct {
	route string
	all   []rollout.Mirrored
	room  atomic.Int64 // for answers, in bytes
}

// fail says of each twin of the portion that there is no run.
func (f *found) fail(p *portion, err error) {
	for _, i := range p.at {
		f.all[i].Err = err
	}
}

// portion is a part of the twins that travels together.
type portion struct {
	twins []shadowruns.Twin
	at    []int       // where each stands among all
	runs  []wire.Twin // as they travel; none if they do not
	bytes int
	// parallel is how many are waited for at one time.
	parallel int
}

func (p *portion) add(at int, t shadowruns.Twin) {
	p.twins, p.at = append(p.twins, t), append(p.at, at)
}

// portions divides the twins: those that this process is to run itself, and batches.
// all gets what is wrong with the others.
func (s *Shadows) portions(ctx context.Context, route Route, twins []rollout.Twin, all []rollout.Mirrored) (alone portion, batches []*portion) {
	batched, last := s.batched(twins[0].Doc.Route), (*portion)(nil)
	for i := range twins {
		t, err := s.starts(ctx, &twins[i])
		if err != nil {
			all[i].Err = err
			continue
		}
		w, err := shadowruns.Encode(t)
		size := len(w.First) + len(w.Second)
		if !batched || err != nil || size > batchBytes {
			alone.add(i, t)
			continue
		}
		if last == nil || last.bytes+size > batchBytes {
			last = &portion{}
			batches = append(batches, last)
		}
		last.add(i, t)
		last.runs, last.bytes = append(last.runs, w), last.bytes+size
	}
	return alone, batches
}

// batched reports whether the route's workers get batches.
func (s *Shadows) batched(route string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watch.Batches(route) && time.Since(s.broken[route]) > distrust
}

func (s *Shadows) starts(ctx context.Context, twin *rollout.Twin) (t shadowruns.Twin, err error) {
	first, err := s.path.newShadow(ctx, twin.Doc, "a", s.patience)
	if err != nil {
		return t, err
	}
	t.First = first.request
	if twin.Pair {
		second, err := s.path.newShadow(ctx, twin.Doc, "b", s.patience)
		if err != nil {
			return t, err
		}
		t.Second = second.request
	}
	return t, nil
}

// ended reads the ends of a portion's runs.
func (s *Shadows) ended(ctx context.Context, route Route, p *portion, ends []shadowruns.End, found *found) {
	for i, end := range ends {
		m, id := &found.all[p.at[i]], p.twins[i].First.WorkflowId
		if m.Err = end.First.Err; m.Err != nil {
			continue
		}
		m.Took = end.First.Took
		m.Run = s.run(ctx, route, id, &end.First, &found.room)
		if end.Second != nil && end.Second.Err == nil {
			if again := s.run(ctx, route, p.twins[i].Second.WorkflowId, end.Second, &found.room); again.State != rollout.RunRunning {
				m.Again = &again
			}
		}
	}
}

// run reads how a run ended. A result that is kept elsewhere and cannot be had now is
// asked for once more, later.
func (s *Shadows) run(ctx context.Context, route Route, id string, leg *shadowruns.Leg, room *atomic.Int64) rollout.Run {
	open := rollout.Run{WorkflowID: id, State: rollout.RunRunning}
	if leg.Closed == nil || room.Load() <= 0 {
		return open
	}
	loading, cancel := context.WithTimeout(ctx, s.path.config.StartTimeout)
	defer cancel()
	run := s.path.ending(loading, route, id, leg.Closed)
	if loading.Err() != nil {
		return open
	}
	run.Closed = leg.Closed.GetEventTime().AsTime()
	room.Add(-int64(len(run.Answer.Body)))
	return s.unlessGivenUp(route, run)
}

// batch has a worker run the portion. It stays in Temporal as the runs do, for the
// namespace's retention: a shard of Temporal deletes hardly more than two a minute.
func (s *Shadows) batch(ctx context.Context, route Route, p *portion, over time.Duration, found *found) {
	start, err := s.newBatch(route, p, over)
	var at standing
	if err == nil {
		at, err = s.path.acknowledge(ctx, start)
	}
	if errors.Is(err, ErrAmbiguous) {
		at, err = s.path.acknowledge(ctx, start) // the same request finds what it has started
	}
	if err != nil {
		found.fail(p, err)
		return
	}
	waiting, cancel := closing.SliceOf(ctx, s.runner.Longest()+s.path.config.StartTimeout)
	defer cancel()
	closing.Pause(waiting, over) // it cannot have ended before
	var ends []shadowruns.End
	event, err := s.path.closing().Await(waiting, &commonpb.WorkflowExecution{WorkflowId: start.request.WorkflowId, RunId: at.runID})
	if err == nil {
		ends, err = s.read(waiting, event, len(p.twins))
	}
	if err != nil {
		s.breaks(ctx, found.route, err)
		found.fail(p, fmt.Errorf("a batch of shadow runs: %w", err))
		return
	}
	s.ended(ctx, route, p, ends, found)
}

// breaks takes down that a batch did not end as it should, unless it was not waited for.
func (s *Shadows) breaks(ctx context.Context, route string, err error) {
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	s.broken[route] = time.Now()
	s.mu.Unlock()
	s.broke(route, err)
}

func (s *Shadows) newBatch(route Route, p *portion, over time.Duration) (*start, error) {
	text, err := json.Marshal(wire.Batch{
		Runs: p.runs, Over: over, Parallel: p.parallel, Begin: s.runner.Begin, Linger: s.runner.Linger, StartTimeout: s.runner.StartTimeout,
	})
	if err != nil {
		return nil, err
	}
	input := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: text}
	return &start{route: route, request: &workflowservice.StartWorkflowExecutionRequest{
		Namespace:                s.path.config.Namespace,
		WorkflowId:               rollout.ShadowSpace + wire.ShadowBatch + "/" + rand.Text(),
		RequestId:                rand.Text(),
		WorkflowType:             &commonpb.WorkflowType{Name: wire.ShadowBatch},
		TaskQueue:                &taskqueuepb.TaskQueue{Name: route.ShadowTaskQueue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		Input:                    &commonpb.Payloads{Payloads: []*commonpb.Payload{input}},
		Identity:                 s.path.identity,
		WorkflowIdReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIdConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionTimeout: durationpb.New(s.runner.Longest()),
		Priority:                 &commonpb.Priority{PriorityKey: shadowPriority},
	}}, nil
}

// read returns the ends that a batch returned.
func (s *Shadows) read(ctx context.Context, event *historypb.HistoryEvent, n int) ([]shadowruns.End, error) {
	payloads := event.GetWorkflowExecutionCompletedEventAttributes().GetResult().GetPayloads()
	if len(payloads) != 1 {
		return nil, fmt.Errorf("the batch of shadow runs ended as %s", event.EventType)
	}
	payload := payloads[0]
	if s.path.config.Codec != nil {
		var err error
		if payload, err = s.path.config.Codec.Load(ctx, payload); err != nil {
			return nil, fmt.Errorf("claim check: %w", err)
		}
	}
	var ends wire.Ends
	if err := json.Unmarshal(payload.Data, &ends); err != nil {
		return nil, err
	}
	return shadowruns.Decode(&ends, n)
}
