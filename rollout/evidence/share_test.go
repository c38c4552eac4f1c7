package evidence_test

import (
	"context"
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

// by compares without rules; the worker's build is the run's ID.
func by(t *testing.T, redact ...string) *evidence.By {
	t.Helper()
	comparer, err := compare.New(compare.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return &evidence.By{Comparer: comparer, Redact: patterns(t, redact...), Build: func(_ context.Context, id string) string { return "build of " + id }}
}

// Shares that were written add up to the report of one that has seen everything.
func TestSharesAddUp(t *testing.T) {
	t.Parallel()
	by := by(t)
	parts := []*evidence.Share{evidence.NewShare(), evidence.NewShare()}
	whole := evidence.NewShare()
	for i := range 40 {
		e := exchangeOf(`{"a":1}`, fmt.Sprintf(`{"a":%d}`, 1+i%4/3))
		if i == 7 {
			e.Shadow = rollout.Run{State: rollout.RunRunning}
		}
		for _, s := range []*evidence.Share{parts[i%2], whole} {
			s.Compared(by, e)
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
	by := by(t)
	share := evidence.NewShare()
	const different = 6000
	for i := range different {
		other := fmt.Sprintf(`{"%s%d":1,"%s%d":1}`, strings.Repeat("a", 80), i%97, strings.Repeat("b", 80), i%89)
		share.Compared(by, exchangeOf(`{}`, other))
	}
	for i := range 8000 {
		e := exchangeOf(`{}`, `{}`)
		e.ID, e.Shadow = fmt.Sprint(strings.Repeat("x", 1200), i), rollout.Run{State: rollout.RunRunning}
		share.Compared(by, e)
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

// A share keeps a few comparisons of each kind, without what is redacted, and as many
// as fit; so does a sum of shares.
func TestShareKeepsSamples(t *testing.T) {
	t.Parallel()
	by, sum := by(t, "/secret"), evidence.NewShare()
	for range 5 {
		part := evidence.NewShare()
		for range 10 {
			part.Compared(by, exchangeOf(`{"a":1,"secret":"s3cret"}`, `{"a":2,"secret":"s3cret2"}`))
			part.Compared(by, exchangeOf(`{"a":1}`, `{"a":1}`))
		}
		part.Compared(by, exchangeOf(`{"b":1}`, `{"b":"`+strings.Repeat("x", 20<<10)+`"}`))
		text, err := part.MarshalJSON()
		if err == nil {
			err = sum.Add(text)
		}
		if err != nil || len(text) > 40<<10 {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
	}
	samples := (&evidence.Reader{Limits: certificate.DefaultLimits()}).ReportOn(sum, nil, time.Now()).Samples
	fields := map[string]int{}
	for _, s := range samples {
		fields[s.Differences[0].Pattern]++
		if text, _ := json.Marshal(s); strings.Contains(string(text), "s3cret") || len(text) > 10<<10 || s.Build != "build of shadow/d" {
			t.Errorf("build %s, %d bytes: %s", s.Build, len(text), text[:200])
		}
	}
	if fmt.Sprint(fields) != "map[/a:3 /b:3]" || samples[0].Differences[0].Pattern == samples[1].Differences[0].Pattern {
		t.Errorf("samples by field: %v, of which the first are of one kind: %v", fields, samples[:2])
	}
	for i := range 500 {
		sum.Compared(by, exchangeOf(`{}`, fmt.Sprintf(`{"c%d":"%s"}`, i, strings.Repeat("x", 2000))))
	}
	if text, err := sum.MarshalJSON(); err != nil || len(text) > 160<<10 {
		t.Errorf("with 500 kinds it takes %d bytes, %v", len(text), err)
	}
}
