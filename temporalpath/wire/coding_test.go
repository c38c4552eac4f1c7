package wire_test

import (
	"encoding/json"
	"testing"

	"sluice/temporalpath/wire"
)

// A body in a coding is told byte for byte, even where its bytes could be taken for
// JSON: there a blank more or less is another body.
func TestABodyInACodingStaysAsItCame(t *testing.T) {
	for _, coding := range []string{"gzip", "deflate, br", "unknown"} {
		for _, body := range []string{"\x1f\x8b\x08\x00", "{ }", ` "a" `, "1", ""} {
			in := wire.Input{ContentEncoding: coding}
			in.SetBody(wire.FormJSON, []byte(body))
			text, err := json.Marshal(in)
			if err != nil {
				t.Fatal(err)
			}
			var got wire.Input
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			raw, err := got.RawBody()
			if err != nil || string(raw) != body || got.ContentEncoding != coding || got.BodyEncoding != wire.Base64 {
				t.Errorf("%q in %q came as %q in %q, %v", body, coding, raw, got.ContentEncoding, err)
			}
		}
	}
	for _, coding := range []string{"", "identity"} {
		in := wire.Input{ContentEncoding: coding}
		if in.SetBody(wire.FormJSON, []byte(`{"a":1}`)); in.BodyEncoding != "" || string(in.Body) != `{"a":1}` {
			t.Errorf("%q: %+v", coding, in)
		}
	}
}
