package temporalpath

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"sluice/temporalpath/wire"
)

// offline is a path with two routes on one task queue, that asks nobody.
func offline(change func(*Config)) *Path {
	config := Config{Routes: map[string]Route{
		"a": {WorkflowType: "A", TaskQueue: "q", ShadowTaskQueue: "s", Update: true},
		"b": {WorkflowType: "B", TaskQueue: "q"},
	}}
	if change != nil {
		change(&config)
	}
	p := &Path{config: config}
	p.workers = newWorkers(p)
	return p
}

func silence() Support {
	s := unsupported("none answered")
	s.Unheard = true
	return s
}

func yes(types ...string) Support { return Support{OK: true, Support: wire.Support{Types: types}} }

// Workers that are too busy to answer take nothing back for a while; those that say
// no do at once.
func TestDeclarationHoldsWhileNobodyAnswers(t *testing.T) {
	w := offline(nil).workers
	start := time.Unix(1000, 0)
	for _, step := range []struct {
		answer Support
		at     time.Duration
		ready  bool
	}{
		{silence(), 0, false},
		{yes("A"), time.Second, true},
		{silence(), 4 * time.Minute, true},
		{silence(), 6 * time.Minute, false},
		{silence(), 7 * time.Minute, false},
		{yes("A"), 8 * time.Minute, true},
		{unsupported("no"), 8*time.Minute + time.Second, false},
		{silence(), 8*time.Minute + 2*time.Second, false},
	} {
		w.learn(question{"s", true}, step.answer, start.Add(step.at))
		if ready, why := w.ShadowReady("a"); ready != step.ready {
			t.Errorf("after %v: ready %v, %s", step.at, ready, why)
		}
	}
}

// What was said before shadow runs were wanted does not count: workers come and go. What
// those of real task queues said stays.
func TestWorkersAreAskedAnewOnceWanted(t *testing.T) {
	w := offline(nil).workers
	say := func() {
		w.learn(question{"s", true}, yes("A"), time.Now())
		w.learn(question{queue: "q"}, yes("A"), time.Now())
	}
	asked := func(want bool) {
		t.Helper()
		if w.Asked("a") != want || !w.Asked("b") {
			t.Errorf("a asked %v, b, which has no shadow runs, %v", w.Asked("a"), w.Asked("b"))
		}
	}
	say()
	asked(false)
	w.forgetShadows(true)
	asked(false)
	if ready, _ := w.ShadowReady("a"); ready {
		t.Error("an old yes counts")
	}
	say()
	asked(true)
	w.forgetShadows(false)
	asked(false)
	if !w.Declared("q").OK {
		t.Error("what the real task queue's workers said is forgotten")
	}
}

// The queue can what all can; whoever refuses outranks whoever is silent.
func TestSupportOfSeveralVersions(t *testing.T) {
	one := Support{OK: true, Support: wire.Support{Types: []string{"A", "B"}, Updates: []string{"A"}, ClaimCheck: []string{"x", "y"}, Batches: true}}
	two := Support{OK: true, Support: wire.Support{Types: []string{"B", "C"}, Updates: []string{"A", "B"}, ClaimCheck: []string{"y"}}}
	got := one.and(two)
	if !got.OK || !slices.Equal(got.Types, []string{"B"}) || !slices.Equal(got.Updates, []string{"A"}) || !slices.Equal(got.ClaimCheck, []string{"y"}) || got.Batches {
		t.Errorf("%+v", got)
	}
	quiet := two
	quiet.Updates = nil
	for _, got := range []Support{one.and(quiet), quiet.and(one)} {
		if got.Updates != nil {
			t.Errorf("one says nothing of updates, and both declare %v", got.Updates)
		}
	}
	no := unsupported("no")
	for _, pair := range [][2]Support{{one, no}, {no, one}, {silence(), no}, {no, silence()}} {
		if got := pair[0].and(pair[1]); got.OK || got.Unheard || got.Reason != "no" {
			t.Errorf("%+v", got)
		}
	}
	for _, pair := range [][2]Support{{one, silence()}, {silence(), one}} {
		if got := pair[0].and(pair[1]); got.OK || !got.Unheard {
			t.Errorf("%+v", got)
		}
	}
}

