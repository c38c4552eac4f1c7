// Package env is an OpenFeature provider whose flags are environment variables,
// read once. A variable that is unset or empty is 0 or false; one that is not
// understood is an error at the start, never a default.
package env

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"

	"sluice/rollout"
)

// Lookup returns a variable's text and whether it is set, as os.LookupEnv does.
type Lookup func(name string) (string, bool)

// Flag ties a flag to the variable that is its value.
type Flag struct {
	Key      string
	Variable string
	// Bool: true or false; otherwise a percentage.
	Bool bool
}

// Provider serves flags that never change.
type Provider struct {
	*memprovider.InMemoryProvider
}

// New reads the variables. It fails with one line for each that it does not
// understand, which names the variable and what is accepted.
func New(lookup Lookup, flags ...Flag) (*Provider, error) {
	values := make(map[string]memprovider.InMemoryFlag, len(flags))
	var faults []error
	for _, f := range flags {
		value, err := f.read(lookup)
		faults = append(faults, err)
		values[f.Key] = memprovider.InMemoryFlag{
			State:          memprovider.Enabled,
			DefaultVariant: f.Variable,
			Variants:       map[string]any{f.Variable: value},
		}
	}
	return &Provider{memprovider.NewInMemoryProvider(values)}, errors.Join(faults...)
}

// Metadata names the provider.
func (*Provider) Metadata() openfeature.Metadata { return openfeature.Metadata{Name: "env"} }

func (f Flag) read(lookup Lookup) (any, error) {
	if f.Bool {
		return boolean(lookup, f.Variable)
	}
	percent, _, err := Percent(lookup, f.Variable)
	return percent, err
}

// Percent returns the variable's number, 0..100, and whether it is set at all.
// It fails if the text is not such a number.
func Percent(lookup Lookup, variable string) (percent float64, set bool, err error) {
	text, set := trimmed(lookup, variable)
	if !set {
		return 0, false, nil
	}
	percent, err = strconv.ParseFloat(text, 64)
	if err == nil {
		_, err = rollout.ParsePercent(percent)
	}
	if err != nil {
		return 0, true, fmt.Errorf("%s=%q: give a number from 0 to 100 without a percent sign, such as 12.5", variable, text)
	}
	return percent, true, nil
}

func boolean(lookup Lookup, variable string) (bool, error) {
	text, set := trimmed(lookup, variable)
	if !set {
		return false, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("%s=%q: give true or false (1 and 0 are read too)", variable, text)
	}
	return value, nil
}

// trimmed returns the variable's text; an empty one counts as unset, because
// that is how Compose and shell scripts hand on what they do not have.
func trimmed(lookup Lookup, variable string) (text string, set bool) {
	text, _ = lookup(variable)
	text = strings.TrimSpace(text)
	return text, text != ""
}
