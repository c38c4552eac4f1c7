package temporalpath_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"

	"sluice/rollout"
	"sluice/temporalpath"
	"sluice/temporalpath/claimcheck"
	"sluice/temporalpath/wire"
)

// patience bounds how long a test waits for what must come.
const patience = 30 * time.Second

// declares is the workflow by which a worker of the real task queue declares what it can.
func declares(s wire.Support) func(worker.Worker) {
	return func(w worker.Worker) {
		w.RegisterWorkflowWithOptions(func(workflow.Context) (wire.Support, error) { return s, nil },
			workflow.RegisterOptions{Name: wire.WorkerSupport})
	}
}

// crew is a fixture whose workers are watched, and what was told of them.
type crew struct {
	*fixture
	workers *temporalpath.Workers

	mu   sync.Mutex
	told []string // guarded by mu
}

func newCrew(t *testing.T, change func(*temporalpath.Config)) *crew {
	t.Helper()
	c := &crew{fixture: newFixture(t, change)}
	c.workers = c.path.Workers()
	return c
}

// watch watches them until the test ends.
func (c *crew) watch(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		c.workers.Watch(ctx, 100*time.Millisecond, func(l temporalpath.Lacking) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.told = append(c.told, fmt.Sprintf("%s %s over=%v", l.Route, l.Lack, l.Over))
		})
	})
	t.Cleanup(func() { cancel(); watching.Wait() })
}

// telling returns how often something was told.
func (c *crew) telling(what string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, told := range c.told {
		if told == what {
			n++
		}
	}
	return n
}

// serve runs a worker on the real task queue, of the deployment's version build unless
// that is empty, with the fixture's workflows and whatever register adds.
func (c *crew) serve(t *testing.T, by client.Client, build string, register func(worker.Worker)) (stop func()) {
	t.Helper()
	options := worker.Options{DeadlockDetectionTimeout: time.Minute, Identity: rand.Text()} // as another process
	if build != "" {
		options.DeploymentOptions = worker.DeploymentOptions{
			UseVersioning: true, DefaultVersioningBehavior: workflow.VersioningBehaviorPinned,
			Version: worker.WorkerDeploymentVersion{DeploymentName: "crew", BuildID: build},
		}
	}
	w := worker.New(by, queue, options)
	w.RegisterWorkflow(c.Plain)
	w.RegisterWorkflow(c.Updated)
	if register != nil {
		register(w)
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(w.Stop)
	t.Cleanup(stop)
	return stop
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never was so: %s", what)
		}
	}
}

func (c *crew) declared(t *testing.T, what string, ok func(temporalpath.Support) bool) {
	t.Helper()
	until(t, what, func() bool { return ok(c.workers.Declared(queue)) })
}

// What workers of a real task queue declare is known; of those who do not know the question
// nothing is, and why.
func TestWorkersDeclareWhatTheyCan(t *testing.T) {
	c := newCrew(t, nil)
	if s := c.workers.Declared(queue); s.OK || !strings.Contains(s.Reason, "have not been asked yet") {
		t.Errorf("before they were asked: %+v", s)
	}
	c.watch(t)
	c.declared(t, "nobody polls", func(s temporalpath.Support) bool { return strings.Contains(s.Reason, "no worker polls") })
	stop := c.serve(t, c.client, "", nil)
	c.declared(t, "they do not know the question", func(s temporalpath.Support) bool {
		return !s.OK && !s.Unheard && strings.Contains(s.Reason, "unable to find workflow type: sluice.worker-support")
	})
	stop()
	c.serve(t, c.client, "", declares(wire.Support{Types: []string{"Plain"}, Updates: []string{}, ClaimCheck: []string{"d"}, BuildID: "b"}))
	c.declared(t, "others came, and declare", func(s temporalpath.Support) bool {
		return s.OK && slices.Equal(s.Types, []string{"Plain"}) && s.Updates != nil && len(s.Updates) == 0 && slices.Equal(s.ClaimCheck, []string{"d"})
	})
}

// deploy changes which versions take new runs.
func (c *crew) deploy(t *testing.T, current, ramping string, percent float32) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	handle := c.client.WorkerDeploymentClient().GetHandle("crew")
	var err error
	for ctx.Err() == nil { // until the version is known
		if _, err = handle.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: current, IgnoreMissingTaskQueues: true}); err == nil {
			_, err = handle.SetRampingVersion(ctx, client.WorkerDeploymentSetRampingVersionOptions{BuildID: ramping, Percentage: percent, IgnoreMissingTaskQueues: true})
		}
		if err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal(err)
}

