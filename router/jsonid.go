package router

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/rollout"
)

// inJSON returns the string that the pointer leads to, or the text of the integer. The
// router and the legacy service must read the same one, whatever parser legacy has: some take
// the last of two members of one name, some match names whatever their letter
// case. So a path that such parsers could read in two ways is refused, while
// all that is beside the path stays legacy's affair.
func (l Locator) inJSON(text io.Reader) (string, error) {
	dec := jsontext.NewDecoder(text, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	found, err := descend(dec, l.pointer)
	if err != nil {
		return "", err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errMore
		}
		return "", notJSON(err)
	}
	switch {
	case found == nil:
		return "", rollout.ErrDocIDMissing
	case found.Kind() == '"':
		return unquoted(found)
	case l.integers:
		return integer(found)
	}
	return "", rollout.ErrDocIDType
}

func unquoted(found jsontext.Value) (string, error) {
	id, err := jsontext.AppendUnquote(nil, found) // refuses what is not UTF-8
	if err != nil {
		return "", rollout.ErrDocIDUTF8
	}
	return string(id), nil
}

// integer returns the text of an integer that has no other: 7 is one, and 7.0, 7e0 and
// -0 are not. One that no common type holds is none either, for a parser that rounds it
// reads another doc_id.
func integer(found jsontext.Value) (string, error) {
	text := string(found)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
		return text, nil
	}
	if _, err := strconv.ParseUint(text, 10, 64); err == nil { // above all of int64; JSON has no leading zeros
		return text, nil
	}
	return "", fmt.Errorf("%w, nor an integer from -2^63 to 2^64-1 in its plain form, as 7 is and 7.0, 7e0 and -0 are not", rollout.ErrDocIDType)
}

// mark is the byte order mark in UTF-8. It is passed over at the front of a body: a
// parser either does so too, or takes no such body at all (RFC 8259, 8.1), so none
// that takes it reads another doc_id.
const mark = "\ufeff"

var errMore = errors.New("there is text after the value")

// descend reads the next value whole and returns the value that the pointer
// leads to within it, or nil.
func descend(dec *jsontext.Decoder, pointer []string) (jsontext.Value, error) {
	if len(pointer) == 0 {
		value, err := dec.ReadValue()
		if err != nil {
			return nil, notJSON(err)
		}
		return value.Clone(), nil
	}
	switch dec.PeekKind() {
	case '{':
		return inObject(dec, pointer)
	case '[':
		return inArray(dec, pointer)
	}
	return nil, skip(dec)
}

func inObject(dec *jsontext.Decoder, pointer []string) (found jsontext.Value, err error) {
	if _, err := dec.ReadToken(); err != nil {
		return nil, notJSON(err)
	}
	var doubtful error
	seen := false
	for dec.PeekKind() != '}' {
		token, err := dec.ReadToken()
		if err != nil {
			return nil, notJSON(err)
		}
		name := token.String()
		switch {
		case name != pointer[0]:
			if strings.EqualFold(name, pointer[0]) {
				doubtful = rollout.ErrDocIDAmbiguous
			}
			err = skip(dec)
		case seen:
			doubtful = rollout.ErrDocIDDuplicated
			err = skip(dec)
		default:
			seen = true
			found, err = descend(dec, pointer[1:])
		}
		if err != nil {
			return nil, err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, notJSON(err)
	}
	return found, doubtful
}

func inArray(dec *jsontext.Decoder, pointer []string) (found jsontext.Value, err error) {
	if _, err := dec.ReadToken(); err != nil {
		return nil, notJSON(err)
	}
	for i := 0; dec.PeekKind() != ']'; i++ {
		if strconv.Itoa(i) == pointer[0] {
			found, err = descend(dec, pointer[1:])
		} else {
			err = skip(dec)
		}
		if err != nil {
			return nil, err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, notJSON(err)
	}
	return found, nil
}

func skip(dec *jsontext.Decoder) error {
	if err := dec.SkipValue(); err != nil {
		return notJSON(err)
	}
	return nil
}

// notJSON returns the error as one of JSON, unless the text could not be read.
func notJSON(err error) error {
	if errors.Is(err, rollout.ErrBodyCoding) || errors.Is(err, rollout.ErrBodyExpands) {
		return err
	}
	return fmt.Errorf("%w: %w", rollout.ErrBodyNotJSON, err)
}
