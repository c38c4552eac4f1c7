package router_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/rollout"
	"sluice/router"
)

// FuzzFindInJSON compares with encoding/json, which takes the last of two
// members and repairs what is not UTF-8: what is accepted must leave it no room
// to read another doc_id.
func FuzzFindInJSON(f *testing.F) {
	for _, rows := range [][]located{locatedRows, unroutableRows} {
		for _, row := range rows {
			f.Add([]byte(row.body))
		}
	}
	f.Add([]byte(`{"meta":{"doc_id":"b"},"doc_id":"a","meta":{"doc_id":"c"}}`))
	f.Add([]byte(`{"meta":{"doc_id":"b"},"doc_id":"a","n":1e999}`))
	f.Add([]byte(`{"meta":[{"doc_id":"b"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, pointer := range [][]string{{"doc_id"}, {"meta", "doc_id"}, {"meta", "0", "doc_id"}} {
			id, err := router.FindInJSON(body, pointer)
			if err != nil {
				if id != "" || rollout.UnroutableReason(err) == "" {
					t.Errorf("%q: %q with the error %v", body, id, err)
				}
				continue
			}
			if !utf8.ValidString(id) || !json.Valid(body) {
				t.Fatalf("%q is accepted, with %q", body, id)
			}
			if got := lastInJSON(t, body, pointer); got != id {
				t.Errorf("%q: %q, and encoding/json reads %v", body, id, got)
			}
			if n := named(body, pointer); n != 1 {
				t.Errorf("%q: %q is accepted, and %d values could be it", body, id, n)
			}
		}
	})
}

// lastInJSON is what encoding/json finds at the pointer; nil is nothing.
func lastInJSON(t *testing.T, body []byte, pointer []string) any {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var root map[string]any
	if err := dec.Decode(&root); err != nil {
		t.Fatalf("%q is accepted, and encoding/json says %v", body, err)
	}
	var value any = root
	for _, token := range pointer {
		switch v := value.(type) {
		case map[string]any:
			value = v[token]
		case []any:
			if len(v) == 0 || token != "0" {
				return nil
			}
			value = v[0]
		default:
			return nil
		}
	}
	return value
}

// named counts the values that a parser could find at the pointer if it is
// careless of letter case and of duplicates.
func named(body []byte, pointer []string) int {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	return countNamed(dec, pointer)
}

func countNamed(dec *json.Decoder, pointer []string) int {
	if pointer != nil && len(pointer) == 0 {
		countNamed(dec, nil)
		return 1
	}
	token, err := dec.Token()
	open, nested := token.(json.Delim)
	if err != nil || !nested {
		return 0
	}
	n := 0
	for i := 0; dec.More(); i++ {
		name := fmt.Sprint(i)
		if open == '{' {
			token, err := dec.Token()
			if err != nil {
				return n
			}
			name = token.(string)
		}
		if len(pointer) > 0 && strings.EqualFold(name, pointer[0]) {
			n += countNamed(dec, pointer[1:])
		} else {
			countNamed(dec, nil)
		}
	}
	dec.Token() // the closing bracket
	return n
}
