package file

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/open-feature/go-sdk/openfeature"
)

// BooleanEvaluation answers with a boolean variant.
func (p *Provider) BooleanEvaluation(_ context.Context, flag string, fallback bool, _ openfeature.FlattenedContext) openfeature.BoolResolutionDetail {
	return resolve(p, flag, fallback, "true or false", func(v jsontext.Value) (bool, bool) {
		return v.Kind() == 't', v.Kind() == 't' || v.Kind() == 'f'
	})
}

// StringEvaluation answers with a string variant.
func (p *Provider) StringEvaluation(_ context.Context, flag string, fallback string, _ openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	return resolve(p, flag, fallback, "a string", func(v jsontext.Value) (s string, ok bool) {
		return s, v.Kind() == '"' && json.Unmarshal(v, &s) == nil
	})
}

// FloatEvaluation answers with a number variant, written with or without a
// fraction. A number that no float64 can hold becomes an infinity.
func (p *Provider) FloatEvaluation(_ context.Context, flag string, fallback float64, _ openfeature.FlattenedContext) openfeature.FloatResolutionDetail {
	return resolve(p, flag, fallback, "a number", func(v jsontext.Value) (float64, bool) {
		f, err := strconv.ParseFloat(string(v), 64)
		return f, v.Kind() == '0' && (err == nil || errors.Is(err, strconv.ErrRange))
	})
}

// IntEvaluation answers with a whole number; 12.5 is a type mismatch.
func (p *Provider) IntEvaluation(_ context.Context, flag string, fallback int64, _ openfeature.FlattenedContext) openfeature.IntResolutionDetail {
	return resolve(p, flag, fallback, "a whole number", func(v jsontext.Value) (int64, bool) {
		n, err := strconv.ParseInt(string(v), 10, 64)
		return n, v.Kind() == '0' && err == nil
	})
}

// ObjectEvaluation answers with a variant of any JSON type, null excepted.
func (p *Provider) ObjectEvaluation(_ context.Context, flag string, fallback any, _ openfeature.FlattenedContext) openfeature.InterfaceResolutionDetail {
	return resolve(p, flag, fallback, "anything but null", func(v jsontext.Value) (object any, ok bool) {
		return object, v.Kind() != 'n' && json.Unmarshal(v, &object) == nil
	})
}

// resolve answers with the flag's value as take reads it; take reports whether
// the value has its type, which wanted describes.
func resolve[T any](p *Provider, flag string, fallback T, wanted string, take func(jsontext.Value) (T, bool)) openfeature.GenericResolutionDetail[T] {
	answer := openfeature.GenericResolutionDetail[T]{Value: fallback}
	d, fault := p.find(flag)
	if fault != nil {
		answer.Reason, answer.ResolutionError = openfeature.ErrorReason, *fault
		return answer
	}
	if d.disabled {
		answer.Reason = openfeature.DisabledReason
		return answer
	}
	value, ok := take(d.value)
	if !ok {
		answer.Reason = openfeature.ErrorReason
		answer.ResolutionError = openfeature.NewTypeMismatchResolutionError(
			fmt.Sprintf("%s: variant %q must be %s, it is %s", d.place, d.variant, wanted, describe(d.value)))
		return answer
	}
	answer.Value, answer.Reason, answer.Variant = value, openfeature.StaticReason, d.variant
	return answer
}

// find returns a definition without a fault, or the fault.
func (p *Provider) find(flag string) (definition, *openfeature.ResolutionError) {
	seen := p.view.Load()
	if seen == nil {
		return definition{}, &openfeature.ProviderNotReadyError
	}
	if seen.fault != nil {
		return definition{}, seen.fault
	}
	if still := time.Since(p.started) - time.Duration(p.polled.Load()); still > hung {
		fault := openfeature.NewGeneralResolutionError(fmt.Sprintf(
			"%s has not answered for %s: does its file system hang?", p.path, still.Round(time.Second)))
		return definition{}, &fault
	}
	d, ok := seen.flags[flag]
	if !ok {
		fault := openfeature.NewFlagNotFoundResolutionError(fmt.Sprintf(
			"%s has no flag %s; it has: %s", p.path, flag, strings.Join(slices.Sorted(maps.Keys(seen.flags)), ", ")))
		return definition{}, &fault
	}
	return d, d.fault
}
