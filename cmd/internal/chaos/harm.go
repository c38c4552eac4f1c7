package chaos

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/cmd/internal/chaos/child"
)

// harm carries out the schedule until it is done or ctx ends. Whatever happens,
// everybody is up and moving when it returns without an error.
func (s *stage) harm(ctx context.Context) error {
	plan := s.config.plan()
	var group errgroup.Group
	group.Go(func() error {
		return s.follow(ctx, plan.gateways, func(e event) error {
			return s.hit(ctx, fmt.Sprint("gateway ", e.which), s.gateways[e.which], e)
		})
	})
	group.Go(func() error {
		return s.follow(ctx, plan.temporal, func(e event) error { return s.hit(ctx, "Temporal", s.temporal, e) })
	})
	group.Go(func() error {
		return s.follow(ctx, plan.postgres, s.hitPostgres)
	})
	return group.Wait()
}

// follow waits for each event to fall due.
func (s *stage) follow(ctx context.Context, events []event, carryOut func(event) error) error {
	for _, e := range events {
		for s.clients.Issued() < e.at {
			if !pause(ctx, 5*time.Millisecond) {
				return nil
			}
		}
		if err := carryOut(e); err != nil {
			return err
		}
	}
	return nil
}

// hit does to a process what the event says, and brings it back.
func (s *stage) hit(ctx context.Context, name string, c *child.Child, e event) error {
	if err := c.Died(); err != nil {
		return err
	}
	switch e.act {
	case freeze:
		s.mark("frozen", "%s", name)
		c.Freeze()
		pause(ctx, e.down)
		c.Thaw()
		s.mark("thawed", "%s", name)
		return nil
	case terminate:
		s.mark("stopped", "%s", name)
		if !c.Terminate(stopLimit) {
			return fmt.Errorf("%s did not stop within %s", name, stopLimit)
		}
	default:
		s.mark("killed", "%s", name)
		c.Kill()
	}
	pause(ctx, e.down)
	if err := c.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	s.mark("started", "%s", name)
	return nil
}

// stopLimit is more than a gateway may take to drain.
const stopLimit = 20 * time.Second

func (s *stage) hitPostgres(e event) error {
	if e.act == kill {
		s.mark("killed", "PostgreSQL")
		s.postgres.Kill()
	} else {
		s.mark("stopped", "PostgreSQL")
		s.postgres.Stop()
	}
	time.Sleep(e.down)
	defer s.mark("started", "PostgreSQL")
	return s.postgres.Restart()
}

// pause reports whether ctx still lasts after d.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
