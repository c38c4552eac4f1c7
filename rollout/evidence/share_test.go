package evidence_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/compare"
	"sluice/rollout/compare/certificate"
	"sluice/rollout/evidence"
)

func exchangeOf(primary, shadow string) *rollout.Exchange {
	return &rollout.Exchange{
		Route: "r", DocID: "d", ID: "shadow/d", Primary: rollout.Answer{Status: 200, Body: []byte(primary)}, PrimaryTook: time.Millisecond,
		Shadow:     rollout.Run{State: rollout.RunCompleted, Answer: rollout.Answer{Status: 200, Body: []byte(shadow)}},
		ShadowTook: time.Millisecond,
	}
}

// Shares that were written add up to the report of one that has seen everything.
func TestSharesAddUp(t *testing.T) {
	t.Parallel()
	comparer, err := compare.New(compare.Config{})
	if err != nil {
		t.Fatal(err)
	}
	parts := []*evidence.Share{evidence.NewShare(), evidence.NewShare()}
	whole := evidence.NewShare()
	for i := range 40 {
		e := exchangeOf(`{"a":1}`, fmt.Sprintf(`{"a":%d}`, 1+i%4/3))
		if i == 7 {
			e.Shadow = rollout.Run{State: rollout.RunRunning}
		}
		for _, s := range []*evidence.Share{parts[i%2], whole} {
			s.Compared(comparer, e)
			if i == 0 {
				s.Dropped("r", "", rollout.DropPrimary)
			}
		}
	}
	sum := evidence.NewShare()
	for _, part := range parts {
		text, err := part.MarshalJSON()
		if err == nil {
			err = sum.Add(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := sum.Add([]byte("{")); err == nil {
		t.Error("a damaged share was added")
	}
	reader, now := &evidence.Reader{Limits: certificate.DefaultLimits()}, time.Now()
	got, want := reader.ReportOn(sum, nil, now), reader.ReportOn(whole, nil, now)
	if got, want := fmt.Sprintf("%+v", got.Certificate), fmt.Sprintf("%+v", want.Certificate); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e := want.Certificate.Evidence
	if e.Compared != 39 || e.Mismatches != 9 || e.Starts.Listed != 1 || e.Starts.Completed != 39 || e.Starts.Dropped["primary"] != 1 {
		t.Errorf("%+v", e)
	}
}

// A share that has grown too large hides no mismatch.
func TestLargeShareIsWrittenSmall(t *testing.T) {
	t.Parallel()
	comparer, err := compare.New(compare.Config{})
	if err != nil {
		t.Fatal(err)
	}
	share := evidence.NewShare()
	const different = 6000
	for i := range different {
		other := fmt.Sprintf(`{"%s%d":1,"%s%d":1}`, strings.Repeat("a", 80), i%97, strings.Repeat("b", 80), i%89)
		share.Compared(comparer, exchangeOf(`{}`, other))
	}
	for i := range 8000 {
		e := exchangeOf(`{}`, `{}`)
		e.ID, e.Shadow = fmt.Sprint(strings.Repeat("x", 1200), i), rollout.Run{State: rollout.RunRunning}
		share.Compared(comparer, e)
	}
	text, err := json.Marshal(share)
	if err != nil || len(text) > 1<<20 {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	again := evidence.NewShare()
	if err := again.Add(text); err != nil {
		t.Fatal(err)
	}
	e := (&evidence.Reader{Limits: certificate.DefaultLimits()}).ReportOn(again, nil, time.Now()).Certificate.Evidence
	if e.Compared != different || e.Mismatches != different || e.Starts.Listed != 8000 {
		t.Errorf("%+v", e)
	}
}
