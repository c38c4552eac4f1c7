package compare

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"sluice/rollout"
)

// form is what a body turned out to be.
type form uint8

const (
	formOther form = iota
	formJSON
	// formMalformed: called JSON, and cannot be read as such.
	formMalformed
	// formLimited: beyond the limits.
	formLimited
)

// body is an answer's body, read.
type body struct {
	form     form
	document document // of formJSON
	err      error    // of formMalformed
	why      Why      // of formLimited
	size     int
}

// read reads a body; its nodes may take the place of room.
func read(answer rollout.Answer, limits Limits, room []node) body {
	declared := saysJSON(answer)
	if !declared && !looksJSON(answer.Body) {
		return body{form: formOther, size: len(answer.Body)}
	}
	document, why, err := parse(answer.Body, limits, room)
	switch {
	case why != WhyNone:
		return body{form: formLimited, why: why, size: len(answer.Body)}
	case err != nil && declared:
		return body{form: formMalformed, err: err, size: len(answer.Body)}
	case err != nil:
		return body{form: formOther, size: len(answer.Body)}
	}
	return body{form: formJSON, document: document, size: len(answer.Body)}
}

// words says what the body is, for people.
func (b body) words() string {
	switch b.form {
	case formJSON:
		return fmt.Sprintf("JSON, %d bytes", b.size)
	case formMalformed:
		return fmt.Sprintf("called JSON, %d bytes: %v", b.size, b.err)
	}
	return fmt.Sprintf("not JSON, %d bytes", b.size)
}

// saysJSON reports whether the Content-Type is one of JSON.
func saysJSON(answer rollout.Answer) bool {
	media, _, _ := strings.Cut(field(answer, "Content-Type"), ";")
	return isJSON(strings.ToLower(strings.TrimSpace(media)))
}

// isJSON reports whether the media type is application/json, text/json or one that ends
// in +json.
func isJSON(media string) bool {
	return media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

// looksJSON reports whether the body begins like an object or an array.
func looksJSON(body []byte) bool {
	for _, c := range body {
		switch c {
		case ' ', '\t', '\n', '\r':
			continue
		}
		return c == '{' || c == '['
	}
	return false
}

func field(answer rollout.Answer, name string) string {
	if values := answer.Header[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func digest(body []byte) string {
	return fmt.Sprintf("sha256:%x, %d bytes", sha256.Sum256(body), len(body))
}
