package shadow

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/rollout"
)

const (
	// flights is how many batches run at one time, so that one that takes long does not
	// hold up all.
	flights = 2
	// mostTogether is how many documents make a batch, and rounds how many of a batch are
	// run one after the other at most.
	mostTogether = 64
	rounds       = 4
)

// together is how many documents make a batch.
func (m *Mirror) together() int { return min(mostTogether, rounds*m.config.Parallel) }

// Run mirrors what is offered until ctx ends, and drops what is left then.
func (m *Mirror) Run(ctx context.Context) error {
	var group errgroup.Group
	for range flights {
		group.Go(func() error {
			for {
				batch, took := m.gather(ctx)
				if len(batch) == 0 {
					return nil
				}
				m.fly(ctx, batch, took)
			}
		})
	}
	err := group.Wait()
	m.late.Wait()
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	for {
		select {
		case j := <-m.queue:
			m.release(j, "", rollout.DropRestart)
		default:
			return err
		}
	}
}

// gather takes documents together: those that come within Gather of the first, or fewer
// if there are many; took is how long it took. There are none once ctx has ended.
func (m *Mirror) gather(ctx context.Context) (batch []*job, took time.Duration) {
	m.gathering <- struct{}{} // a mutex would not let tests of time see it wait
	defer func() { <-m.gathering }()
	select {
	case <-ctx.Done():
		return nil, 0
	case j := <-m.queue:
		batch = append(batch, j)
	}
	began := time.Now()
	timer := time.NewTimer(m.config.Gather)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-m.many:
	case <-timer.C:
	}
	for len(batch) < m.together() {
		select {
		case j := <-m.queue:
			batch = append(batch, j)
		default:
			return batch, time.Since(began)
		}
	}
	return batch, time.Since(began)
}

// fly runs a batch, each route's documents together, as far apart as they came.
func (m *Mirror) fly(ctx context.Context, batch []*job, over time.Duration) {
	routes := map[string][]*job{}
	for _, j := range batch {
		routes[j.doc.Route] = append(routes[j.doc.Route], j)
	}
	var group errgroup.Group
	for route, jobs := range routes {
		group.Go(func() error {
			m.ask(ctx, route)
			m.run(ctx, route, m.begin(ctx, route, jobs), over)
			return nil
		})
	}
	_ = group.Wait() // none fails
}

// askedInterval is how often is looked whether workers have been asked.
const askedInterval = 50 * time.Millisecond

// ask waits until the route's workers have been asked for shadow support, as long as
// mirroring is wanted. What comes meanwhile waits in the queue.
func (m *Mirror) ask(ctx context.Context, route string) {
	ticker := time.NewTicker(askedInterval)
	defer ticker.Stop()
	for m.mirrors() && !m.config.Asked(route) {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// mirrors reports whether anything is to be mirrored now.
func (m *Mirror) mirrors() bool {
	policy := m.config.Policy()
	return !policy.Kill && policy.Shadow > rollout.None
}

// begin puts on record what may run, and drops the rest.
func (m *Mirror) begin(ctx context.Context, route string, jobs []*job) []*job {
	var begun []*job
	for _, j := range jobs {
		reason, ok := m.fit(ctx, j)
		if ok && m.config.Evidence.Begin(route, j.id) != nil {
			reason, ok = rollout.DropDuplicate, false
		}
		if !ok {
			m.release(j, "", reason)
			continue
		}
		begun = append(begun, j)
	}
	if len(begun) == 0 || m.config.Evidence.Noted(ctx) == nil {
		return begun
	}
	for _, j := range begun {
		m.release(j, j.id, rollout.DropStore)
	}
	return nil
}

// fit reports whether the document may run now; if not, why.
func (m *Mirror) fit(ctx context.Context, j *job) (rollout.DropReason, bool) {
	reason, wanted := m.wanted(j.doc.Route)
	switch {
	case ctx.Err() != nil:
		return rollout.DropRestart, false
	case !wanted:
		return reason, false
	case m.config.Oversize(&j.doc):
		return rollout.DropTooLarge, false
	}
	j.id, j.pair = m.config.ID(&j.doc), m.config.Pairs.Includes(m.pairs.Bucket(j.doc.DocID))
	return 0, true
}

// wanted reports whether runs of the route are to be begun now; if not, why.
func (m *Mirror) wanted(route string) (rollout.DropReason, bool) {
	switch {
	case !m.mirrors():
		return rollout.DropKilled, false
	case !m.config.Ready(route):
		return rollout.DropUnsupported, false
	}
	return 0, true
}

// run has the documents run and hands on what is known of them then; what takes longer
// is waited for by itself.
func (m *Mirror) run(ctx context.Context, route string, jobs []*job, over time.Duration) {
	if len(jobs) == 0 {
		return
	}
	twins := make([]rollout.Twin, len(jobs))
	for i, j := range jobs {
		twins[i] = rollout.Twin{Doc: &j.doc, Pair: j.pair}
	}
	found := m.config.Temporal.Together(ctx, route, twins, over)
	var hands errgroup.Group // for evidence may wait for a store
	hands.SetLimit(m.config.Parallel)
	var slow []int
	for i, j := range jobs {
		switch {
		case found[i].Err != nil:
			m.release(j, j.id, dropped(ctx, found[i].Err))
		case found[i].Run.State == rollout.RunRunning, j.pair && found[i].Again == nil:
			slow = append(slow, i)
		default:
			hands.Go(func() error { m.hand(j, &found[i]); return nil })
		}
	}
	_ = hands.Wait() // none fails
	for _, i := range slow {
		m.waitFor(ctx, jobs[i], found[i])
	}
}

// hand hands the answers on.
func (m *Mirror) hand(j *job, found *rollout.Mirrored) {
	m.config.Evidence.Compared(&rollout.Exchange{
		Route: j.doc.Route, DocID: j.doc.Identity(), Intent: j.doc.Intent, ID: j.id,
		At: j.at, Primary: j.primary, PrimaryTook: j.took,
		Shadow: found.Run, ShadowTook: found.Took, Again: found.Again,
	})
	m.held.Add(-j.bytes)
}

// release drops the document. id is that of a run that was begun, or empty.
func (m *Mirror) release(j *job, id string, reason rollout.DropReason) {
	m.held.Add(-j.bytes)
	m.config.Evidence.Dropped(j.doc.Route, id, reason)
}

// dropped tells why a run of which an error is known is not compared.
func dropped(ctx context.Context, err error) rollout.DropReason {
	switch {
	case errors.Is(err, rollout.ErrDuplicate):
		return rollout.DropDuplicate
	case ctx.Err() != nil:
		return rollout.DropRestart
	case errors.Is(err, rollout.ErrNotAccepted):
		return rollout.DropTemporal
	}
	return rollout.DropUnknown
}
