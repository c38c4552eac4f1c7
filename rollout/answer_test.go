package rollout_test

import (
	"errors"
	"reflect"
	"testing"

	"sluice/rollout"
)

func TestAnswerEncoding(t *testing.T) {
	answer := rollout.Answer{Status: 201, Body: []byte("\x00body"), Header: map[string][]string{
		"Content-Type": {"text/plain"}, "Link": {"</a>", "</b>"}, "Etag": {""},
	}}
	encoded := rollout.AppendAnswer(nil, &answer)
	got, err := rollout.ParseAnswer(encoded)
	if err != nil || !reflect.DeepEqual(got, answer) {
		t.Errorf("%+v, %v", got, err)
	}
	for n := range encoded {
		if _, err := rollout.ParseAnswer(encoded[:n]); !errors.Is(err, rollout.ErrAnswerEncoding) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	if _, err := rollout.ParseAnswer(append(encoded, 0)); !errors.Is(err, rollout.ErrAnswerEncoding) {
		t.Errorf("a byte too many: %v", err)
	}
}

func TestAnswerKeysDiffer(t *testing.T) {
	seen := map[[16]byte]bool{}
	for _, key := range []rollout.AnswerKey{{"a", "k", 1}, {"a", "k", 2}, {"b", "k", 1}, {"a", "l", 1}, {"ak", "", 1}} {
		seen[key.Sum()] = true
	}
	if len(seen) != 5 {
		t.Errorf("5 keys have %d sums", len(seen))
	}
}
