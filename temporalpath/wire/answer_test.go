package wire_test

import (
	"reflect"
	"strings"
	"testing"

	"sluice/temporalpath/wire"
)

func TestAnswers(t *testing.T) {
	for result, want := range map[string]wire.Answer{
		`{"status":201}`: {Status: 201},
		`{"status":422,"headers":{"X-Kind":"invoice","Link":["a","b"],"X-None":[]},"body":{"a":1}}`: {Status: 422,
			Headers: map[string][]string{"X-Kind": {"invoice"}, "Link": {"a", "b"}, "X-None": nil}, Body: []byte(`{"a":1}`)},
		`{"status":200,"headers":null,"body":null}`:                   {Status: 200, Body: []byte("null")},
		`{"status":200,"body":"/w==","body_encoding":"base64"}`:       {Status: 200, Body: []byte(`"/w=="`), BodyEncoding: "base64"},
		`{"status":200,"body":"a","body_encoding":""}`:                {Status: 200, Body: []byte(`"a"`)},
		`{"status":200,"body":{"a":1,"a":2,"n":9007199254740993.10}}`: {Status: 200, Body: []byte(`{"a":1,"a":2,"n":9007199254740993.10}`)},
		// What has no status is a body, whatever else it has.
		`{"Status":422,"body":1}`: {Body: []byte(`{"Status":422,"body":1}`)},
		`{"body":1}`:              {Body: []byte(`{"body":1}`)},
		`{"a":1,"a":2}`:           {Body: []byte(`{"a":1,"a":2}`)},
		`[{"status":422}]`:        {Body: []byte(`[{"status":422}]`)},
		`"text"`:                  {Body: []byte(`"text"`)},
		`null`:                    {Body: []byte(`null`)},
	} {
		got, err := wire.ParseAnswer([]byte(result))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v, %v", result, got, err)
		}
	}
}

// What is nearly an answer is not sent as a body: the error says which member is wrong.
func TestWhatIsNearlyAnAnswer(t *testing.T) {
	for result, want := range map[string]string{
		`{"status":"stored","id":1}`:                               `status is "stored"`,
		`{"status":"200"}`:                                         `status is "200"`,
		`{"status":422.5}`:                                         `status is 422.5`,
		`{"status":199}`:                                           `status is 199`,
		`{"status":600}`:                                           `status is 600`,
		`{"status":null}`:                                          `status is null`,
		`{"status":200,"status":500}`:                              `"status" stands more than once`,
		`{"status":200,"Headers":{}}`:                              `"Headers" is no member`,
		`{"status":200,"id":7}`:                                    `"id" is no member`,
		`{"status":200,"headers":["a"]}`:                           `headers is no object`,
		`{"status":422,"headers":{"X-Kind":1},"body":1}`:           `headers["X-Kind"] is neither a string nor a list of strings`,
		`{"status":422,"headers":{"X-Kind":{"a":"b"}}}`:            `headers["X-Kind"] is neither`,
		`{"status":422,"headers":{"X-Kind":["a",1]}}`:              `headers["X-Kind"] is neither`,
		`{"status":422,"headers":{"X-Kind":["a",null]}}`:           `headers["X-Kind"] has a value that is no string`,
		`{"status":422,"headers":{"X-Kind":null}}`:                 `headers["X-Kind"] is neither`,
		`{"status":422,"headers":{"X-Kind":"a\r\nSet-Cookie: b"}}`: `headers["X-Kind"] has a value with a character`,
		`{"status":422,"headers":{"X Kind":"a"}}`:                  `headers["X Kind"]: that is no name`,
		`{"status":422,"headers":{"X-Kind":"a","x-kind":"b"}}`:     `headers["x-kind"] stands more than once`,
		`{"status":200,"body":"?","body_encoding":"base64"}`:       `body is not base64`,
		`{"status":200,"body":{},"body_encoding":"base64"}`:        `body is not base64`,
		`{"status":200,"body_encoding":"base64"}`:                  `body is not base64`,
		`{"status":200,"body":"a","body_encoding":"hex"}`:          `body_encoding is "hex"`,
		`{"status":200`:                                            `it is not JSON`,
		``:                                                         `it is not JSON`,
	} {
		if got, err := wire.ParseAnswer([]byte(result)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is %+v, %v; want %q", result, got, err, want)
		}
	}
}

func TestTextOfAnAnswer(t *testing.T) {
	for _, test := range []struct {
		answer wire.Answer
		isJSON bool
		want   string
	}{
		{wire.Answer{Body: []byte(`"a\u00e9"`)}, true, `"a\u00e9"`},
		{wire.Answer{Body: []byte(`"a\u00e9"`)}, false, "a\u00e9"},
		{wire.Answer{Body: []byte(`{"a":1}`)}, false, `{"a":1}`},
		{wire.Answer{Body: []byte(`"/wA="`), BodyEncoding: "base64"}, true, "\xff\x00"},
		{wire.Answer{}, true, ""},
	} {
		if got := test.answer.Text(test.isJSON); string(got) != test.want {
			t.Errorf("%s, JSON %v: %q", test.answer.Body, test.isJSON, got)
		}
	}
}
