package flags_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"
	"github.com/open-feature/go-sdk/openfeature/memprovider"

	"sluice/rollout"
	"sluice/rollout/flags"
)

// memory is the SDK's own provider with the three flags in a state.
func memory(state memprovider.State) *memprovider.InMemoryProvider {
	flag := func(value any) memprovider.InMemoryFlag {
		return memprovider.InMemoryFlag{State: state, DefaultVariant: "v", Variants: map[string]any{"v": value}}
	}
	return memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{
		flags.Rollout: flag(50.0), flags.Shadow: flag(20.0), flags.Kill: flag(true),
	})
}

// naive reads the flags as the SDK's examples do: a default, and trust in err.
func naive(t *testing.T, client *openfeature.Client) rollout.Reading {
	t.Helper()
	ctx, subject := t.Context(), openfeature.NewEvaluationContext("gateway", nil)
	share, err := client.FloatValue(ctx, flags.Rollout, 0, subject)
	if err != nil {
		t.Fatalf("the SDK reports an error, which would protect the naive reader: %v", err)
	}
	kill, err := client.BooleanValue(ctx, flags.Kill, false, subject)
	if err != nil {
		t.Fatalf("the SDK reports an error, which would protect the naive reader: %v", err)
	}
	return rollout.Reading{Rollout: percent(t, share), Kill: kill}
}

// The SDK answers a disabled flag with the caller's default and no error: who
// trusts that takes a kill for lifted. It does the same without a provider.
func TestNaiveReaderWouldPublishDefaults(t *testing.T) {
	api := isolated.NewAPI()
	if got := naive(t, api.NewClient()); got != (rollout.Reading{}) {
		t.Errorf("without a provider: %+v", got)
	}
	source := memory(memprovider.Enabled)
	if err := api.SetProviderAndWait(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Shutdown(context.Background()) })
	if got := naive(t, api.NewClient()); got.Rollout != percent(t, 50) || !got.Kill {
		t.Fatalf("enabled: %+v, want 50%% and killed", got)
	}
	source.UpdateFlags(map[string]memprovider.InMemoryFlag{
		flags.Rollout: {State: memprovider.Disabled}, flags.Kill: {State: memprovider.Disabled},
	})
	if got := naive(t, api.NewClient()); got.Rollout != rollout.None || got.Kill {
		t.Errorf("disabled: %+v, want the defaults 0%% and not killed", got)
	}
}

func TestReaderKeepsWhatDisabledFlagsSaidBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := memory(memprovider.Enabled)
		r := start(t, flags.Config{Provider: source})
		before := *r.Policy()
		if !before.Kill || before.Flag != percent(t, 50) {
			t.Fatalf("enabled: %+v", before)
		}
		source.UpdateFlags(map[string]memprovider.InMemoryFlag{
			flags.Rollout: {State: memprovider.Disabled}, flags.Shadow: {State: memprovider.Disabled}, flags.Kill: {State: memprovider.Disabled},
		})
		tick()
		if got := *r.Policy(); got != before {
			t.Errorf("policy %+v, want %+v", got, before)
		}
		for _, s := range r.Status().Flags {
			if s.Reason != flags.ReasonDisabled || !s.Rejected {
				t.Errorf("%+v", s)
			}
		}
	})
}
