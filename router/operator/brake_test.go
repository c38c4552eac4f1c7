package operator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sluice/rollout"
	"sluice/router/operator"
)

// pedal is a brake in memory.
type pedal struct {
	now    rollout.Brake
	failed error        // what every act ends with
	before func() error // runs before every act
}

func (p *pedal) Lower(_ context.Context, b rollout.Brake) error {
	if p.before != nil {
		if err := p.before(); err != nil {
			return err
		}
	}
	next, err := p.now.After(b)
	p.now = next
	return errors.Join(err, p.failed)
}

func (p *pedal) Release(ctx context.Context, b rollout.Brake) error {
	if p.failed != nil {
		return p.failed
	}
	return p.Lower(ctx, b)
}

func openBrake(t *testing.T, options ...func(*operator.Config)) (*desk, *pedal) {
	t.Helper()
	p := &pedal{now: rollout.Brake{Exposure: rollout.All}}
	return openDesk(t, append(options, func(c *operator.Config) { c.Brake = p })...), p
}

func lowering(percent float64) string {
	return fmt.Sprintf(`{"ceiling":%v,"reason":"errors"}`, percent)
}

const releasing = `{"reason":"mended"}`

func TestTheBrakeIsOnRecordAndSet(t *testing.T) {
	d, p := openBrake(t)
	p.before = func() error {
		if len(d.entries()) == 0 {
			t.Error("it is set before it is on record")
		}
		return nil
	}
	var got operator.Braked
	d.do("POST", "/api/brake", lowering(12.5), http.StatusOK, &got)
	if p.now.Exposure != 125_000 || p.now.Actor != "loopback" || p.now.Reason != "errors" || p.now.At.IsZero() || got != (operator.Braked{Ceiling: 12.5, Audit: 1}) {
		t.Errorf("the brake is %+v, the answer %+v", p.now, got)
	}
	if slug := d.do("POST", "/api/brake", lowering(13), http.StatusConflict, nil); slug != "brake-lower" || p.now.Exposure != 125_000 {
		t.Errorf("raised: %v, %+v", slug, p.now)
	}
	d.do("POST", "/api/brake/release", releasing, http.StatusOK, &got)
	if p.now.Exposure != rollout.All || p.now.Reason != "mended" || got.Audit != 4 {
		t.Errorf("released: %+v, %+v", p.now, got)
	}
	var actions []string
	for _, e := range d.entries() {
		actions = append(actions, e.Action+" "+e.Subject["ceiling"]+" "+e.Subject["entry"])
	}
	want := []string{"brake 12.5 ", "brake 13 ", "brake-failed 13 2", "brake-release 100 "}
	if strings.Join(actions, "|") != strings.Join(want, "|") {
		t.Errorf("the audit is %q", actions)
	}
}

// An operator's rollback is never gated: not by the audit, not by the store. A
// release is.
func TestNothingStopsALowering(t *testing.T) {
	d, p := openBrake(t, func(c *operator.Config) { c.Audit = brokenAudit{c.Audit} })
	var got operator.Braked
	d.do("POST", "/api/brake", lowering(0), http.StatusOK, &got)
	if p.now.Exposure != rollout.None || got.Audit != 0 {
		t.Errorf("without a record: %+v, %+v", p.now, got)
	}
	if slug := d.do("POST", "/api/brake/release", releasing, http.StatusServiceUnavailable, nil); slug != "audit" || p.now.Exposure != rollout.None {
		t.Errorf("released without a record: %v, %+v", slug, p.now)
	}

	d, p = openBrake(t)
	p.failed = fmt.Errorf("%w: the store is away", rollout.ErrBrakeHere)
	d.do("POST", "/api/brake", lowering(0), http.StatusAccepted, &got)
	if p.now.Exposure != rollout.None || got.Pending == "" || got.Audit != 1 {
		t.Errorf("without a store: %+v, %+v", p.now, got)
	}
	p.failed = errors.New("the store is away")
	if slug := d.do("POST", "/api/brake/release", releasing, http.StatusServiceUnavailable, nil); slug != "store" || p.now.Exposure != rollout.None {
		t.Errorf("%v, %+v", slug, p.now)
	}
	if entries := d.entries(); len(entries) != 3 || entries[2].Action != operator.ActionReleaseFailed || entries[2].Subject["entry"] != "2" {
		t.Errorf("the audit is %+v", entries)
	}
}

func TestTheBrakeIsTakenStrictly(t *testing.T) {
	d, p := openBrake(t)
	for path, bodies := range map[string][]string{
		"/api/brake": {"{}", "null", "[]", `{"ceiling":0}`, `{"reason":"x"}`, `{"ceiling":null,"reason":"x"}`, lowering(-1), lowering(100), lowering(101),
			`{"ceiling":"0","reason":"x"}`, `{"ceiling":0,"reason":" "}`, `{"ceiling":0,"reason":"x","more":1}`, `{"ceiling":0,"ceiling":1,"reason":"x"}`,
			`{"ceiling":0,"reason":"` + strings.Repeat("x", 2001) + `"}`, `{"ceiling":0,"reason":"\u0000"}`},
		"/api/brake/release": {"{}", `{"reason":""}`, lowering(100), lowering(0)},
	} {
		for _, body := range bodies {
			if slug := d.do("POST", path, body, http.StatusBadRequest, nil); slug != "bad-request" {
				t.Errorf("%s: %v", body, slug)
			}
		}
		d.do("GET", path, "", http.StatusMethodNotAllowed, nil)
		d.do("POST", path, releasing, http.StatusForbidden, nil, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") })
	}
	if len(d.entries()) > 0 || p.now.Exposure != rollout.All {
		t.Errorf("the audit is %+v, the brake %+v", d.entries(), p.now)
	}
}
