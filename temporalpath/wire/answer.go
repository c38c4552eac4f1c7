package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/net/http/httpguts"
)

// Answer is an HTTP answer as a workflow's result, or the first detail of its
// failure, describes it.
type Answer struct {
	// Status is the HTTP status, 200..599; 0 means the route's default.
	Status int `json:"status"`
	// Headers are added to the answer, by name, values in order.
	Headers map[string][]string `json:"headers,omitempty"`
	// Body is the answer's body as a JSON value. With a Content-Type that is
	// not JSON and a JSON string here, the string's characters are the body.
	Body json.RawMessage `json:"body,omitempty"`
	// BodyEncoding is empty, or "base64": then Body is a JSON string, and what it
	// stands for is the body.
	BodyEncoding string `json:"body_encoding,omitempty"`
}

// ParseAnswer reads a workflow's result. An object with a member "status" is an
// Answer, and has nothing in it that an Answer has not; any other JSON is a body with
// Status 0. What is nearly an Answer is neither: the error names the member. Letter
// case counts; a header may be a string, which is a list of one, and headers null.
func ParseAnswer(result []byte) (Answer, error) {
	if !json.Valid(result) {
		return Answer{}, errors.New("it is not JSON")
	}
	members, err := membersOf(result)
	if err != nil {
		return Answer{}, err
	}
	if !has(members, "status") {
		return Answer{Body: result}, nil
	}
	var answer Answer
	seen := map[string]bool{}
	for _, m := range members {
		if seen[m.name] {
			return Answer{}, fmt.Errorf("%q stands more than once", m.name)
		}
		seen[m.name] = true
		if err := answer.set(m); err != nil {
			return Answer{}, err
		}
	}
	return answer, answer.checkBody()
}

// member is one of an object's.
type member struct {
	name  string
	value jsontext.Value
}

// membersOf returns the members of an object in their order; none of any other value.
func membersOf(text []byte) (members []member, err error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if decoder.PeekKind() != '{' {
		return nil, nil
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	for decoder.PeekKind() != '}' {
		name, err := decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		m := member{name: name.String()}
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, err
		}
		m.value = value.Clone()
		members = append(members, m)
	}
	return members, nil
}

func has(members []member, name string) bool {
	for _, m := range members {
		if m.name == name {
			return true
		}
	}
	return false
}

// set takes one member over.
func (a *Answer) set(m member) (err error) {
	switch m.name {
	case "status":
		a.Status, err = strconv.Atoi(string(m.value))
		if err != nil || a.Status < 200 || a.Status > 599 {
			return fmt.Errorf("status is %.40s, and an HTTP status is an integer from 200 to 599", m.value)
		}
		return nil
	case "headers":
		a.Headers, err = headersOf(m.value)
		return err
	case "body":
		a.Body = json.RawMessage(m.value)
		return nil
	case "body_encoding":
		if json.Unmarshal(m.value, &a.BodyEncoding) != nil || a.BodyEncoding != "" && a.BodyEncoding != Base64 {
			return fmt.Errorf("body_encoding is %.40s, and must be \"base64\" or left out", m.value)
		}
		return nil
	}
	return fmt.Errorf("%q is no member of an answer, which has status, headers, body and body_encoding: put a body that has a status of its own into body", m.name)
}

// headersOf reads an object of names to strings or lists of strings.
func headersOf(text jsontext.Value) (map[string][]string, error) {
	if text.Kind() == 'n' {
		return nil, nil
	}
	if text.Kind() != '{' {
		return nil, errors.New("headers is no object")
	}
	members, err := membersOf(text)
	if err != nil {
		return nil, err
	}
	headers := map[string][]string{}
	seen := map[string]bool{}
	for _, m := range members {
		values, err := valuesOf(m.value)
		name := textproto.CanonicalMIMEHeaderKey(m.name)
		switch {
		case err != nil:
			return nil, fmt.Errorf("headers[%q] %w", m.name, err)
		case !httpguts.ValidHeaderFieldName(m.name):
			return nil, fmt.Errorf("headers[%q]: that is no name of a header", m.name)
		case seen[name]:
			return nil, fmt.Errorf("headers[%q] stands more than once: names of headers differ in more than letter case", m.name)
		}
		seen[name] = true
		headers[m.name] = values
	}
	return headers, nil
}

func valuesOf(text jsontext.Value) (values []string, err error) {
	switch text.Kind() {
	case '"':
		values = make([]string, 1)
		err = json.Unmarshal(text, &values[0])
	case '[':
		var all []*string // null in a list is no string
		if err = json.Unmarshal(text, &all); err != nil {
			break
		}
		for _, v := range all {
			if v == nil {
				return nil, errors.New("has a value that is no string")
			}
			values = append(values, *v)
		}
	default:
		err = errors.New("neither")
	}
	if err != nil {
		return nil, errors.New("is neither a string nor a list of strings")
	}
	for _, v := range values {
		if !httpguts.ValidHeaderFieldValue(v) {
			return nil, errors.New("has a value with a character that no header may have")
		}
	}
	return values, nil
}

func (a *Answer) checkBody() error {
	if a.BodyEncoding == "" {
		return nil
	}
	var raw []byte
	if len(a.Body) == 0 || a.Body[0] != '"' || json.Unmarshal(a.Body, &raw) != nil {
		return errors.New("body is not base64, as body_encoding says")
	}
	return nil
}

// Text returns the bytes to send for the body, given whether its media type is JSON.
func (a *Answer) Text(isJSON bool) []byte {
	switch {
	case a.BodyEncoding == Base64:
		raw, _ := base64.StdEncoding.DecodeString(unquote(a.Body)) // it was checked
		return raw
	case isJSON || len(a.Body) == 0 || a.Body[0] != '"':
		return a.Body
	}
	return []byte(unquote(a.Body))
}

// unquote returns the characters of a JSON string, which the text is.
func unquote(quoted []byte) (s string) {
	_ = json.Unmarshal(quoted, &s)
	return s
}
