package flags_test

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"sluice/rollout"
	"sluice/rollout/flags"
)

func TestNewDecidesOnFreshFlags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, flags.Config{Provider: newBoard(12.5, 30, false).provider})
		want := rollout.Reading{Rollout: 125_000, Shadow: 300_000}.Policy(2)
		if got := *r.Policy(); got != *want {
			t.Errorf("policy %+v, want %+v", got, *want)
		}
	})
}

func TestSourceWithoutEventsIsPolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newBoard(10, 0, false)
		r := start(t, flags.Config{Provider: source.provider})
		source.edit(20, 0, false)
		tick()
		if got := r.Policy(); got.Flag != percent(t, 20) || got.Epoch != 3 {
			t.Errorf("policy %+v", got)
		}
	})
}

func TestEventWakesTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newBoard(10, 0, false)
		r := start(t, flags.Config{Provider: source.provider, Poll: time.Hour})
		synctest.Wait()
		for _, event := range []openfeature.EventType{
			openfeature.ProviderConfigChange, openfeature.ProviderStale, openfeature.ProviderError, openfeature.ProviderReady,
		} {
			source.edit(r.Policy().Flag.Percent()+1, 0, false)
			before := r.Policy().Flag
			source.events <- openfeature.Event{EventType: event}
			synctest.Wait()
			if got := r.Policy().Flag; got != before+10_000 {
				t.Errorf("after %s: %s, want one percent more than %s", event, got, before)
			}
		}
	})
}

func TestEpochGrowsByOneWithEachChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newBoard(10, 0, false)
		r := start(t, flags.Config{Provider: source.provider})
		edits := []struct {
			percent, shadow float64
			kill            bool
		}{{11, 0, false}, {11, 5, false}, {11, 5, true}, {0, 0, false}}
		for i, e := range edits {
			source.edit(e.percent, e.shadow, e.kill)
			for range 3 {
				tick()
			}
			if got, want := r.Policy().Epoch, uint64(3+i); got != want {
				t.Errorf("edit %d: epoch %d, want %d", i, got, want)
			}
		}
	})
}

// badValues are the ways in which a source can fail to give a percentage.
func badValues() map[string]struct {
	answer answer
	reason flags.Reason
} {
	type row = struct {
		answer answer
		reason flags.Reason
	}
	named := good(-1.0)
	return map[string]row{
		"missing":              {failed(openfeature.NewFlagNotFoundResolutionError("no such flag")), flags.ReasonMissing},
		"broken":               {failed(openfeature.NewParseErrorResolutionError("line 3")), flags.ReasonBroken},
		"wrong type":           {good("10"), flags.ReasonWrongType},
		"bool":                 {good(true), flags.ReasonWrongType},
		"int that is no float": {good(int64(10)), flags.ReasonWrongType},
		"above":                {good(100.00001), flags.ReasonOutOfRange},
		"far above":            {good(math.MaxFloat64), flags.ReasonOutOfRange},
		"below":                {good(-0.0001), flags.ReasonOutOfRange},
		"sentinel itself":      {named, flags.ReasonOutOfRange},
		"NaN":                  {good(math.NaN()), flags.ReasonOutOfRange},
		"infinite":             {good(math.Inf(1)), flags.ReasonOutOfRange},
		"disabled":             {answer{detail: openfeature.ProviderResolutionDetail{Reason: openfeature.DisabledReason}}, flags.ReasonDisabled},
		"disabled with variant": {answer{detail: openfeature.ProviderResolutionDetail{
			Reason: openfeature.DisabledReason, Variant: "p10"}}, flags.ReasonDisabled},
		"default without an error": {answer{detail: openfeature.ProviderResolutionDetail{Reason: openfeature.DefaultReason}}, flags.ReasonNoValue},
		"default with any reason":  {answer{detail: openfeature.ProviderResolutionDetail{Reason: "CACHED"}}, flags.ReasonNoValue},
		"down":                     {failed(openfeature.NewGeneralResolutionError("connection refused")), flags.ReasonUnavailable},
		"bad context":              {failed(openfeature.NewInvalidContextResolutionError("no")), flags.ReasonUnavailable},
		"fatal":                    {failed(openfeature.NewProviderFatalResolutionError("gone")), flags.ReasonNotReady},
	}
}

func TestBadPercentageKeepsTheLastGoodOne(t *testing.T) {
	for name, bad := range badValues() {
		for _, key := range []string{flags.Rollout, flags.Shadow} {
			t.Run(name+" "+key, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					source, seen := newBoard(40, 60, false), &rejects{}
					log, lines := newLog()
					r := start(t, flags.Config{Provider: source.provider, Observer: seen, Log: log})
					synctest.Wait()
					before := r.Policy()
					lines.TakeAll()

					source.set(key, bad.answer)
					for range 5 {
						tick()
					}
					if r.Policy() != before {
						t.Errorf("policy %+v, want the same as before: %+v", r.Policy(), before)
					}
					if got := seen.of(key, bad.reason); got != 5 || seen.kinds() != 1 {
						t.Errorf("rejects %v, want 5 of %q", seen.count, bad.reason)
					}
					if got := lines.TakeAll(); len(got) != 1 || got[0].ContextMap()["reason"] != string(bad.reason) {
						t.Errorf("logged %v, want one line with the reason %q", got, bad.reason)
					}
					status := statusOf(t, r, key)
					if !status.Rejected || status.Reason != bad.reason || status.Text == "" || status.Age != 5*time.Second {
						t.Errorf("status %+v", status)
					}
					if r.Age() != 5*time.Second {
						t.Errorf("age %s, want 5s", r.Age())
					}

					source.edit(40, 60, false)
					tick()
					tick()
					if got := lines.TakeAll(); len(got) != 1 || got[0].Message != "the flag can be used again" {
						t.Errorf("logged %v at the end, want one line", got)
					}
					if status := statusOf(t, r, key); status.Rejected || status.Reason != bad.reason || status.Age != 0 {
						t.Errorf("status at the end %+v", status)
					}
				})
			})
		}
	}
}

