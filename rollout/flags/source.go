package flags

import (
	"fmt"
	"strings"

	"github.com/open-feature/go-sdk/openfeature"
	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/flags/env"
	"sluice/rollout/flags/file"
	"sluice/rollout/flags/ofrep"
)

// The kinds of flag source.
const (
	KindFile  = "file"
	KindOFREP = "ofrep"
	KindEnv   = "env"
)

// The environment variables.
const (
	RolloutVariable = "TEMPORAL_ROLLOUT"
	ShadowVariable  = "TEMPORAL_SHADOW"
	KillVariable    = "TEMPORAL_KILL"
)

// Source says which provider to make.
type Source struct {
	// Kind is KindFile, KindOFREP or KindEnv.
	Kind string
	// File is the path of KindFile's file.
	File string
	// OFREP configures KindOFREP.
	OFREP ofrep.Config
	// Lookup reads the environment, as os.LookupEnv does.
	Lookup env.Lookup
}

// Open makes the provider, and reads the boot value: nil if there is none, as
// with KindEnv, where the variables are the flags themselves. It fails if the
// source is not configured as its kind needs, or if a variable that counts is
// not understood. A variable that does not count is logged.
func (s Source) Open(log *zap.Logger) (openfeature.FeatureProvider, *rollout.Exposure, error) {
	if s.Kind == KindEnv {
		provider, err := env.New(s.Lookup,
			env.Flag{Key: Rollout, Variable: RolloutVariable},
			env.Flag{Key: Shadow, Variable: ShadowVariable},
			env.Flag{Key: Kill, Variable: KillVariable, Bool: true})
		return provider, nil, err
	}
	provider, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	boot, err := s.boot()
	if err != nil {
		return nil, nil, err
	}
	for variable, key := range map[string]string{ShadowVariable: Shadow, KillVariable: Kill} {
		if text, _ := s.Lookup(variable); strings.TrimSpace(text) != "" {
			log.Warn("this environment variable is ignored: it counts only with the flag provider env, here the flag decides",
				zap.String("variable", variable), zap.String("flag", key), zap.String("provider", s.Kind))
		}
	}
	return provider, boot, nil
}

func (s Source) open() (openfeature.FeatureProvider, error) {
	switch s.Kind {
	case KindFile:
		return file.New(s.File)
	case KindOFREP:
		return ofrep.New(s.OFREP)
	}
	return nil, fmt.Errorf("the flag provider %q is unknown: choose %s, %s or %s", s.Kind, KindFile, KindOFREP, KindEnv)
}

func (s Source) boot() (*rollout.Exposure, error) {
	percent, set, err := env.Percent(s.Lookup, RolloutVariable)
	if err != nil || !set {
		return nil, err
	}
	exposure, err := rollout.ParsePercent(percent)
	return &exposure, err
}
