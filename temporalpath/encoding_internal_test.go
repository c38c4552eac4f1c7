package temporalpath

import (
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
)

// What a codec of the workers has encoded is no answer, whatever its bytes look like.
func TestResultsInAnotherEncoding(t *testing.T) {
	p := offline(nil)
	for encoding, want := range map[string]string{
		"json/plain": "", "json/protobuf": "", "binary/null": "",
		"binary/plain": "binary/plain", "binary/encrypted": "binary/encrypted", "": `""`,
	} {
		payload := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(encoding)}, Data: []byte("1")}
		_, err := p.parsed(t.Context(), Route{WorkflowType: "A"}, &commonpb.Payloads{Payloads: []*commonpb.Payload{payload}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", encoding, err)
		}
		if noted, found := p.workers.garbled["A"]; found != (want != "") || noted.encoding != encoding && found {
			t.Errorf("%q: operators are told of %+v", encoding, noted)
		}
		clear(p.workers.garbled)
	}
	if parsed, err := p.parsed(t.Context(), Route{WorkflowType: "A"}, nil); err != nil || string(parsed.Body) != "null" {
		t.Errorf("without a result: %+v, %v", parsed, err)
	}
}
