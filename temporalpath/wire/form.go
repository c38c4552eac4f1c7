package wire

import (
	"encoding/json"
	"fmt"
	"mime"
	"strings"
)

// Form says how a route's documents are handed to their workflows.
type Form uint8

// The closed set of forms.
const (
	// FormAuto hands a body over as a JSON value if its media type says that it is
	// JSON, and it is; any other byte for byte, in base64.
	FormAuto Form = iota
	// FormJSON hands any body that is JSON over as a JSON value, whatever its media
	// type; others byte for byte.
	FormJSON
	// FormBytes hands every body over byte for byte, in base64: also what a parser
	// of JSON would change, such as large numbers, or members of one name.
	FormBytes
)

var forms = [...]string{"auto", "json", "bytes"}

// String returns the word that configurations use.
func (f Form) String() string { return forms[f] }

// ParseForm reads the word for a form.
func ParseForm(word string) (Form, error) {
	for i, known := range forms {
		if word == known {
			return Form(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not one of %s", word, strings.Join(forms[:], ", "))
}

// IsValue reports whether a body goes into an input as a JSON value. One in a coding
// never does, whatever its bytes look like: white space would be lost there.
func (f Form) IsValue(contentType, contentEncoding string, body []byte) bool {
	switch {
	case f == FormBytes, f == FormAuto && !IsJSON(contentType):
		return false
	case contentEncoding != "" && !strings.EqualFold(contentEncoding, "identity"):
		return false
	}
	return json.Valid(body)
}

// IsJSON reports whether the media type is one of JSON.
func IsJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json"))
}
