package router_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/router"
)

func refusing(refusal *router.Refusal, err error) router.Authoriser {
	return authoriseFunc(func(context.Context, *http.Request) (*router.Refusal, error) { return refusal, err })
}

// cors is what a route's answers carry besides.
func cors(s *setup) {
	s.Routes[0].AnswerFields = http.Header{
		"Access-Control-Allow-Origin": {"https://app.example"}, "Vary": {"Origin, Accept"}, "Strict-Transport-Security": {"max-age=1"},
	}
}

var corsFields = []string{
	"Access-Control-Allow-Origin", "https://app.example", "Vary", "Origin, Accept", "Strict-Transport-Security", "max-age=1",
}

// Each answer of the gateway's own on the route has the fields.
func TestOwnAnswersCarryTheRoutesFields(t *testing.T) {
	failing := func(failure rollout.Failure) runFunc {
		return func(context.Context, *rollout.Document, time.Duration) (rollout.Run, error) {
			return rollout.Run{State: rollout.RunFailed, Failure: failure}, nil
		}
	}
	for name, row := range map[string]struct {
		status  int
		body    string
		options []func(*setup)
	}{
		"workflow":   {200, docA, []func(*setup){at(100)}},
		"accepted":   {202, docA, []func(*setup){at(100), running(goesOn)}},
		"failure":    {422, docA, []func(*setup){at(100), running(failing(rollout.Failure{Type: "Invalid", Message: "no", Status: 422}))}},
		"unroutable": {400, "{}", []func(*setup){at(100), rejecting}},
		"too large":  {413, docA, []func(*setup){at(100), limits(func(l *router.BodyLimits) { l.Max = 1 })}},
		"unreachable": {502, docA, []func(*setup){answering(func(context.Context, http.ResponseWriter, *http.Request) (rollout.Result, error) {
			return rollout.Result{}, rollout.ErrNotAccepted
		})}},
		"check fails": {503, docA, []func(*setup){at(100), guarded(refusing(nil, errors.New("as ordered")))}},
		"refused":     {403, docA, []func(*setup){at(100), guarded(refusing(&router.Refusal{Status: 403}, nil))}},
		"broken": {502, docA, []func(*setup){at(0), answering(func(context.Context, http.ResponseWriter, *http.Request) (rollout.Result, error) {
			return rollout.Result{}, errors.New("broke")
		})}},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, append(row.options, cors)...)
			got := d.post(row.body)
			got.want(t, row.status, "")
			got.wantFields(t, corsFields...)
		})
	}
}

// The status resource is read by the same client.
func TestStatusResourceCarriesTheRoutesFields(t *testing.T) {
	d := openDoor(t, at(100), running(goesOn), cors)
	location := d.post(docA).header.Get("Location")
	d.send(http.MethodGet, location, "").wantFields(t, corsFields...)
	d.send(http.MethodGet, "/_sluice/documents/x", "").wantFields(t, "Access-Control-Allow-Origin", "")
}

// What the workflow says itself stands, once.
func TestRoutesFieldsAreNotDoubled(t *testing.T) {
	d := openDoor(t, at(100), cors, running(completed(rollout.Answer{Status: 200, Header: map[string][]string{
		"Access-Control-Allow-Origin": {"https://own.example"}, "Vary": {"accept"},
	}})))
	d.post(docA).wantFields(t, "Access-Control-Allow-Origin", "https://own.example", "Vary", "accept | Origin", "Strict-Transport-Security", "max-age=1")
}

// Legacy's answers are legacy's, on the route and elsewhere; and so is a preflight,
// at any percentage.
func TestLegacysAnswersAreLeftAlone(t *testing.T) {
	d := openDoor(t, at(0), cors)
	d.post(docA).wantFields(t, "Access-Control-Allow-Origin", "", "Vary", "")
	for _, percent := range []float64{0, 100} {
		d := openDoor(t, at(percent), cors, answering(func(_ context.Context, w http.ResponseWriter, r *http.Request) (rollout.Result, error) {
			if r.Header.Get("Access-Control-Request-Method") != http.MethodPost {
				t.Errorf("legacy got %v", r.Header)
			}
			w.Header().Set("Access-Control-Allow-Methods", "POST")
			w.WriteHeader(http.StatusNoContent)
			return rollout.Result{Status: http.StatusNoContent}, nil
		}))
		got := d.send(http.MethodOptions, "/v1/documents", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST")
		got.want(t, http.StatusNoContent, "")
		got.wantFields(t, "Access-Control-Allow-Methods", "POST", "Access-Control-Allow-Origin", "", "Rollout-Path", "")
	}
}
