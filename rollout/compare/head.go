package compare

import (
	"fmt"
	"mime"
	"net/textproto"
	"strings"

	"sluice/rollout"
	"sluice/rollout/coding"
)

// FieldStatus is the Pattern of a difference in status, and FieldHeader begins that of one
// in a header field: header:Location. Neither is a JSON Pointer, so no field of a body is
// called so.
const (
	FieldStatus = "status"
	FieldHeader = "header:"
)

// heads compares the statuses, which are of one class, and the header fields that count.
// It returns which rules matched.
func (c *Comparer) heads(primary, shadow rollout.Answer, found *findings) Matches {
	matches := make(Matches, len(c.rules.rules))
	if !c.rules.ignores(FieldStatus, matches) && primary.Status != shadow.Status {
		found.whole(FieldStatus, KindStatus, fmt.Sprint(primary.Status), fmt.Sprint(shadow.Status))
	}
	coded := append(coding.Names(primary.Header["Content-Encoding"]), coding.Names(shadow.Header["Content-Encoding"])...)
	for _, name := range c.fields {
		key := textproto.CanonicalMIMEHeaderKey(name)
		left, right := primary.Header[key], shadow.Header[key]
		if len(left)+len(right) == 0 || c.rules.ignores(FieldHeader+name, matches) {
			continue
		}
		kind := KindHeader
		switch {
		case len(left) == 0:
			kind = KindExtra
		case len(right) == 0:
			kind = KindMissing
		case fieldValue(key, left, coded) == fieldValue(key, right, coded):
			continue
		}
		found.whole(FieldHeader+name, kind, strings.Join(left, ", "), strings.Join(right, ", "))
	}
	return matches
}

// fieldValue returns a form of a field's value that is the same for all that say the same.
func fieldValue(key string, values, coded []string) string {
	value := strings.TrimSpace(strings.Join(values, ", "))
	switch key {
	case "Content-Type":
		return mediaType(value)
	case "Etag":
		return entityTag(value, coded)
	}
	return value
}

// mediaType knows that the order of parameters, letter case and quotes do not count, and
// that JSON is UTF-8 whatever is said (RFC 8259).
func mediaType(value string) string {
	media, parameters, err := mime.ParseMediaType(value)
	if err != nil {
		return value
	}
	if charset, has := parameters["charset"]; has {
		parameters["charset"] = strings.ToLower(charset)
	}
	if isJSON(media) && parameters["charset"] == "utf-8" {
		delete(parameters, "charset")
	}
	return mime.FormatMediaType(media, parameters)
}

// entityTag takes away what servers do to a tag as they compress an answer: they call it
// weak, or name the coding in it.
func entityTag(value string, coded []string) string {
	if len(coded) == 0 {
		return value
	}
	value = strings.Trim(strings.TrimPrefix(value, "W/"), `"`)
	for _, name := range coded {
		value = strings.TrimSuffix(strings.TrimSuffix(value, "-"+name), ";"+name)
	}
	return value
}
