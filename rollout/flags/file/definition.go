package file

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/open-feature/go-sdk/openfeature"
)

// definition is one flag of the file: the value of its default variant, or that
// it is disabled, or what is wrong with it.
type definition struct {
	place    string // file, line and flag, for messages
	variant  string
	value    jsontext.Value
	disabled bool
	fault    *openfeature.ResolutionError
}

// define reads a flag's definition, which is valid JSON.
func define(place string, raw jsontext.Value) definition {
	d := definition{place: place}
	if err := d.read(raw); err != nil {
		fault := openfeature.NewParseErrorResolutionError(fmt.Sprintf("%s: %v", place, err))
		d.fault = &fault
	}
	return d
}

func (d *definition) read(raw jsontext.Value) error {
	var members map[string]jsontext.Value
	if raw.Kind() != '{' {
		return fmt.Errorf("it is %s, not an object with state, variants and defaultVariant", describe(raw))
	}
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	if err := checkNames(members); err != nil {
		return err
	}
	var state string
	if json.Unmarshal(members["state"], &state) != nil || (state != "ENABLED" && state != "DISABLED") {
		return fmt.Errorf(`state must be "ENABLED" or "DISABLED", it is %s`, describe(members["state"]))
	}
	if state == "DISABLED" {
		d.disabled = true
		return nil
	}
	if rules := members["targeting"]; !isEmpty(rules) {
		return fmt.Errorf("it has targeting rules, which are not supported here: name the value by defaultVariant, or move to a flag service by OFREP")
	}
	return d.choose(members["variants"], members["defaultVariant"])
}

// choose takes the default variant's value.
func (d *definition) choose(rawVariants, rawDefault jsontext.Value) error {
	var variants map[string]jsontext.Value
	if rawVariants.Kind() != '{' || json.Unmarshal(rawVariants, &variants) != nil || len(variants) == 0 {
		return fmt.Errorf("variants must be an object of named values, it is %s", describe(rawVariants))
	}
	menu := strings.Join(slices.Sorted(maps.Keys(variants)), ", ")
	if rawDefault.Kind() != '"' || json.Unmarshal(rawDefault, &d.variant) != nil {
		return fmt.Errorf("defaultVariant must be the name of a variant (%s), it is %s", menu, describe(rawDefault))
	}
	value, ok := variants[d.variant]
	if !ok {
		return fmt.Errorf("defaultVariant %q is none of its variants (%s)", d.variant, menu)
	}
	d.value = value
	return nil
}

func checkNames(members map[string]jsontext.Value) error {
	known := []string{"state", "variants", "defaultVariant", "targeting", "metadata"}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(known, name) && !strings.HasPrefix(name, "$") {
			return fmt.Errorf("unknown member %q: known are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// isEmpty reports whether the rules are absent, null or {}.
func isEmpty(rules jsontext.Value) bool {
	if rules.Kind() != '{' {
		return len(rules) == 0 || rules.Kind() == 'n'
	}
	var members map[string]jsontext.Value
	return json.Unmarshal(rules, &members) == nil && len(members) == 0
}

// describe names a value for a message.
func describe(v jsontext.Value) string {
	const shown = 40
	switch v.Kind() {
	case '"', '0':
		kind := "the number "
		if v.Kind() == '"' {
			kind = "the string "
		}
		if len(v) > shown {
			return kind + strings.ToValidUTF8(string(v[:shown]), "") + "..."
		}
		return kind + string(v)
	case 't', 'f', 'n':
		return string(v)
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "missing"
}
