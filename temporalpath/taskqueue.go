package temporalpath

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	deploymentpb "go.temporal.io/api/deployment/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
)

// Serving says which worker versions take a task queue's new runs.
type Serving struct {
	Deployment string `json:"deployment,omitempty"`
	// Current is a build ID, "" if the workers have no versions.
	Current string `json:"current,omitempty"`
	// Ramping gets RampPercent of the new runs, if that is above 0.
	Ramping     string  `json:"ramping,omitempty"`
	RampPercent float64 `json:"ramp_percent,omitempty"`
}

func serving(info *taskqueuepb.TaskQueueVersioningInfo) Serving {
	current, ramping := info.GetCurrentDeploymentVersion(), info.GetRampingDeploymentVersion()
	return Serving{
		Deployment: cmp.Or(current.GetDeploymentName(), ramping.GetDeploymentName()),
		Current:    current.GetBuildId(), Ramping: ramping.GetBuildId(), RampPercent: float64(info.GetRampingVersionPercentage()),
	}
}

// version is a worker version; nil is that of workers without one.
type version = *deploymentpb.WorkerDeploymentVersion

// takingNew lists the versions that take new runs, one or two.
func takingNew(info *taskqueuepb.TaskQueueVersioningInfo) []version {
	current, ramping := info.GetCurrentDeploymentVersion(), info.GetRampingDeploymentVersion()
	switch percent := info.GetRampingVersionPercentage(); {
	case percent <= 0 || proto.Equal(current, ramping):
		return []version{current}
	case percent >= 100:
		return []version{ramping}
	}
	return []version{current, ramping}
}

// crew names all that polled the task queue of late, and who takes new runs: where it is
// the same, the same workers are there.
func crew(queue *workflowservice.DescribeTaskQueueResponse) string {
	var all []string
	for _, poller := range queue.GetPollers() {
		all = append(all, poller.GetIdentity()+" "+poller.GetDeploymentOptions().GetBuildId())
	}
	slices.Sort(all)
	return fmt.Sprint(strings.Join(all, "\n"), serving(queue.GetVersioningInfo()))
}

// describeQueue tells of the workers that polled the task queue in the last five
// minutes.
func (p *Path) describeQueue(ctx context.Context, queue string) (*workflowservice.DescribeTaskQueueResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	return p.service.DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace:     p.config.Namespace,
		TaskQueue:     &taskqueuepb.TaskQueue{Name: queue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
	})
}

// Probe asks Temporal for a sign of life. It fails with Temporal's error.
func (p *Path) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	_, err := p.service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: p.config.Namespace})
	return err
}
