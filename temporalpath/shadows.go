package temporalpath

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/rollout"
	"sluice/temporalpath/closing"
	"sluice/temporalpath/shadowruns"
)

// Bounds of what runs together.
const (
	// shadowBegin is how long after a batch is taken the last run of it may begin: so
	// long, and the time until it is taken, may mirroring go on that has been switched
	// off.
	shadowBegin = 15 * time.Second
	// shadowLinger is how long a run is waited for with the others.
	shadowLinger = 2 * time.Second
	// answerBytes bounds the answers of those that run together; the others are given
	// back as if they were running still.
	answerBytes = 4 << 20
)

// Shadows runs documents in the shadow. It is safe for concurrent use.
type Shadows struct {
	path     *Path
	patience time.Duration
	broke    func(route string, err error)
	runner   shadowruns.Runner

	mu     sync.Mutex
	broken map[string]time.Time // when a batch of the route did not end, guarded by mu
}

// NewShadows returns Shadows that wait for so many runs at one time, in each call, and
// whose runs may take as long as the patience says. broke is told of a batch that did
// not end as it should: what came of its runs is not known.
func NewShadows(p *Path, parallel int, patience time.Duration, broke func(route string, err error)) *Shadows {
	return &Shadows{path: p, patience: patience, broke: broke, broken: map[string]time.Time{}, runner: shadowruns.Runner{
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
	runner := s.runner
	latest := time.Now().Add(runner.Begin)
	alone, batches := s.portions(ctx, route, twins, found.all)
	runner.Begin = time.Until(latest)
	var group errgroup.Group
	group.Go(func() error {
		s.ended(ctx, route, &alone, runner.Run(ctx, alone.twins, over), found)
		return nil
	})
	before := 0
	for _, b := range batches {
		part := func(of int) time.Duration { return over * time.Duration(of) / time.Duration(len(twins)) }
		wait, during := part(before), part(len(b.twins))
		b.parallel = (runner.Parallel*len(b.twins) + len(twins) - 1) / len(twins)
		before += len(b.twins)
		group.Go(func() error {
			closing.Pause(ctx, wait)
			s.batch(ctx, route, b, during, time.Until(latest), found)
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

// fail says of each twin of the portion why nothing is known of a run.
func (f *found) fail(p *portion, err error) {
	for _, i := range p.at {
		f.all[i].Err = err
	}
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

// run reads how a run ended. A result that cannot be had now is asked for later.
func (s *Shadows) run(ctx context.Context, route Route, id string, leg *shadowruns.Leg, room *atomic.Int64) rollout.Run {
	open := rollout.Run{WorkflowID: id, State: rollout.RunRunning}
	if leg.Closed == nil || room.Load() <= 0 {
		return open
	}
	run, err := s.path.shadowRead(ctx, s.path.config.StartTimeout, route, id, leg.Closed)
	if err != nil {
		room.Store(0) // what keeps it is not well: the others are not tried for now
		return open
	}
	room.Add(-int64(len(run.Answer.Body)))
	return s.unlessGivenUp(route, run)
}
