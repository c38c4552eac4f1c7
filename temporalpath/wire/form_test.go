package wire_test

import (
	"encoding/json"
	"testing"

	"sluice/temporalpath/wire"
)

// A body comes back as it came. Only what says that it is JSON is handed over as a
// value, in which a parser may change numbers and drop members of one name.
func TestForms(t *testing.T) {
	const large = "9007199254740993"
	for _, test := range []struct {
		form              string
		contentType, body string
		value             bool
	}{
		{"auto", "application/json", large, true},
		{"auto", "application/json; charset=utf-8", large, true},
		{"auto", "APPLICATION/JSON", large, true},
		{"auto", "application/vnd.api+json", large, true},
		{"auto", "text/json", large, true},
		{"auto", "application/octet-stream", large, false},
		{"auto", "text/plain", large, false},
		{"auto", "application/x-www-form-urlencoded", large, false},
		{"auto", "", large, false},
		{"auto", "application/json; =", large, false},
		{"auto", "application/json", "{", false},
		{"auto", "application/json", "", false},
		{"json", "", `{"v":1.10,"v":2}`, true},
		{"json", "application/octet-stream", large, true},
		{"json", "application/json", "\xff", false},
		{"bytes", "application/json", `{"v":1.10,"v":2}`, false},
		{"bytes", "application/json", " 1", false},
	} {
		form, err := wire.ParseForm(test.form)
		if err != nil || form.String() != test.form {
			t.Fatal(form, err)
		}
		in := wire.Input{ContentType: test.contentType}
		in.SetBody(form, []byte(test.body))
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var got wire.Input
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		raw, err := got.RawBody()
		if err != nil || string(raw) != test.body || (got.BodyEncoding == "") != test.value {
			t.Errorf("%+v came as %q in %q, %v", test, raw, got.BodyEncoding, err)
		}
	}
	if _, err := wire.ParseForm("base64"); err == nil {
		t.Error("base64 is a form")
	}
}
