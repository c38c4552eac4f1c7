package gateway

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"sluice/cmd/internal/gates"
	"sluice/rollout"
	"sluice/rollout/compare/certificate"
	"sluice/rollout/control/loop"
	"sluice/rollout/guard"
)

func note(t *testing.T, owner string, content any) rollout.Note {
	t.Helper()
	body, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	return rollout.Note{Owner: owner, Body: body}
}

// Thresholds come from the newest latencies of all gateways, and from none if there
// are too few.
func TestThresholdsAreMadeOfAllGatewaysLatencies(t *testing.T) {
	var old, here, there latencies
	for range guard.MostSamples {
		old.add(time.Minute)
	}
	time.Sleep(2 * time.Millisecond) // they are in order by the millisecond
	for range guard.MostSamples + 500 {
		here.add(10 * time.Millisecond)
		there.add(20 * time.Millisecond)
	}
	few := note(t, "few", sampled{At: make([]int64, guard.LeastSamples-1), Took: make([]int64, guard.LeastSamples-1)})
	if _, ok := thresholds([]rollout.Note{few}); ok {
		t.Errorf("%d latencies are enough", guard.LeastSamples-1)
	}
	notes := []rollout.Note{note(t, "here", here.note()), {Owner: "future", Body: []byte("{")}, note(t, "old", old.note()), note(t, "there", there.note())}
	got, ok := thresholds(notes)
	if !ok || got[0] < 50*time.Millisecond || got[2] != 100*time.Millisecond {
		t.Errorf("thresholds %v, %v", got, ok)
	}
	if n := len(here.note().At); n != guard.MostSamples {
		t.Errorf("%d latencies are kept", n)
	}
}

// Of all that failed the newest are told of.
func TestTheNewestFailuresAreReported(t *testing.T) {
	var here failed
	for n := range 2 * mostFailed {
		here.observe(&rollout.Record{DocID: fmt.Sprint("doc-", n), Result: rollout.Result{Outcome: rollout.OutcomeFailed}})
	}
	here.observe(&rollout.Record{DocID: "fine"})
	here.observe(&rollout.Record{DocID: "fell", Decision: rollout.Decision{Reason: rollout.ReasonFallback}})
	last, news := here.note()
	if _, again := here.note(); !news || again {
		t.Errorf("news %v, and then %v", news, again)
	}
	early := []loop.Document{{DocID: "early", At: time.Unix(1, 0)}}
	got := merged([]rollout.Note{note(t, "here", last), note(t, "there", early)})
	if len(got) != mostFailed || got[0].DocID != "doc-21" || got[mostFailed-1].DocID != "fell" || got[mostFailed-1].Reason != "fallback" {
		t.Errorf("reported: %+v", got)
	}
}

func TestAGateThatCouldNotBeAskedHasNotAnswered(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	got := gateAnswers([]gates.Result{
		{Name: "yes", Answer: certificate.Yes, At: at}, {Name: "no", Answer: certificate.No, Words: "exit 1", At: at},
		{Name: "away", Answer: certificate.Unknown, Words: "refused", At: at}, {Name: "never", Answer: certificate.Unknown},
	})
	if len(got) != 3 || !got["yes"].Passed || got["yes"].Err != "" || got["no"].Passed || got["no"].Err != "" || got["no"].Detail != "exit 1" || got["away"].Err != "refused" {
		t.Errorf("answers %+v", got)
	}
}

// The plan lowers, and never raises; the same comes out as the same policy.
func TestThePlanIsACeiling(t *testing.T) {
	flags := &rollout.Policy{Epoch: 3, Flag: 500_000, Plan: rollout.All, Brake: rollout.All}
	ceiling := rollout.Exposure(100_000)
	own := planned(func() *rollout.Policy { return flags }, func() rollout.Exposure { return ceiling })
	if p := own(); p.Exposure() != 100_000 || p != own() {
		t.Errorf("under a plan: %+v", p)
	}
	if ceiling = rollout.All; own() != flags {
		t.Error("without a plan it is another policy")
	}
}

// A gateway that is alone gives each policy its epoch, and an old one to none.
func TestEachPolicyHasItsEpoch(t *testing.T) {
	last := &rollout.Policy{Epoch: 7, Flag: 500_000}
	if following(last, &rollout.Policy{Epoch: 3, Flag: 500_000}) != last {
		t.Error("nothing has changed, and it is another policy")
	}
	for n, next := range []*rollout.Policy{{Flag: 400_000}, {Flag: 500_000, Kill: true}, {Flag: 500_000, Brake: 1}, {Flag: 500_000, Plan: 1}} {
		if got := following(last, next); got.Epoch != 8 || got.Flag != next.Flag || got.Kill != next.Kill {
			t.Errorf("change %d: %+v", n, got)
		}
	}
}
