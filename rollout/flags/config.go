package flags

import (
	"errors"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"go.uber.org/zap"

	"sluice/rollout"
)

// Defaults of Config.
const (
	DefaultPoll     = time.Second
	DefaultDeadline = 500 * time.Millisecond
)

// Config says where flags come from and what is done with them.
type Config struct {
	// Provider is the flag source. The reader initialises it and shuts it down;
	// it must not serve another OpenFeature API.
	Provider openfeature.FeatureProvider
	// StateFile keeps what is in force across restarts; its directory must
	// exist. Empty keeps nothing.
	StateFile string
	// Boot is the boot value, nil if there is none. It is in force where nothing
	// is stored, and where it is lower than what is, until the first good
	// reading.
	Boot *rollout.Exposure
	// Poll is the time between two readings that no event asks for; 0 means
	// DefaultPoll.
	Poll time.Duration
	// Deadline bounds one evaluation, and the wait for the provider's
	// initialisation; 0 means DefaultDeadline. A reading is four evaluations
	// one after the other; three if the source does not answer, eight if an edit
	// falls into it.
	Deadline time.Duration
	// Observer may be nil.
	Observer Observer
	// Log may be nil.
	Log *zap.Logger
}

// Observer is told of values that were not used. The method is called by the
// reading goroutine, must return at once and cannot fail.
type Observer interface {
	// FlagRejected is called for every reading in which a flag's value was not
	// used: one of Keys, and one of Reasons as a string.
	FlagRejected(flag, reason string)
}

// check fills in the defaults. It fails on what cannot be meant.
func (cfg *Config) check() error {
	if cfg.Provider == nil {
		return errors.New("the flag reader has no provider")
	}
	if cfg.Poll < 0 || cfg.Deadline < 0 {
		return errors.New("the flag reader's poll interval and deadline must not be negative")
	}
	if cfg.Poll == 0 {
		cfg.Poll = DefaultPoll
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = DefaultDeadline
	}
	if cfg.Observer == nil {
		cfg.Observer = nobody{}
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	return nil
}

type nobody struct{}

func (nobody) FlagRejected(string, string) {}
