package embedded

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"sluice/rollout"
)

// desk is where what is decided for the gateway is kept.
//
// Invariants:
//   - The state, the plan and the counts that were taken are in one file, which is
//     replaced: after any crash it is the old one or the new one.
//   - What was taken is a part of the totals, which only the log knows. So a count
//     is taken once, however the process dies between the two.
type desk struct {
	dir  string
	sync bool
	plan atomic.Uint32 // as in now

	mu     sync.Mutex // held while something is decided
	closed bool       // guarded by mu
	now    ruled      // guarded by mu; what the state file says

	files sync.Mutex // held while pages are added, or opened to be read
}

// Decide calls rule once with what is on record and what was counted since the last
// Decide, and stores the ruling at once. The gateway of the directory is its own
// leader, so led is true unless ctx has ended or the store is closed. Ruling.Brake
// is ignored: the caller sets its own brake before it returns the ruling. A lower
// plan is in force when Decide returns: no change commits above it any more.
//
// If rule fails nothing is stored, and its error is returned as it is. After any
// other error the ruling may be stored or not. If the process dies in between, its
// pages may be there without it. rule must not use the store.
func (s *Store) Decide(ctx context.Context, _ string, rule func(rollout.Session) (rollout.Ruling, error)) (led bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return s.decide(rule, true)
}

// Amend is Decide for what an operator does: it takes no counts, and shows none.
func (s *Store) Amend(ctx context.Context, rule func(rollout.Session) (rollout.Ruling, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := s.decide(rule, false)
	return err
}

// Look returns what the next Decide would show to its rule. It changes nothing.
func (s *Store) Look(ctx context.Context) (rollout.Session, error) {
	if err := ctx.Err(); err != nil {
		return rollout.Session{}, err
	}
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	if s.desk.closed {
		return rollout.Session{}, ErrClosed
	}
	session := s.session()
	totals := s.journal.counted()
	session.Counts = totals.less(&s.desk.now.taken)
	return session, nil
}

// decide makes a ruling; takes says whether the counts go with it.
func (s *Store) decide(rule func(rollout.Session) (rollout.Ruling, error), takes bool) (led bool, err error) {
	d := &s.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false, ErrClosed
	}
	session, next := s.session(), d.now
	if takes {
		next.taken = s.journal.counted()
		session.Counts = next.taken.less(&d.now.taken)
	}
	ruling, err := rule(session)
	if err != nil {
		return true, err
	}
	next.State, next.Plan = append([]byte(nil), ruling.State...), ruling.Plan
	if err := d.keep(next, ruling.Pages, session.Now); err != nil {
		return true, err
	}
	if ruling.Plan < rollout.Exposure(d.plan.Swap(uint32(ruling.Plan))) {
		for i := range s.shards { // those that are told the plan of before
			s.shards[i].wait()
		}
	}
	return true, nil
}

// session is all but the counts. It needs desk.mu.
func (s *Store) session() rollout.Session {
	now := rollout.Session{
		Now: time.Now(), State: append([]byte(nil), s.desk.now.State...),
		Policy: *s.policy(), Brake: rollout.Brake{Exposure: rollout.All},
	}
	if s.config.Brake != nil {
		now.Brake = *s.config.Brake()
	}
	return now
}

// lowered is a policy under the desk's plan and the mark, so that not each change
// makes it anew.
type lowered struct {
	from       *rollout.Policy
	plan, mark rollout.Exposure
	to         rollout.Policy
}

// policy returns the one in force: the configuration's, with no plan above the
// desk's, and no exposure above the mark.
func (s *Store) policy() *rollout.Policy {
	from, plan, mark := s.config.Policy(), rollout.Exposure(s.desk.plan.Load()), s.Mark()
	if from.Plan <= plan && from.Exposure() <= mark {
		return from
	}
	last := s.lowered.Load()
	if last == nil || last.from != from || last.plan != plan || last.mark != mark {
		last = &lowered{from: from, plan: plan, mark: mark, to: *from}
		last.to.Plan = min(from.Plan, plan)
		if last.to.Exposure() > mark {
			last.to.Flag = mark
		}
		s.lowered.Store(last)
	}
	return &last.to
}

func (d *desk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
}
