// Package temporalpath starts ingestion workflows and follows them to their
// result.
//
// Invariants:
//   - A document's workflow ID and request ID follow from the document, its
//     intent and its life alone, so any repeat by any process finds the same
//     run.
//   - Nobody sends the result update to a run that Temporal holds back and that
//     was not released: any update makes it begin.
//   - No call that waits for a workflow carries a deadline that Temporal can
//     see: near its end the server would answer the poll empty, again and again.
//   - An error wraps rollout.ErrNotAccepted only if no byte of the attempt left
//     this process, or Temporal refused it in a way that cannot be undone.
//   - A shadow run's workflow ID and task queue are never those of a real run.
//   - Every retry is this package's own; the SDK's are not used, because the
//     last error of a series proves nothing about the earlier ones.
package temporalpath

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"go.temporal.io/api/workflowservice/v1"

	"sluice/rollout"
	"sluice/temporalpath/wire"
)

// Route says how a route's documents become workflows.
type Route struct {
	// WorkflowType is started, on TaskQueue.
	WorkflowType string
	TaskQueue    string
	// ShadowTaskQueue is where shadow runs are started, no route's TaskQueue;
	// empty for none.
	ShadowTaskQueue string
	// Update: the type offers the update wire.ResultUpdate.
	Update bool
	// Body is the form in which the workflow gets the document.
	Body wire.Form
	// Status is the HTTP status of a result that names none.
	Status int
	// Failures maps an ApplicationError's type to an HTTP status; a type that
	// it does not hold is 502.
	Failures map[string]int
	// ExecutionTimeout ends a workflow that takes longer; 0 is no limit.
	ExecutionTimeout time.Duration
	// RequireSupport: nothing is to be started until the workers have declared the type.
	RequireSupport bool
}

// Codec moves large payloads out of Temporal's messages and back.
type Codec interface {
	// Name is the storage driver's, by which workers say that they read what is stored.
	Name() string
	// Store replaces the payload's data by a reference if it is large.
	Store(ctx context.Context, p Payload) (Payload, error)
	// Load undoes Store; a payload that is no reference is returned as it is.
	Load(ctx context.Context, p Payload) (Payload, error)
}

// Config configures a Path. Service, Namespace, IDs.Prefix and Routes are needed.
type Config struct {
	Service   workflowservice.WorkflowServiceClient
	Namespace string
	// IDs makes the workflow IDs.
	IDs rollout.WorkflowIDs
	// Routes by name.
	Routes map[string]Route
	// StartTimeout is the longest that one attempt to start may take.
	StartTimeout time.Duration
	// MaxWaiters bounds the requests that wait for a result at one time;
	// Temporal allows 1,200 a namespace and frontend.
	MaxWaiters int
	// MaxInput is the largest encoded input, in bytes, that goes to Temporal.
	MaxInput int
	// Codec is the claim check; nil means that payloads travel as they are. So they do to
	// workers who have not said that they read it.
	Codec Codec
}

// Path is the Temporal path. It is safe for concurrent use.
type Path struct {
	service  workflowservice.WorkflowServiceClient
	config   Config
	identity string
	waiters  chan struct{} // one token a waiting request
	workers  *Workers
}

// New returns the path that the configuration describes.
func New(config Config) (*Path, error) {
	if config.Service == nil || config.Namespace == "" || config.IDs.Prefix == "" {
		return nil, errors.New("the Temporal path needs a service, a namespace and a workflow ID prefix")
	}
	if config.StartTimeout <= 0 || config.MaxWaiters <= 0 || config.MaxInput <= 0 {
		return nil, errors.New("the Temporal path needs a start timeout, a number of waiters and an input size above zero")
	}
	if err := config.checkShadows(); err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	p := &Path{
		service:  config.Service,
		config:   config,
		identity: "sluice-gateway@" + host + ":" + strconv.Itoa(os.Getpid()),
		waiters:  make(chan struct{}, config.MaxWaiters),
	}
	p.workers = newWorkers(p)
	return p, nil
}

// Waiters returns how many requests wait for a result now.
func (p *Path) Waiters() int { return len(p.waiters) }

func (p *Path) route(name string) (Route, error) {
	route, ok := p.config.Routes[name]
	if !ok {
		return Route{}, fmt.Errorf("route %q has no workflow: %w", name, rollout.ErrNotAccepted)
	}
	return route, nil
}
