package chaos

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/cmd/internal/chaos/ledger"
)

// recall is how many wishes are posted once more when all is over.
const recall = 400

// Run makes the chaos and returns what came of it. It fails if the chaos itself
// could not be made; violations are in the result.
func Run(ctx context.Context, config Config) (*Result, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	s := &stage{config: config, counts: map[string]int{}}
	defer s.close()
	began := time.Now()
	if err := s.assemble(ctx); err != nil {
		return nil, err
	}
	s.say("everybody is up after %.1f s", time.Since(began).Seconds())
	loaded := time.Now()
	if err := s.storm(ctx); err != nil {
		return nil, err
	}
	r := &Result{Config: config, Load: time.Since(loaded), ledger: s.ledger}
	s.say("%d wishes in %.0f s; now everything settles", s.clients.Issued(), r.Load.Seconds())
	if err := s.aftermath(ctx, r); err != nil {
		return nil, err
	}
	r.Took = time.Since(began)
	r.Memory = memory()
	s.report(r)
	return r, ctx.Err()
}

// storm has clients, operator and harm at work until the wishes are through.
func (s *stage) storm(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	limit, cancel := context.WithTimeout(ctx, s.config.Limit)
	defer cancel()
	group.Go(func() error { s.clients.Run(limit); return nil })
	group.Go(func() error { return s.operate(limit) })
	group.Go(func() error { return s.harm(limit) })
	told := make(chan struct{})
	go func() {
		defer close(told)
		for pause(limit, 10*time.Second) {
			s.say("%d wishes", s.clients.Issued())
		}
	}()
	err := group.Wait()
	cancel()
	<-told
	return err
}

// aftermath ends the faults, has clients finish, and looks at what is left.
func (s *stage) aftermath(ctx context.Context, r *Result) error {
	s.calm()
	if err := s.setFlags(s.config.Most/2, false); err != nil {
		return err
	}
	s.clients.Leftover(ctx)
	if s.config.Without == "" {
		if err := s.settle(ctx, adoption); err != nil {
			r.Open = append(r.Open, err.Error())
		}
		// A rollback changes nothing for what was answered.
		if err := s.setFlags(0, false); err != nil {
			return err
		}
		pause(ctx, 2*time.Second)
		s.clients.Recall(ctx, recall)
		if err := s.settle(ctx, time.Second); err != nil {
			r.Open = append(r.Open, err.Error())
		}
	} else {
		pause(ctx, adoption)
	}
	running, err := s.worker.Running(ctx)
	if err != nil {
		return err
	}
	r.Running = int(running)
	return s.stopGateways(ctx, r)
}

// stopGateways stops them in order and looks into their store.
func (s *stage) stopGateways(ctx context.Context, r *Result) error {
	for i, g := range s.gateways {
		if err := g.Died(); err != nil {
			return err
		}
		if !g.Terminate(stopLimit) {
			r.Open = append(r.Open, fmt.Sprintf("gateway %d did not stop within %s", i, stopLimit))
		}
	}
	if s.config.Without != "" {
		return nil
	}
	open, books, err := s.openClaims(ctx)
	r.Open, r.Books = append(r.Open, open...), books
	return err
}

func (s *stage) say(format string, args ...any) {
	if s.config.Output != nil {
		fmt.Fprintf(s.config.Output, "chaos: "+format+"\n", args...)
	}
}

// report fills in what was counted.
func (s *stage) report(r *Result) {
	r.Violations = s.ledger.Check()
	// Nothing says which wish a running workflow is of: none should be.
	r.Table = s.ledger.Table(func(int) bool { return false })
	r.Shared = s.ledger.Shared()
	r.Faults = map[string]map[string]int64{}
	for name, group := range s.links.all() {
		r.Faults[name] = faultsOf(group)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Acts = actsOf(s.marks)
	r.marks = append([]ledger.Mark(nil), s.marks...)
}
