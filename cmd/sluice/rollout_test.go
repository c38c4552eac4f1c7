package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/audit"
	"sluice/router/operator"
)

// pedal is a brake in memory, whose store is away.
type pedal struct{ now rollout.Brake }

func (p *pedal) Lower(_ context.Context, b rollout.Brake) (err error) {
	if p.now, err = p.now.After(b); err != nil {
		return err
	}
	return fmt.Errorf("%w: the store is away", rollout.ErrBrakeHere)
}

func (p *pedal) Release(_ context.Context, b rollout.Brake) error { p.now = b; return nil }

func (p *pedal) view(context.Context, url.Values) (any, error) {
	return operator.Rollout{Effective: p.now.Exposure.Percent(), Flag: 50, Plan: 100, Brake: p.now.Exposure.Percent(), Epoch: 3,
		Wanted: p.now.Exposure.Percent(), Actor: p.now.Actor, Reason: p.now.Reason, At: p.now.At, Unstored: true,
		Unclaimed: map[string]uint64{"missing": 34, "not-json": 1200}}, nil
}

func TestTheBrakeFromTheCommandLine(t *testing.T) {
	t.Parallel()
	log, err := audit.Open(filepath.Join(t.TempDir(), "audit.jsonl"), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p := &pedal{now: rollout.Brake{Exposure: rollout.All, At: time.Now()}}
	server := httptest.NewServer(operator.New(operator.Config{Brake: p, Audit: log, Log: zap.NewNop(),
		Views: []operator.View{{Name: "rollout", Read: p.view}}}))
	defer server.Close()
	for _, test := range []struct {
		args   []string
		code   int
		said   string
		leaves rollout.Exposure
	}{
		{[]string{"rollout", "ceiling", "12.5%", "-reason", "slow"}, 0, "the brake is at 12.5 %; entry 1 of the audit\nNOT YET EVERYWHERE", 125_000},
		{[]string{"rollout", "ceiling", "13", "-reason", "slow"}, 1, "hint: sluice rollout status", 125_000},
		{[]string{"rollback", "-reason", "two words"}, 0, "the brake is at 0 %; entry 4 of the audit", 0},
		{[]string{"rollout", "status"}, 0, `set to 0 % by loopback, `, 0},
		{[]string{"rollout", "status"}, 0, `"two words" (NOT YET ON ALL GATEWAYS)`, 0},
		{[]string{"rollout", "status", "-json"}, 0, `"brake_reason":"two words"`, 0},
		{[]string{"rollout", "status"}, 0, "1234 requests went to legacy without a claim on this gateway in the last hour: not-json 1200, missing 34\nhint: ", 0},
		{[]string{"rollout", "status", "-json"}, 0, `"unclaimed_last_hour":{"missing":34,"not-json":1200}`, 0},
		{[]string{"rollout", "release", "-reason", "mended", "-json"}, 0, `{"ceiling":100,"audit":5}`, rollout.All},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append(test.args, "-operator", server.URL), &stdout, &stderr)
		if said := stdout.String() + stderr.String(); code != test.code || !strings.Contains(said, test.said) || p.now.Exposure != test.leaves {
			t.Errorf("%v: %d, %s; the brake is %+v", test.args, code, said, p.now)
		}
	}
	var stderr bytes.Buffer
	server.Config.Handler = http.NotFoundHandler()
	if code := run(t.Context(), []string{"rollback", "-reason", "x", "-operator", server.URL}, &stderr, &stderr); code != 1 || !strings.Contains(stderr.String(), hintElsewhere) {
		t.Errorf("%d, %s", code, &stderr)
	}
}