// Each version that takes new runs is asked by itself, however small its share is, and the
// queue can what all of them can.
func TestEachVersionThatTakesNewRunsIsAsked(t *testing.T) {
	c := newCrew(t, nil)
	all := wire.Support{Types: []string{"Plain", "Updated"}, Updates: []string{"Updated"}, ClaimCheck: []string{"d"}}
	one, two := all, all
	one.BuildID, two.BuildID = "one", "two"
	two.Types, two.ClaimCheck = []string{"Updated", "More"}, nil
	c.serve(t, c.client, "one", declares(one))
	c.serve(t, c.client, "two", declares(two))
	c.serve(t, c.client, "three", nil) // knows nothing of the question
	c.watch(t)
	is := func(types, claimCheck []string) func(temporalpath.Support) bool {
		return func(s temporalpath.Support) bool {
			return s.OK && slices.Equal(s.Types, types) && slices.Equal(s.ClaimCheck, claimCheck) && slices.Equal(s.Updates, []string{"Updated"})
		}
	}
	c.deploy(t, "one", "", 0)
	c.declared(t, "one alone", is(all.Types, all.ClaimCheck))
	c.deploy(t, "one", "two", 0.01)
	c.declared(t, "what both can", is([]string{"Updated"}, nil))
	c.deploy(t, "one", "", 0)
	c.declared(t, "one alone again", is(all.Types, all.ClaimCheck))
	c.deploy(t, "two", "one", 100)
	c.declared(t, "two gets none", is(all.Types, all.ClaimCheck))
	c.deploy(t, "one", "three", 0.01)
	c.declared(t, "one of them does not know the question", func(s temporalpath.Support) bool {
		return !s.OK && strings.Contains(s.Reason, `of version "three"`)
	})
}

