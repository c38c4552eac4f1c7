package temporalpath

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"golang.org/x/sync/errgroup"

	"sluice/rollout"
	"sluice/temporalpath/closing"
	"sluice/temporalpath/shadowruns"
	"sluice/temporalpath/wire"
)

const (
	// batchBytes bounds a batch's encoded runs; a twin of more runs without one.
	batchBytes = 256 << 10
	// distrust is how long a route's workers get no batch after one that did not end.
	distrust = 5 * time.Minute
)

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
	starts := make([]shadowruns.Twin, len(twins))
	var packing errgroup.Group // for inputs may have to be kept elsewhere
	packing.SetLimit(s.runner.Parallel)
	for i := range twins {
		packing.Go(func() error {
			starts[i], all[i].Err = s.starts(ctx, &twins[i])
			return nil
		})
	}
	_ = packing.Wait() // none fails
	batched, last := s.batched(twins[0].Doc.Route), (*portion)(nil)
	for i, t := range starts {
		if all[i].Err != nil {
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
	return s.path.workers.Batches(route) && time.Since(s.broken[route]) > distrust
}

func (s *Shadows) starts(ctx context.Context, twin *rollout.Twin) (t shadowruns.Twin, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.path.config.StartTimeout)
	defer cancel()
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

// batch has a worker run the portion. It stays in Temporal as the runs do, for the
// namespace's retention: a shard of Temporal deletes hardly more than two a minute.
func (s *Shadows) batch(ctx context.Context, route Route, p *portion, over, begin time.Duration, found *found) {
	start, err := s.newBatch(route, p, over, begin)
	var at standing
	if err == nil {
		at, err = s.path.acknowledge(ctx, start)
	}
	if errors.Is(err, ErrAmbiguous) { // the same request finds what it has started
		if found, failed := s.path.acknowledge(ctx, start); failed == nil {
			at, err = found, nil
		}
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

func (s *Shadows) newBatch(route Route, p *portion, over, begin time.Duration) (*start, error) {
	text, err := json.Marshal(wire.Batch{
		Runs: p.runs, Over: over, Parallel: p.parallel, Begin: begin, Linger: s.runner.Linger, StartTimeout: s.runner.StartTimeout,
	})
	if err != nil {
		return nil, err
	}
	input := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: text}
	id := rollout.ShadowSpace + wire.ShadowBatch + "/" + rand.Text()
	return s.path.shadowStart(route, id, wire.ShadowBatch, &commonpb.Payloads{Payloads: []*commonpb.Payload{input}}, s.runner.Longest()), nil
}

// read returns the ends that a batch returned.
func (s *Shadows) read(ctx context.Context, event *historypb.HistoryEvent, n int) ([]shadowruns.End, error) {
	payloads := event.GetWorkflowExecutionCompletedEventAttributes().GetResult().GetPayloads()
	if len(payloads) != 1 {
		return nil, fmt.Errorf("the batch of shadow runs ended as %s", event.EventType)
	}
	payload, err := s.path.load(ctx, payloads[0])
	if err != nil {
		return nil, err
	}
	var ends wire.Ends
	if err := json.Unmarshal(payload.Data, &ends); err != nil {
		return nil, err
	}
	return shadowruns.Decode(&ends, n)
}
