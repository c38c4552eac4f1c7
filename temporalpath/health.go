package temporalpath

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// Health is what Temporal last said of itself and of the routes' task queues.
// A start on a queue that no worker polls succeeds, and its client waits in
// vain: that is what the count of pollers is for.
type Health struct {
	path *Path

	mu      sync.Mutex
	up      bool               // guarded by mu
	pollers map[string]int     // by task queue, guarded by mu
	serving map[string]Serving // by task queue, guarded by mu
}

// Serving says which worker versions take a task queue's new runs.
type Serving struct {
	Deployment string
	// Current is a build ID, "" if the workers have no versions.
	Current string
	// Ramping gets RampPercent of the new runs, if that is above 0.
	Ramping     string
	RampPercent float64
}

// NewHealth returns the health of the path, not yet known: down, no pollers.
func NewHealth(p *Path) *Health {
	h := &Health{path: p, pollers: map[string]int{}, serving: map[string]Serving{}}
	for _, route := range p.config.Routes {
		h.pollers[route.TaskQueue] = 0
	}
	return h
}

// Watch asks every interval until ctx ends.
func (h *Health) Watch(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		for _, queue := range h.TaskQueues() {
			h.ask(ctx, queue)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (h *Health) ask(ctx context.Context, queue string) {
	queueNow, err := h.path.describeQueue(ctx, queue)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up = err == nil
	if err == nil {
		h.pollers[queue] = len(queueNow.GetPollers())
		h.serving[queue] = serving(queueNow.GetVersioningInfo())
	}
}

func serving(info *taskqueuepb.TaskQueueVersioningInfo) Serving {
	current, ramping := info.GetCurrentDeploymentVersion(), info.GetRampingDeploymentVersion()
	return Serving{
		Deployment: cmp.Or(current.GetDeploymentName(), ramping.GetDeploymentName()),
		Current:    current.GetBuildId(), Ramping: ramping.GetBuildId(), RampPercent: float64(info.GetRampingVersionPercentage()),
	}
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

// Up reports whether Temporal answered when it was last asked.
func (h *Health) Up() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.up
}

// TaskQueues lists the routes' task queues, sorted, each once.
func (h *Health) TaskQueues() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.pollers))
}

// Pollers returns how many workers polled the task queue of late.
func (h *Health) Pollers(queue string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pollers[queue]
}

// Serving returns which worker versions take the task queue's new runs.
func (h *Health) Serving(queue string) Serving {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.serving[queue]
}
