package operator

import (
	"cmp"
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/rollout"
)

const (
	// lingering is how old a life is of whose run Temporal is asked.
	lingering = 30 * time.Second
	// mostAsked bounds the lives of one answer of which it is asked, askedTogether those
	// at one time, and askingTime all of it: whoever asks waits for the list.
	mostAsked     = 100
	askedTogether = 8
	askingTime    = 3 * time.Second
)

// noteStalled asks Temporal what keeps the runs of the claims from getting on, of the oldest
// first.
func (a *api) noteStalled(ctx context.Context, claims []Claim) {
	var oldest []*Claim
	for i := range claims {
		if c := &claims[i]; c.State == rollout.ClaimOpen.String() && c.Path == rollout.Temporal.String() && c.Age > lingering.Seconds() {
			oldest = append(oldest, c)
		}
	}
	slices.SortStableFunc(oldest, func(one, other *Claim) int { return cmp.Compare(other.Age, one.Age) })
	ctx, cancel := context.WithTimeout(ctx, askingTime)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(askedTogether)
	for _, c := range oldest[:min(len(oldest), mostAsked)] {
		group.Go(func() error {
			c.Stalled = a.Claims.Stalled(ctx, c.Route, c.DocID, c.Intent, c.Life)
			return nil
		})
	}
	_ = group.Wait() // none fails
}
