package gateway

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// shared is a store in which several gateways agree on the policy.
type shared interface {
	// Offer says what this gateway's own flags allow and what it pledges, given
	// what the leader seeks, and returns what is in force and what was agreed on.
	// Only the leader's offer changes the policy.
	Offer(ctx context.Context, owner string, want rollout.Policy, pledge func(sought rollout.Exposure) rollout.Pledge) (rollout.Accord, error)
	// Leave ends the owner's pledge.
	Leave(ctx context.Context, owner string) error
	// Changes wakes whoever follows the policy.
	Changes() <-chan struct{}
}

// ceilings joins the two views of what is in force: the store's, on which all
// gateways agree, and this gateway's own flags, plan and brake. The lower wins: a
// gateway may lower alone, it never raises alone.
type ceilings struct {
	// seeks is what the flags and the plan allow, and own what of it may come into
	// force here: with a store of this gateway's own, no more than its mark.
	seeks  func() *rollout.Policy
	own    func() *rollout.Policy
	brake  func() *rollout.Brake
	stored atomic.Pointer[rollout.Policy] // nil while nothing is known of the store's
	joined atomic.Pointer[join]

	joining sync.Mutex
	// alone is the last policy of a gateway that shares no store, which gives each its
	// epoch; nil where the store does.
	alone *rollout.Policy // guarded by joining
}

// join is a policy and what it was made of.
type join struct {
	own, stored, lower *rollout.Policy
	brake              *rollout.Brake
}

// policy returns what is in force here. It is called for every request.
func (c *ceilings) policy() *rollout.Policy {
	own, stored, brake := c.own(), c.stored.Load(), c.brake()
	if j := c.joined.Load(); j != nil && j.own == own && j.stored == stored && j.brake == brake {
		return j.lower
	}
	return c.join()
}

func (c *ceilings) join() *rollout.Policy {
	c.joining.Lock()
	defer c.joining.Unlock()
	j := &join{own: c.own(), stored: c.stored.Load(), brake: c.brake()}
	j.lower = j.own
	if j.stored != nil {
		j.lower = j.own.Lower(j.stored)
	}
	j.lower = braked(j.lower, j.brake)
	if c.alone != nil {
		j.lower = following(c.alone, j.lower)
		c.alone = j.lower
	}
	c.joined.Store(j)
	return j.lower
}

// following returns the policy as the one that comes after another: in a new epoch
// if it says anything else.
func following(last, next *rollout.Policy) *rollout.Policy {
	numbered := *next
	if numbered.Epoch = last.Epoch; numbered == *last {
		return last
	}
	numbered.Epoch++
	return &numbered
}

// planned returns the flags' policy under the ceiling of the plan.
func planned(flags func() *rollout.Policy, plan func() rollout.Exposure) func() *rollout.Policy {
	type lowered struct {
		from, to *rollout.Policy
	}
	var last atomic.Pointer[lowered]
	return func() *rollout.Policy {
		p, ceiling := flags(), plan()
		if p.Plan <= ceiling {
			return p
		}
		if l := last.Load(); l != nil && l.from == p && l.to.Plan == ceiling {
			return l.to
		}
		lower := *p
		lower.Plan = ceiling
		last.Store(&lowered{p, &lower})
		return &lower
	}
}

// marked returns the policy with no exposure above the mark.
func marked(policy func() *rollout.Policy, mark func() rollout.Exposure) func() *rollout.Policy {
	type lowered struct {
		from, to *rollout.Policy
		mark     rollout.Exposure
	}
	var last atomic.Pointer[lowered]
	return func() *rollout.Policy {
		p, limit := policy(), mark()
		if p.Exposure() <= limit {
			return p
		}
		if l := last.Load(); l != nil && l.from == p && l.mark == limit {
			return l.to
		}
		lower := *p
		lower.Flag = limit
		last.Store(&lowered{p, &lower, limit})
		return &lower
	}
}

// braked returns the policy under a brake.
func braked(p *rollout.Policy, brake *rollout.Brake) *rollout.Policy {
	if p.Brake <= brake.Exposure {
		return p
	}
	lower := *p
	lower.Brake = brake.Exposure
	return &lower
}

const (
	// offerInterval is how often the policy is offered and read again.
	offerInterval = time.Second
	// lookInterval is how often this gateway's own flags are looked at, so that a
	// change is offered at once.
	lookInterval = 20 * time.Millisecond
)

// followPolicy keeps the store's policy and this gateway's view of it together.
func (g *Gateway) followPolicy(ctx context.Context, store shared) {
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	var offered *rollout.Policy
	var last time.Time
	for {
		if own := g.ceilings.own(); own != offered || time.Since(last) >= offerInterval {
			g.offer(ctx, store, own)
			offered, last = own, time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-store.Changes():
			last = time.Time{}
		case <-g.helm.loop.Changed():
			last = time.Time{}
		case <-look.C:
		}
	}
}

func (g *Gateway) offer(ctx context.Context, store shared, own *rollout.Policy) {
	limit, cancel := context.WithTimeout(ctx, g.config.Claims.Timeout.Std())
	defer cancel()
	asked, brake := time.Now(), g.brake.stored.Load()
	accord, err := store.Offer(limit, g.name, *own, func(sought rollout.Exposure) rollout.Pledge { return g.pledge(own.Exposure(), sought) })
	if ctx.Err() == nil {
		g.reach.note(err)
	}
	if err != nil {
		if ctx.Err() == nil {
			g.options.Log.Debug("the policy could not be read from the store; the last one known stays in force", zap.Error(err))
		}
		return
	}
	if g.away != nil {
		g.away.Agreed(asked, accord)
	}
	inForce := accord.Policy
	if before := g.ceilings.stored.Load(); before == nil || *before != inForce {
		g.ceilings.stored.Store(&inForce)
		g.options.Log.Info("policy in force", zap.Uint64("epoch", inForce.Epoch), zap.Stringer("exposure", inForce.Exposure()))
	}
	g.brake.heard(brake)
}
