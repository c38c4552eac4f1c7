package temporalpath

import (
	"context"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"

	"sluice/rollout"
	"sluice/temporalpath/closing"
)

// Shadowed waits, at most for wait, for the end of the document's shadow run of an
// arm that was started before: Shadow has failed with rollout.ErrDuplicate. took is
// how long the run took, by Temporal's clock. The run is RunRunning if it has not
// ended by then. It fails with Temporal's error if it cannot be asked.
func (p *Path) Shadowed(ctx context.Context, doc *rollout.Document, arm string, wait time.Duration) (run rollout.Run, took time.Duration, err error) {
	route, err := p.route(doc.Route)
	if err != nil {
		return rollout.Run{}, 0, err
	}
	id := rollout.ShadowWorkflowID(p.config.Prefix, doc.DocID, doc.Intent, arm)
	waiting, cancel := closing.SliceOf(ctx, wait)
	defer cancel()
	switch run, err = p.follow(waiting, route, id, ""); {
	case errors.Is(err, closing.ErrOpen):
		return rollout.Run{WorkflowID: id, State: rollout.RunRunning}, wait, nil
	case err != nil:
		return rollout.Run{}, 0, err
	}
	asking, stop := context.WithTimeout(ctx, p.config.StartTimeout)
	defer stop()
	info, err := p.describe(asking, &commonpb.WorkflowExecution{WorkflowId: id})
	if err != nil {
		return rollout.Run{}, 0, err
	}
	return run, info.GetCloseTime().AsTime().Sub(info.GetStartTime().AsTime()), nil
}
