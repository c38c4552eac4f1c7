package temporalpath

import (
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"

	"sluice/rollout"
)

func encoded(encoding string) *commonpb.Payloads {
	payload := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(encoding)}, Data: []byte("1")}
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{payload}}
}

// What a codec of the workers has encoded is no answer, whatever its bytes look like.
func TestResultsInAnotherEncoding(t *testing.T) {
	p := offline(nil)
	for encoding, want := range map[string]string{
		"json/plain": "", "json/protobuf": "", "binary/null": "",
		"binary/plain": "binary/plain", "binary/encrypted": "binary/encrypted", "": `""`,
	} {
		run := p.completed(t.Context(), Route{WorkflowType: "A"}, "id", encoded(encoding))
		if bad := run.State == rollout.RunFailed && run.Failure.Type == rollout.FailureBadResult; bad != (want != "") || !strings.Contains(run.Failure.Message, want) {
			t.Errorf("%q: %+v", encoding, run)
		}
		if noted, found := p.workers.unread["A"]; found != (want != "") || noted.encoding != encoding && found {
			t.Errorf("%q: operators are told of %+v", encoding, noted)
		}
		clear(p.workers.unread)
	}
	if run := p.completed(t.Context(), Route{Status: 201}, "id", nil); run.Answer.Status != 201 || string(run.Answer.Body) != "null" {
		t.Errorf("without a result: %+v", run)
	}
}

// A detail that was never meant for the gateway takes nothing from a failure that the
// table names: its client reads why.
func TestDetailsInAnotherEncoding(t *testing.T) {
	p := offline(nil)
	failure := &failurepb.Failure{Message: "page 3 is missing", FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
		ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "InvalidDocument", Details: encoded("binary/plain")},
	}}
	got := p.failed(t.Context(), Route{WorkflowType: "A", Failures: map[string]int{"InvalidDocument": 422}}, "id", failure).Failure
	if want := (rollout.Failure{Type: "InvalidDocument", Message: "page 3 is missing", Public: true, Status: 422}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if len(p.workers.unread) > 0 {
		t.Error("operators are told of an answer that was none")
	}
}
