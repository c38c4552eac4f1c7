package rollout_test

import (
	"math"
	"testing"

	"sluice/rollout"
)

func TestDecide(t *testing.T) {
	half := rollout.Exposure(500_000)
	base := rollout.Policy{Epoch: 7, Flag: half, Plan: rollout.All, Brake: rollout.All}
	with := func(change func(*rollout.Policy)) *rollout.Policy {
		p := base
		change(&p)
		return &p
	}
	in, out := rollout.Bucket(499_999), rollout.Bucket(500_000)
	for _, test := range []struct {
		name   string
		policy *rollout.Policy
		q      rollout.Question
		path   rollout.Path
		reason rollout.Reason
	}{
		{"below the flag", &base, rollout.Question{Bucket: in}, rollout.Temporal, rollout.ReasonSplit},
		{"at the flag", &base, rollout.Question{Bucket: out}, rollout.Legacy, rollout.ReasonSplit},
		{"killed", with(func(p *rollout.Policy) { p.Kill = true }), rollout.Question{Bucket: in}, rollout.Legacy, rollout.ReasonKill},
		{"braked", with(func(p *rollout.Policy) { p.Brake = 0 }), rollout.Question{Bucket: in}, rollout.Legacy, rollout.ReasonBrake},
		{"braked, but the flag excludes it anyway", with(func(p *rollout.Policy) { p.Brake = 0 }), rollout.Question{Bucket: out}, rollout.Legacy, rollout.ReasonSplit},
		{"plan below the flag", with(func(p *rollout.Policy) { p.Plan = 1 }), rollout.Question{Bucket: in}, rollout.Legacy, rollout.ReasonSplit},
		{"too large", &base, rollout.Question{Bucket: in, Oversize: true}, rollout.Legacy, rollout.ReasonSize},
		{"too large, legacy's anyway", &base, rollout.Question{Bucket: out, Oversize: true}, rollout.Legacy, rollout.ReasonSplit},
		{"the zero policy", &rollout.Policy{}, rollout.Question{}, rollout.Legacy, rollout.ReasonSplit},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.policy.Decide(test.q)
			want := rollout.Decision{Path: test.path, Reason: test.reason, Bucket: test.q.Bucket, Epoch: test.policy.Epoch}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestParsePercent(t *testing.T) {
	for percent, want := range map[float64]rollout.Exposure{
		0: 0, 100: 1_000_000, 0.0001: 1, 0.00004: 0, 12.5: 125_000, 36.2837: 362_837, 99.9999: 999_999,
	} {
		if got, err := rollout.ParsePercent(percent); err != nil || got != want {
			t.Errorf("%v %%: got %d, %v; want %d", percent, got, err, want)
		}
	}
	for _, percent := range []float64{-0.0001, 100.0001, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got, err := rollout.ParsePercent(percent); err == nil || got != rollout.None {
			t.Errorf("%v %% was taken as %v", percent, got)
		}
	}
}
