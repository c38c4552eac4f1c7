package flags_test

import (
	"path/filepath"
	"strings"
	"testing"

	"sluice/rollout"
	"sluice/rollout/flags"
	"sluice/rollout/flags/ofrep"
)

func environment(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		text, set := variables[name]
		return text, set
	}
}

func TestEnvironmentIsTheFlagsWithProviderEnv(t *testing.T) {
	source := flags.Source{Kind: flags.KindEnv, Lookup: environment(map[string]string{
		"TEMPORAL_ROLLOUT": " 12.5 ", "TEMPORAL_SHADOW": "100", "TEMPORAL_KILL": "true",
	})}
	log, _ := newLog()
	provider, boot, err := source.Open(log)
	if err != nil || boot != nil {
		t.Fatalf("boot value %v, error %v; want neither", boot, err)
	}
	stored := filepath.Join(t.TempDir(), "flags.state")
	r := start(t, flags.Config{Provider: provider, Boot: boot, StateFile: stored})
	if got := r.Status(); got.Provider != "env" || got.InForce != (rollout.Reading{Rollout: 125_000, Shadow: 1_000_000, Kill: true}) {
		t.Errorf("status %+v", got)
	}
}

func TestUnsetEnvironmentIsOff(t *testing.T) {
	log, _ := newLog()
	provider, _, err := flags.Source{Kind: flags.KindEnv, Lookup: environment(map[string]string{"TEMPORAL_KILL": ""})}.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, flags.Config{Provider: provider})
	if got := r.Status(); got.InForce != (rollout.Reading{}) || !got.Flags[0].Read || got.Flags[2].Rejected {
		t.Errorf("status %+v", got)
	}
}

func TestBadVariableIsNamedAtStart(t *testing.T) {
	for _, c := range []struct{ kind, variable, text, accepted string }{
		{flags.KindEnv, "TEMPORAL_ROLLOUT", "10%", "a number from 0 to 100"},
		{flags.KindEnv, "TEMPORAL_ROLLOUT", "101", "a number from 0 to 100"},
		{flags.KindEnv, "TEMPORAL_ROLLOUT", "-1", "a number from 0 to 100"},
		{flags.KindEnv, "TEMPORAL_ROLLOUT", "NaN", "a number from 0 to 100"},
		{flags.KindEnv, "TEMPORAL_ROLLOUT", "1,5", "a number from 0 to 100"},
		{flags.KindEnv, "TEMPORAL_SHADOW", "all", "a number from 0 to 100"},
		{flags.KindEnv, "TEMPORAL_KILL", "yes", "true or false"},
		{flags.KindFile, "TEMPORAL_ROLLOUT", "ten", "a number from 0 to 100"},
		{flags.KindOFREP, "TEMPORAL_ROLLOUT", "1e9", "a number from 0 to 100"},
	} {
		log, _ := newLog()
		_, _, err := flags.Source{
			Kind: c.kind, File: "flags.json", OFREP: ofrep.Config{URL: "http://127.0.0.1:1"},
			Lookup: environment(map[string]string{c.variable: c.text}),
		}.Open(log)
		if err == nil || !strings.Contains(err.Error(), c.variable) || !strings.Contains(err.Error(), c.accepted) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %s=%q: error %v, want one that names the variable and %q", c.kind, c.variable, c.text, err, c.accepted)
		}
	}
}

func TestAllBadVariablesAreToldAtOnce(t *testing.T) {
	log, _ := newLog()
	_, _, err := flags.Source{Kind: flags.KindEnv, Lookup: environment(map[string]string{
		"TEMPORAL_ROLLOUT": "x", "TEMPORAL_SHADOW": "y", "TEMPORAL_KILL": "z",
	})}.Open(log)
	if err == nil || strings.Count(err.Error(), "TEMPORAL_") != 3 {
		t.Errorf("error %v", err)
	}
}

func TestBootValueComesFromTheEnvironment(t *testing.T) {
	for text, want := range map[string]rollout.Exposure{"0": 0, "12.5": 125_000, "100": rollout.All} {
		log, lines := newLog()
		_, boot, err := flags.Source{Kind: flags.KindFile, File: "flags.json", Lookup: environment(map[string]string{
			"TEMPORAL_ROLLOUT": text, "TEMPORAL_KILL": "true",
		})}.Open(log)
		if err != nil || boot == nil || *boot != want {
			t.Errorf("TEMPORAL_ROLLOUT=%s: boot value %v, error %v", text, boot, err)
		}
		if got := lines.All(); len(got) != 1 || got[0].ContextMap()["variable"] != "TEMPORAL_KILL" {
			t.Errorf("logged %v, want that TEMPORAL_KILL is ignored", got)
		}
	}
	log, _ := newLog()
	if _, boot, err := (flags.Source{Kind: flags.KindFile, File: "flags.json", Lookup: environment(nil)}).Open(log); boot != nil || err != nil {
		t.Errorf("nothing set: boot value %v, error %v", boot, err)
	}
}

func TestSourceMistakesFailAtStart(t *testing.T) {
	log, _ := newLog()
	for _, source := range []flags.Source{
		{}, {Kind: "flagd"}, {Kind: flags.KindFile}, {Kind: flags.KindOFREP}, {Kind: flags.KindOFREP, OFREP: ofrep.Config{URL: "flagd:8016"}},
	} {
		source.Lookup = environment(nil)
		if provider, _, err := source.Open(log); err == nil {
			t.Errorf("%+v is accepted: %v", source, provider)
		}
	}
}