func TestBadKillFlagKeepsTheLastGoodOne(t *testing.T) {
	bad := badValues()
	for _, name := range []string{"above", "far above", "below", "sentinel itself", "NaN", "infinite", "bool"} {
		delete(bad, name) // of percentages only
	}
	for name, bad := range bad {
		for _, killed := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					source, seen := newBoard(40, 60, killed), &rejects{}
					r := start(t, flags.Config{Provider: source.provider, Observer: seen})
					synctest.Wait()
					before := r.Policy()
					source.set(flags.Kill, bad.answer)
					for range 3 {
						tick()
					}
					if r.Policy() != before {
						t.Errorf("policy %+v, want %+v", r.Policy(), before)
					}
					if got := seen.of(flags.Kill, bad.reason); got != 3 || seen.kinds() != 1 {
						t.Errorf("rejects %v, want 3 of %q", seen.count, bad.reason)
					}
				})
			})
		}
	}
}

func TestGoodValueCountsWhateverItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newBoard(0, 0, false)
		for key, value := range map[string]any{flags.Rollout: 33.0, flags.Shadow: 0.5, flags.Kill: false} {
			source.set(key, answer{value: value, detail: openfeature.ProviderResolutionDetail{Reason: openfeature.DisabledReason}})
		}
		r := start(t, flags.Config{Provider: source.provider})
		if got := r.Policy(); got.Flag != percent(t, 33) || got.Shadow != percent(t, 0.5) {
			t.Errorf("policy %+v", got)
		}
	})
}

func TestFlagsWithOneCauseShareALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newBoard(40, 60, false)
		log, lines := newLog()
		start(t, flags.Config{Provider: source.provider, Log: log})
		synctest.Wait()
		lines.TakeAll()
		source.down()
		for range 10 {
			tick()
		}
		got := lines.TakeAll()
		if len(got) != 1 {
			t.Fatalf("logged %v, want one line", got)
		}
		names, _ := got[0].ContextMap()["flags"].([]any)
		values, _ := got[0].ContextMap()["values"].([]any)
		if len(names) != 3 || !slices.Equal(values, []any{"40%", "60%", "false"}) {
			t.Errorf("logged flags %v with values %v", names, values)
		}
	})
}

func TestStatusTellsWhatOperatorsAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newBoard(12.5, 0, true)
		source.set(flags.Shadow, good("none"))
		r := start(t, flags.Config{Provider: source.provider})
		got := r.Status()
		if got.Provider != "fake" || got.Epoch != 2 || got.Held || got.InForce != (rollout.Reading{Rollout: 125_000, Kill: true}) {
			t.Errorf("status %+v", got)
		}
		want := []flags.FlagStatus{
			{Flag: flags.Rollout, Value: 12.5, Read: true},
			{Flag: flags.Shadow, Value: 0.0, Rejected: true, Reason: flags.ReasonWrongType, Text: "the value is of another type", RejectedAt: time.Now()},
			{Flag: flags.Kill, Value: true, Read: true},
		}
		if !slices.Equal(got.Flags, want) {
			t.Errorf("flags\n%+v, want\n%+v", got.Flags, want)
		}
	})
}

func TestConfigMistakesFailAtStart(t *testing.T) {
	source := newBoard(0, 0, false)
	for _, cfg := range []flags.Config{{}, {Provider: source.provider, Poll: -1}, {Provider: source.provider, Deadline: -1}} {
		if r, err := flags.New(t.Context(), cfg); err == nil {
			r.Close()
			t.Errorf("%+v is accepted", cfg)
		}
	}
	start(t, flags.Config{Provider: source.provider})
	if r, err := flags.New(t.Context(), flags.Config{Provider: source.provider}); err == nil {
		r.Close()
		t.Error("one provider serves two readers")
	}
}

func TestListsAreClosed(t *testing.T) {
	if got := flags.Keys(); len(got) != 3 {
		t.Errorf("keys %q", got)
	}
	reasons := flags.Reasons()
	slices.Sort(reasons)
	if len(slices.Compact(reasons)) != 9 {
		t.Errorf("reasons %q", reasons)
	}
}

func statusOf(t *testing.T, r *flags.Reader, key string) flags.FlagStatus {
	t.Helper()
	for _, s := range r.Status().Flags {
		if s.Flag == key {
			return s
		}
	}
	t.Fatalf("no status of %s", key)
	return flags.FlagStatus{}
}

func BenchmarkPolicy(b *testing.B) {
	r := start(b, flags.Config{Provider: newBoard(50, 0, false).provider})
	b.ReportAllocs()
	for b.Loop() {
		if r.Policy().Epoch == 0 {
			b.Fatal("epoch 0")
		}
	}
}
