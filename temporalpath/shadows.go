package temporalpath

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
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
	// shadowBegin is how long after the first the last batch may begin, and in it the
	// last run: so long may mirroring go on that has been switched off.
	shadowBegin = 10 * time.Second
	// shadowLinger is how long a run is waited for with the others.
	shadowLinger = 2 * time.Second
	// batchBytes bounds a batch's encoded runs; a twin of more runs without one.
	batchBytes = 256 << 10
	// answerBytes bounds the answers of those that run together; the others are given
	// back as if they were running still.
	answerBytes = 4 << 20
)

// Shadows runs documents of one route together. It is safe for concurrent use.
type Shadows struct {
	path     *Path
	watch    *ShadowWatch
	patience time.Duration
	runner   shadowruns.Runner
}

// NewShadows returns Shadows that wait for so many runs at one time, in each call, and
// whose runs may take as long as the patience says.
func NewShadows(p *Path, w *ShadowWatch, parallel int, patience time.Duration) *Shadows {
	return &Shadows{path: p, watch: w, patience: patience, runner: shadowruns.Runner{
		Watch: p.closing(), Parallel: parallel,
		Begin: min(shadowBegin, patience), Linger: min(shadowLinger, patience), StartTimeout: p.config.StartTimeout,
	}}
}

// Together starts the twins' shadow runs as Path.Shadow does, and waits for their ends
// for a short time: Shadowed has the patience for those that take longer. There is one
// element for each twin. The starts are spread over the time of over. A worker makes
// them, asked in one call, where the route's workers offer that.
func (s *Shadows) Together(ctx context.Context, routeName string, twins []rollout.Twin, over time.Duration) []rollout.Mirrored {
	all := make([]rollout.Mirrored, len(twins))
	route, err := s.path.route(routeName)
	if err != nil {
		for i := range all {
			all[i].Err = err
		}
		return all
	}
	over = min(over, s.runner.Begin/2)
	latest := time.Now().Add(s.runner.Begin)
	alone, batches := s.portions(ctx, route, twins, all)
	found := &found{all: all}
	found.room.Store(answerBytes)
	var group errgroup.Group
	group.Go(func() error {
		s.ended(ctx, route, &alone, s.runner.Run(ctx, alone.twins, over), found)
		return nil
	})
	for _, b := range batches {
		if time.Now().After(latest) {
			found.fail(b, shadowruns.ErrLate)
			continue
		}
		s.batch(ctx, route, b, over*time.Duration(len(b.twins))/time.Duration(len(twins)), found)
	}
	_ = group.Wait() // none fails
	return all
}

// found is what came of twins that run together.
type found struct {
	all  []rollout.Mirrored
	room atomic.Int64 // for answers, in bytes
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
}

func (p *portion) add(at int, t shadowruns.Twin) {
	p.twins, p.at = append(p.twins, t), append(p.at, at)
}

// portions divides the twins: those that this process is to run itself, and batches.
// all gets what is wrong with the others.
func (s *Shadows) portions(ctx context.Context, route Route, twins []rollout.Twin, all []rollout.Mirrored) (alone portion, batches []*portion) {
	batched, last := s.watch.Batches(twins[0].Doc.Route), (*portion)(nil)
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

func (s *Shadows) run(ctx context.Context, route Route, id string, leg *shadowruns.Leg, room *atomic.Int64) rollout.Run {
	if leg.Closed == nil || room.Load() <= 0 {
		return rollout.Run{WorkflowID: id, State: rollout.RunRunning}
	}
	run := s.path.ending(context.WithoutCancel(ctx), route, id, leg.Closed)
	run.Closed = leg.Closed.GetEventTime().AsTime()
	room.Add(-int64(len(run.Answer.Body)))
	return run
}

// batch has a worker run the portion. It stays in Temporal as the runs do, for the
// namespace's retention: Temporal deletes hardly more than two a minute.
func (s *Shadows) batch(ctx context.Context, route Route, p *portion, over time.Duration, found *found) {
	start, err := s.newBatch(route, p, over)
	var at standing
	if err == nil {
		at, err = s.path.acknowledge(ctx, start)
	}
	if err != nil {
		found.fail(p, err)
		return
	}
	execution := &commonpb.WorkflowExecution{WorkflowId: start.request.WorkflowId, RunId: at.runID}
	waiting, cancel := closing.SliceOf(ctx, s.longest()+s.path.config.StartTimeout)
	defer cancel()
	closing.Pause(waiting, over) // it cannot have ended before
	var ends []shadowruns.End
	event, err := s.path.closing().Await(waiting, execution)
	if err == nil {
		ends, err = s.read(ctx, event, len(p.twins))
	}
	if err != nil {
		s.ended(ctx, route, p, s.again(ctx, p), found)
		return
	}
	s.ended(ctx, route, p, ends, found)
}

// again runs here what a batch had that broke. The starts are the same requests, so
// what it has started is found, and what there was before it is a duplicate still.
func (s *Shadows) again(ctx context.Context, p *portion) []shadowruns.End {
	ends := s.runner.Run(ctx, p.twins, 0)
	for i := range ends {
		ends[i].First.Took = 0 // the batch may have begun it
	}
	return ends
}

func (s *Shadows) longest() time.Duration {
	return shadowruns.Longest(s.runner.Begin, s.runner.Linger, s.runner.StartTimeout)
}

func (s *Shadows) newBatch(route Route, p *portion, over time.Duration) (*start, error) {
	text, err := json.Marshal(wire.Batch{
		Runs: p.runs, Over: over, Parallel: s.runner.Parallel, Begin: s.runner.Begin, Linger: s.runner.Linger, StartTimeout: s.runner.StartTimeout,
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
		WorkflowExecutionTimeout: durationpb.New(s.longest()),
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
		if payload, err = s.path.config.Codec.Load(context.WithoutCancel(ctx), payload); err != nil {
			return nil, fmt.Errorf("claim check: %w", err)
		}
	}
	var ends wire.Ends
	if err := json.Unmarshal(payload.Data, &ends); err != nil {
		return nil, err
	}
	return shadowruns.Decode(&ends, n)
}
