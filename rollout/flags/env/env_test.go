package env_test

import (
	"context"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"

	"sluice/rollout/flags/env"
)

func TestUnknownFlagIsNotFound(t *testing.T) {
	p, err := env.New(func(string) (string, bool) { return "1", true }, env.Flag{Key: "share", Variable: "SHARE"}, env.Flag{Key: "stop", Variable: "STOP", Bool: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if got := p.FloatEvaluation(ctx, "share", -1, nil); got.Value != 1 || got.Error() != nil {
		t.Errorf("share: %+v", got)
	}
	if got := p.BooleanEvaluation(ctx, "stop", false, nil); !got.Value || got.Error() != nil {
		t.Errorf("stop: %+v", got)
	}
	if got := p.FloatEvaluation(ctx, "other", -1, nil); got.ResolutionDetail().ErrorCode != openfeature.FlagNotFoundCode {
		t.Errorf("other: %+v", got)
	}
	if got := p.BooleanEvaluation(ctx, "share", false, nil); got.ResolutionDetail().ErrorCode != openfeature.TypeMismatchCode {
		t.Errorf("share as a bool: %+v", got)
	}
}
