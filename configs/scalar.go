package configs

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Duration is a time span, written with its unit: 250ms, 5s, 2m. A bare number
// is refused, for nobody can tell its unit.
type Duration time.Duration

// Std returns the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// UnmarshalYAML reads the written form.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := time.ParseDuration(node.Value)
	if err != nil || node.Value == "0" {
		return valueError(node, "%q is not a duration: write a number and its unit, such as 250ms or 5s", node.Value)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalYAML writes the form that UnmarshalYAML reads.
func (d Duration) MarshalYAML() (any, error) { return time.Duration(d).String(), nil }

// Bytes is a size: a number of bytes, or a number with KiB, MiB or GiB.
type Bytes int64

const binary = 1024

// UnmarshalYAML reads the written form.
func (b *Bytes) UnmarshalYAML(node *yaml.Node) error {
	text, factor := node.Value, int64(1)
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			text, factor = strings.TrimSpace(number), int64(binary)<<(10*i)
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/factor {
		return valueError(node, "%q is not a size: write a number of bytes, or one with KiB, MiB or GiB", node.Value)
	}
	*b = Bytes(n * factor)
	return nil
}

// MarshalYAML writes the form that UnmarshalYAML reads.
func (b Bytes) MarshalYAML() (any, error) {
	for i, unit := range []string{"GiB", "MiB", "KiB"} {
		if size := int64(binary) << (10 * (2 - i)); b > 0 && int64(b)%size == 0 {
			return strconv.FormatInt(int64(b)/size, 10) + unit, nil
		}
	}
	return int64(b), nil
}

// valueError is an error that does not end the decoding, so that all problems
// of a file are found in one go.
func valueError(node *yaml.Node, format string, args ...any) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: ", node.Line) + fmt.Sprintf(format, args...)}}
}
