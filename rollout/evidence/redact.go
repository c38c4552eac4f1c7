package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"sluice/rollout"
	"sluice/rollout/compare"
)

// maxSampleBody is how much is kept of one answer's body, in bytes.
const maxSampleBody = 32 << 10

// What stands in the place of what is not kept.
const (
	redacted = "[redacted]"
	withheld = "[withheld: it may hold redacted fields]"
)

// redaction are the fields whose values are not kept.
type redaction []compare.Pattern

// body returns a body as a sample may hold it, of most bytes.
func (r redaction) body(body []byte, most int) json.RawMessage {
	if len(body) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	whole := dec.Decode(&value) == nil && !dec.More()
	switch {
	case !whole && len(r) > 0:
		return quoted(fmt.Sprintf("[%d bytes withheld: fields are to be redacted, and this is no JSON]", len(body)))
	case !whole:
		return quoted(cut(body, most))
	}
	if len(r) > 0 {
		value = r.value(value, "")
	}
	text, err := json.Marshal(value)
	if err != nil {
		return quoted("[" + err.Error() + "]")
	}
	if len(text) > most {
		return quoted(cut(text, most))
	}
	return text
}

// maxFailure is how much is kept of the words of a failure, in bytes.
const maxFailure = 1 << 10

// failure returns why a run failed; empty if it did not.
func (r redaction) failure(run rollout.Run) string {
	switch {
	case run.State != rollout.RunFailed:
		return ""
	case len(r) > 0 || run.Failure.Message == "":
		return cut([]byte(run.Failure.Type), maxFailure)
	}
	return cut([]byte(run.Failure.Type+": "+run.Failure.Message), maxFailure)
}

func quoted(text string) json.RawMessage {
	q, _ := json.Marshal(text) // a string cannot fail
	return q
}

// cut returns the first bytes, up to a whole character.
func cut(text []byte, most int) string {
	if len(text) <= most {
		return string(text)
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return string(text[:end]) + "…"
}

// value replaces what is at a redacted place.
func (r redaction) value(value any, field string) any {
	if r.hides(field) {
		return redacted
	}
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			value[name] = r.value(member, field+"/"+escaped(name))
		}
	case []any:
		for i, element := range value {
			value[i] = r.value(element, field+"/*")
		}
	}
	return value
}

// escaped is a member's name as a field's token.
func escaped(name string) string {
	if name == "*" || name == "**" {
		return strings.ReplaceAll(name, "*", "~2")
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func (r redaction) hides(field string) bool {
	for _, pattern := range r {
		if pattern.Covers(field) {
			return true
		}
	}
	return false
}

// differences returns the differences as a sample may hold them. A value that
// is an object or an array may hold what is redacted further down.
func (r redaction) differences(all []compare.Difference) []compare.Difference {
	if len(r) == 0 {
		return all
	}
	kept := make([]compare.Difference, len(all))
	for i, d := range all {
		for _, value := range []*string{&d.Primary, &d.Shadow} {
			switch {
			case *value == "":
			case r.hides(d.Pattern):
				*value = redacted
			case d.Pattern == "" || strings.ContainsAny((*value)[:1], "{["):
				*value = withheld
			}
		}
		kept[i] = d
	}
	return kept
}