// Workers without a version are not taken for those of a version that ramps, which may
// take their question.
func TestWorkersWithoutAVersionAreAskedThemselves(t *testing.T) {
	c := newCrew(t, nil)
	c.serve(t, c.client, "", nil)
	c.serve(t, c.client, "new", declares(wire.Support{Types: []string{"Plain"}}))
	c.deploy(t, "", "new", 99)
	c.watch(t)
	c.declared(t, "those without a version do not know it", func(s temporalpath.Support) bool { return !s.OK && s.Reason != "" })
	for range 20 {
		if s := c.workers.Declared(queue); s.OK {
			t.Fatalf("the ramping version answered for all: %+v", s)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// checked gives a fixture a claim check, and returns a client that reads it.
func checked(t *testing.T) (*crew, client.Client) {
	t.Helper()
	driver, err := claimcheck.Directory(t.TempDir(), claimcheck.ForOwner())
	if err != nil {
		t.Fatal(err)
	}
	check, err := claimcheck.New(driver, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := newCrew(t, func(config *temporalpath.Config) { withShadows(config); config.Codec = check })
	reader, err := temporalpath.Dial(temporalpath.Dialing{Address: c.server.Frontend, Namespace: "default", ExternalStorage: check.Storage()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.Close)
	return c, reader
}

func padded(id string, size int) *rollout.Document {
	return document("Plain", id, order{Pad: strings.Repeat("x", size)})
}

// A document of any size is stored apart only for workers that say that they read it. To
// others it travels whole, or is too large.
func TestNothingIsStoredApartForThoseWhoDoNotReadIt(t *testing.T) {
	c, reader := checked(t)
	wants := func(oversize bool) func() bool {
		return func() bool { return c.path.Oversize(padded("large", 3<<20)) == oversize }
	}
	if !wants(true)() || c.path.Oversize(padded("small", 300<<10)) {
		t.Error("before anyone was asked, what is over max_input is not too large, or what is not is")
	}
	stop := c.serve(t, c.client, "", nil)
	c.watch(t)
	until(t, "it is told that they do not read it", func() bool { return c.telling("Plain claim_check over=false") == 1 })
	if run := c.run(t, padded("whole", 300<<10), patience); run.State != rollout.RunCompleted {
		t.Errorf("it hangs: %+v", run)
	}
	if _, err := c.path.Run(t.Context(), padded("too large", 3<<20), time.Second); err == nil || !strings.Contains(err.Error(), "over the limit") {
		t.Errorf("too large: %v", err)
	}
	stop()
	stop = c.serve(t, reader, "", declares(wire.Support{Types: []string{"Plain", "Updated"}, ClaimCheck: []string{"other", "sluice.directory"}}))
	until(t, "they read it", wants(false))
	if run := c.run(t, padded("large", 3<<20), patience); run.State != rollout.RunCompleted {
		t.Errorf("stored apart: %+v", run)
	}
	until(t, "it is told once that it is over", func() bool { return c.telling("Plain claim_check over=true") == 1 })
	stop()
	c.serve(t, c.client, "", declares(wire.Support{Types: []string{"Plain"}, ClaimCheck: []string{"other"}}))
	until(t, "others do not", wants(true))
	if c.workers.Lacks("Plain", temporalpath.LackType) || !c.workers.Lacks("Updated", temporalpath.LackType) {
		t.Error("the types that they declare are not those that routes lack")
	}
}

func TestClaimCheckCarriesLargeDocuments(t *testing.T) {
	c, reader := checked(t)
	c.serve(t, reader, "", declares(wire.Support{Types: []string{"Plain", "Updated"}, ClaimCheck: []string{"sluice.directory"}}))
	c.watch(t)
	until(t, "they read it", func() bool { return !c.path.Oversize(padded("large", 3<<20)) })
	large := json.RawMessage(fmt.Sprintf("%q", strings.Repeat("y", 3<<20)))
	for _, route := range []string{"Plain", "Updated"} {
		run := c.run(t, document(route, route+"-large", order{Pad: strings.Repeat("x", 3<<20), Result: large}), 90*time.Second)
		if run.State != rollout.RunCompleted || len(run.Answer.Body) != len(large) {
			t.Errorf("%s: %v, %d bytes, %+v", route, run.State, len(run.Answer.Body), run.Failure)
		}
	}
}

// The shadow task queue's workers are asked for themselves.
func TestShadowRunsAreStoredApartForThoseWhoReadThem(t *testing.T) {
	c, reader := checked(t)
	c.serve(t, reader, "", declares(wire.Support{Types: []string{"Plain"}, ClaimCheck: []string{"sluice.directory"}}))
	c.watch(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go c.workers.WatchShadows(ctx, 100*time.Millisecond, func() bool { return true })
	stop := c.shadowWork(t, support("Plain"))
	until(t, "both have answered", func() bool {
		ready, _ := c.workers.ShadowReady("Plain")
		return ready && c.workers.Declared(queue).OK
	})
	large := padded("large", 3<<20)
	if c.path.Oversize(large) || !c.path.ShadowOversize(large) {
		t.Error("what is said on one task queue counts on the other")
	}
	if run, err := c.path.Shadow(t.Context(), padded("whole", 300<<10), "a", patience); err != nil || run.State != rollout.RunCompleted {
		t.Errorf("it hangs: %+v, %v", run, err)
	}
	stop()
	w := worker.New(reader, shadowQueue, worker.Options{DeadlockDetectionTimeout: time.Minute, Identity: rand.Text()})
	w.RegisterWorkflow(c.Plain)
	w.RegisterWorkflowWithOptions(func(workflow.Context) (wire.Support, error) {
		return wire.Support{Types: []string{"Plain"}, ClaimCheck: []string{"sluice.directory"}}, nil
	}, workflow.RegisterOptions{Name: wire.ShadowSupport})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	until(t, "they read it", func() bool { return !c.path.ShadowOversize(large) })
	if run, err := c.path.Shadow(t.Context(), large, "a", patience); err != nil || run.State != rollout.RunCompleted {
		t.Errorf("stored apart: %+v, %v", run, err)
	}
}

// multis counts the starts that ask for an update.
type multis struct {
	workflowservice.WorkflowServiceClient
	count atomic.Int32
}

func (m *multis) ExecuteMultiOperation(ctx context.Context, in *workflowservice.ExecuteMultiOperationRequest, o ...grpc.CallOption) (*workflowservice.ExecuteMultiOperationResponse, error) {
	m.count.Add(1)
	return m.WorkflowServiceClient.ExecuteMultiOperation(ctx, in, o...)
}

// A route that waits by an update which its workers do not offer waits by polling.
func TestAnUpdateThatIsNotOfferedIsNotAskedFor(t *testing.T) {
	multi := &multis{}
	c := newCrew(t, func(config *temporalpath.Config) { multi.WorkflowServiceClient, config.Service = config.Service, multi })
	c.serve(t, c.client, "", declares(wire.Support{Types: []string{"Plain", "Updated"}, Updates: []string{"Updated"}}))
	c.watch(t)
	until(t, "it is told", func() bool { return c.telling("Misnamed update over=false") == 1 })
	before := multi.count.Load()
	if run := c.run(t, document("Misnamed", "polled", order{}), patience); run.State != rollout.RunCompleted {
		t.Errorf("%+v", run)
	}
	if n := multi.count.Load() - before; n != 0 {
		t.Errorf("the update was asked for %d times", n)
	}
	if run := c.run(t, document("Updated", "updated", order{}), patience); run.State != rollout.RunCompleted || multi.count.Load() == before {
		t.Errorf("the update is offered, and was not asked for: %+v", run)
	}
	if c.telling("Updated update over=false") != 0 || c.telling("Misnamed update over=false") != 1 {
		t.Errorf("told %q", c.told)
	}
}

// A route that asks for it starts nothing until its type is declared.
func TestWithoutSupportNothingIsToBeStarted(t *testing.T) {
	c := newCrew(t, func(config *temporalpath.Config) {
		for name, route := range config.Routes {
			route.RequireSupport = name != "Misnamed"
			config.Routes[name] = route
		}
	})
	ready := func(want string) bool {
		var got []string
		for _, name := range []string{"Misnamed", "Plain", "Updated"} {
			if c.workers.Ready(name) {
				got = append(got, name)
			}
		}
		return strings.Join(got, " ") == want
	}
	if !ready("Misnamed") {
		t.Error("before anyone was asked")
	}
	c.watch(t)
	stop := c.serve(t, c.client, "", nil)
	until(t, "it is told", func() bool { return c.telling("Plain type over=false") == 1 })
	if !ready("Misnamed") || c.workers.Lacks("Misnamed", temporalpath.LackType) {
		t.Error("while they do not know the question")
	}
	stop()
	c.serve(t, c.client, "", declares(wire.Support{Types: []string{"Plain"}}))
	until(t, "one is declared", func() bool { return ready("Misnamed Plain") })
	until(t, "it is told", func() bool { return c.telling("Plain type over=true") == 1 })
}