// The update is waited for unless the workers say that they do not offer it.
func TestWhetherTheUpdateIsOffered(t *testing.T) {
	route := Route{WorkflowType: "A", TaskQueue: "q", Update: true}
	for name, test := range map[string]struct {
		support Support
		want    bool
	}{
		"they do not know the question": {unsupported("no"), true},
		"they say nothing of updates":   {yes("A"), true},
		"none":                          {Support{OK: true, Support: wire.Support{Updates: []string{}}}, false},
		"another's":                     {Support{OK: true, Support: wire.Support{Updates: []string{"B"}}}, false},
		"its own":                       {Support{OK: true, Support: wire.Support{Updates: []string{"A"}}}, true},
	} {
		w := offline(nil).workers
		if !w.update(route) {
			t.Error("before anyone was asked")
		}
		w.learn(question{queue: "q"}, test.support, time.Now())
		if got := w.update(route); got != test.want || w.update(Route{WorkflowType: "A", TaskQueue: "q"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// named is a claim check of which only the name counts.
type named string

func (n named) Name() string                                      { return string(n) }
func (named) Store(_ context.Context, p Payload) (Payload, error) { return p, nil }
func (named) Load(_ context.Context, p Payload) (Payload, error)  { return p, nil }

// Each lack is told of once when it begins and once when it is over, and says what it is.
func TestLacksAreToldOnce(t *testing.T) {
	p := offline(func(c *Config) { c.Codec = named("store") })
	w := p.workers
	var told []string
	look := func(pollers int, s Support) {
		w.pollers["q"] = pollers
		w.learn(question{queue: "q"}, s, time.Now())
		for range 3 {
			w.compare("q", func(l Lacking) { told = append(told, fmt.Sprint(l.Route, " ", l.Lack, " ", l.Over, " ", l.Text)) })
		}
	}
	wants := func(name string, want ...string) {
		t.Helper()
		if len(told) != len(want) {
			t.Errorf("%s: told %q", name, told)
		}
		for i := range min(len(told), len(want)) {
			if !strings.HasPrefix(told[i], want[i][:strings.IndexByte(want[i], ':')]) || !strings.Contains(told[i], want[i][strings.IndexByte(want[i], ':')+1:]) {
				t.Errorf("%s: %q, want %q", name, told[i], want[i])
			}
		}
		told = nil
	}
	look(0, unsupported("no worker polls"))
	wants("nobody", `a pollers false:nobody polls the task queue "q"`, "b pollers false:nobody polls")
	look(1, unsupported("do not know"))
	wants("older workers", "a pollers true:", "a claim_check false:do not know", "b pollers true:", "b claim_check false:do not know")
	all := yes("A", "B")
	all.Updates, all.ClaimCheck = []string{"A"}, []string{"store"}
	look(1, all)
	wants("all is well", "a claim_check true:", "b claim_check true:")
	some := yes("B")
	some.Updates, some.ClaimCheck = []string{"B"}, []string{"store"}
	look(1, some)
	wants("another's workers", "a type false:which does not name A", "a update false:for [B] and not for A")
	look(1, all)
	wants("all is well again", "a type true:", "a update true:")
	w.unreadable("B", "binary/encrypted")
	look(1, all)
	wants("an answer in a codec", `b encoding false:"binary/encrypted"`)
	if !w.Lacks("b", LackEncoding) || w.Lacks("a", LackEncoding) || !strings.Contains(w.LacksOf("b")[LackEncoding], "binary/encrypted") {
		t.Errorf("a lacks %v, b lacks %v", w.LacksOf("a"), w.LacksOf("b"))
	}
	w.unread["B"] = unreadable{"binary/encrypted", time.Now().Add(-unreadableHolds)}
	look(1, all)
	wants("a while later", "b encoding true:")
}

// Those who are there are asked now and then; others at once; and those who do not know the
// question more and more rarely.
func TestHowOftenWorkersAreAsked(t *testing.T) {
	l := &looks{interval: 10 * time.Second}
	if !l.due("one") {
		t.Error("not at the start")
	}
	l.note("one", yes("A"))
	if l.due("one") || !l.due("two") || l.pause != 10*time.Second {
		t.Errorf("after an answer: %+v", l)
	}
	l.asked = time.Now().Add(-askAgain)
	if !l.due("one") {
		t.Error("not after a minute")
	}
	l.note("two", unsupported("no"))
	for range 20 {
		l.note("two", unsupported("no"))
	}
	if l.due("two") || !l.due("one") || l.patient != refusedAgain || l.pause != 10*time.Second {
		t.Errorf("after many refusals: %+v", l)
	}
	l.note("two", silence())
	if !l.due("two") {
		t.Error("those who did not answer are not asked again")
	}
}

// What keeps a run from getting on is read of what Temporal says of it.
func TestWhatStallsARun(t *testing.T) {
	p, now := offline(nil), time.Now()
	waiting := func(attempt int32, since time.Duration) *workflowpb.PendingWorkflowTaskInfo {
		return &workflowpb.PendingWorkflowTaskInfo{State: enumspb.PENDING_WORKFLOW_TASK_STATE_SCHEDULED, Attempt: attempt, ScheduledTime: timestamppb.New(now.Add(-since))}
	}
	activity := func(attempt int32) []*workflowpb.PendingActivityInfo {
		return []*workflowpb.PendingActivityInfo{{Attempt: attempt, LastFailure: &failurepb.Failure{Message: "the store is away"}}}
	}
	for want, run := range map[string]*workflowservice.DescribeWorkflowExecutionResponse{
		"":                           {PendingWorkflowTask: waiting(1, time.Second), PendingActivities: activity(2)},
		"no worker has taken its":    {PendingWorkflowTask: waiting(1, 2*time.Minute)},
		"3 times: the store is away": {PendingActivities: activity(4)},
	} {
		if got := p.stalled(t.Context(), run, now); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := p.stalled(t.Context(), &workflowservice.DescribeWorkflowExecutionResponse{}, now); got != "" {
		t.Errorf("it only waits: %q", got)
	}
}
