// Package versions moves new workflows between the builds of a worker, in
// Temporal's own words: a deployment has versions, each named by its build ID,
// and new runs go to the current one.
package versions

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// retryInterval is the pause between two attempts. A worker's first poll
// reaches Temporal within milliseconds, a server that is away comes back later.
const retryInterval = 200 * time.Millisecond

// MakeCurrent makes the build the deployment's current version, so that new
// workflows run on it. Temporal refuses a build that no worker has polled for;
// MakeCurrent asks again until it does not, or until ctx ends.
//
// It fails with ctx's error, joined with Temporal's last one, or at once where
// no repeat can help: a name that Temporal does not take, a missing right.
func MakeCurrent(ctx context.Context, c client.Client, deployment, buildID string) error {
	handle := c.WorkerDeploymentClient().GetHandle(deployment)
	for {
		_, err := handle.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: buildID})
		if err == nil {
			return nil
		}
		if hopeless(err) {
			return fmt.Errorf("make build %q of deployment %q current: %w", buildID, deployment, err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(retryInterval):
		}
	}
}

// hopeless reports whether the answer would be the same next time: Temporal's, or
// that of the SDK, which refuses a name before it asks.
func hopeless(err error) bool {
	var (
		answer  serviceerror.ServiceError
		invalid *serviceerror.InvalidArgument
		denied  *serviceerror.PermissionDenied
	)
	if !errors.As(err, &answer) {
		return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), "failed reaching server")
	}
	return errors.As(err, &invalid) || errors.As(err, &denied)
}
