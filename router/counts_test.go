package router_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/router"
	"sluice/router/breaker"
)

type happened = map[rollout.Event]uint64

// legacyAnswers makes legacy answer with a status.
func legacyAnswers(status int) func(*setup) {
	return func(s *setup) {
		s.legacy.answer = func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
			w.WriteHeader(status)
			return rollout.Result{Status: status, Outcome: rollout.OutcomeOfStatus(status)}, nil
		}
	}
}

func temporalRuns(run runFunc) func(*setup) { return func(s *setup) { s.temporal.run = run } }

// What the door makes of a document is counted in the arm of its hash, with what
// became of it, and what is no fair comparison on neither arm.
func TestWhatIsCounted(t *testing.T) {
	opened := breaker.New()
	for range 5 {
		opened.Report(false)
	}
	nobody := guarded(authoriseFunc(func(context.Context, *http.Request) (*router.Refusal, error) {
		return &router.Refusal{Status: http.StatusForbidden}, nil
	}))
	refused := temporalRuns(func(context.Context, *rollout.Document, time.Duration) (rollout.Run, error) {
		return rollout.Run{}, fmt.Errorf("no connection: %w", rollout.ErrNotAccepted)
	})
	unsure := temporalRuns(func(context.Context, *rollout.Document, time.Duration) (rollout.Run, error) {
		return rollout.Run{}, errors.New("a reset in the middle")
	})
	large := func(s *setup) { s.temporal.oversize = func(*rollout.Document) bool { return true } }
	one := func(event rollout.Event) happened { return happened{rollout.EventAssigned: 1, event: 1} }
	for name, c := range map[string]struct {
		options          []func(*setup)
		legacy, temporal happened
	}{
		"legacy answers":          {[]func(*setup){at(0), legacyAnswers(200)}, one(rollout.EventGood), happened{}},
		"legacy fails":            {[]func(*setup){at(0), legacyAnswers(502)}, one(rollout.EventBad), happened{}},
		"legacy finds it invalid": {[]func(*setup){at(0), legacyAnswers(422)}, one(rollout.EventInvalid), happened{}},
		"legacy lets nobody in":   {[]func(*setup){at(0), nobody, legacyAnswers(403)}, one(rollout.EventWithdrawn), happened{}},
		"legacy asks nobody":      {[]func(*setup){at(0), legacyAnswers(403)}, one(rollout.EventInvalid), happened{}},
		"Temporal answers":        {[]func(*setup){at(100)}, happened{}, one(rollout.EventGood)},
		"Temporal lets nobody in": {[]func(*setup){at(100), nobody}, happened{}, happened{}},
		"Temporal goes on":        {[]func(*setup){at(100), temporalRuns(goesOn)}, happened{}, happened{rollout.EventAssigned: 1}},
		"it is not known":         {[]func(*setup){at(100), unsure}, happened{}, happened{rollout.EventAssigned: 1}},
		"it fell back":            {[]func(*setup){at(100), refused}, happened{}, one(rollout.EventBad)},
		"too large for Temporal":  {[]func(*setup){at(100), large}, happened{}, happened{}},
		"too large, on legacy":    {[]func(*setup){at(1), large}, happened{}, happened{}},
		"nor on legacy":           {[]func(*setup){at(1), func(s *setup) { s.WorkersReady = func(string) bool { return false } }}, happened{}, happened{}},
		"no declared workers":     {[]func(*setup){at(100), func(s *setup) { s.WorkersReady = func(string) bool { return false } }}, happened{}, happened{}},
		"the breaker is open":     {[]func(*setup){at(100), func(s *setup) { s.Breaker = opened }}, happened{}, happened{}},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, c.options...)
			d.post(document("a"))
			got := d.records.counted()
			for arm, want := range map[rollout.Path]happened{rollout.Legacy: c.legacy, rollout.Temporal: c.temporal} {
				if fmt.Sprint(got[arm]) != fmt.Sprint(want) {
					t.Errorf("in the arm %s: %v, want %v", arm, got[arm], want)
				}
			}
		})
	}
}
