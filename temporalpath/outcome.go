package temporalpath

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"

	"sluice/rollout"
	"sluice/temporalpath/wire"
)

// completed turns a workflow's result into a finished run.
func (p *Path) completed(ctx context.Context, route Route, id string, result *commonpb.Payloads) rollout.Run {
	parsed, err := p.parsed(ctx, result)
	var foreign *encodingError
	if errors.As(err, &foreign) {
		p.workers.unreadable(route.WorkflowType, foreign.encoding)
	}
	if err != nil {
		return rollout.Run{WorkflowID: id, State: rollout.RunFailed, Failure: rollout.Failure{
			Type: rollout.FailureBadResult, Message: "the result of " + route.WorkflowType + " is no answer: " + err.Error(),
			Status: http.StatusBadGateway, Public: true,
		}}
	}
	return rollout.Run{WorkflowID: id, State: rollout.RunCompleted, Answer: httpAnswer(&parsed, route.Status)}
}

// load returns a payload that may be kept elsewhere.
func (p *Path) load(ctx context.Context, payload *commonpb.Payload) (*commonpb.Payload, error) {
	if p.config.Codec == nil {
		return payload, nil
	}
	loaded, err := p.config.Codec.Load(ctx, payload)
	if err != nil {
		return nil, fmt.Errorf("claim check: %w", err)
	}
	return loaded, nil
}

// parsed reads the first of the payloads; none is null. It fails with an *encodingError, or
// with what the claim check or wire.ParseAnswer fails with.
func (p *Path) parsed(ctx context.Context, payloads *commonpb.Payloads) (wire.Answer, error) {
	text := []byte("null")
	if len(payloads.GetPayloads()) > 0 {
		payload, err := p.load(ctx, payloads.Payloads[0])
		if err != nil {
			return wire.Answer{}, err
		}
		switch encoding := string(payload.Metadata["encoding"]); encoding {
		case "binary/null":
		case "json/plain", "json/protobuf":
			text = payload.Data
		default:
			return wire.Answer{}, &encodingError{encoding}
		}
	}
	return wire.ParseAnswer(text)
}

// encodingError says that a payload is in an encoding that the gateway does not read.
type encodingError struct{ encoding string }

func (e *encodingError) Error() string {
	return fmt.Sprintf("it is encoded as %.40q, and the gateway reads json/plain, json/protobuf and binary/null", e.encoding)
}

func httpAnswer(parsed *wire.Answer, status int) rollout.Answer {
	answer := rollout.Answer{Status: parsed.Status, Header: map[string][]string{}}
	if answer.Status == 0 {
		answer.Status = status
	}
	for name, values := range parsed.Headers {
		answer.Header[textproto.CanonicalMIMEHeaderKey(name)] = values
	}
	contentType := answer.Header["Content-Type"]
	if len(contentType) == 0 && len(parsed.Body) > 0 && parsed.BodyEncoding == "" {
		answer.Header["Content-Type"] = []string{"application/json"}
	}
	answer.Body = parsed.Text(len(contentType) == 0 || wire.IsJSON(contentType[0]))
	return answer
}

// failed turns a workflow's failure into a finished run. An ApplicationError
// that the table names outranks those around it; else the outermost counts. What it
// says is for the public if the table names it, or if its first detail is an answer.
func (p *Path) failed(ctx context.Context, route Route, id string, failure *failurepb.Failure) rollout.Run {
	found := rollout.Failure{Type: rollout.FailureFailed, Message: failure.GetMessage(), Status: http.StatusBadGateway}
	var counts *failurepb.Failure
	for f := failure; f != nil; f = f.Cause {
		kind := f.GetApplicationFailureInfo().GetType()
		if kind == "" {
			continue
		}
		status, named := route.Failures[kind]
		if named {
			found, counts = rollout.Failure{Type: kind, Message: f.Message, Status: status, Public: true}, f
			break
		}
		if counts == nil {
			found.Type, found.Message, counts = kind, f.Message, f
		}
	}
	p.detail(ctx, &found, counts)
	return rollout.Run{WorkflowID: id, State: rollout.RunFailed, Failure: found}
}

// detail takes over the answer that a failure carries. Any other detail is the workers'
// own affair; of one that was meant as an answer the log says what is wrong with it.
func (p *Path) detail(ctx context.Context, found *rollout.Failure, f *failurepb.Failure) {
	details := f.GetApplicationFailureInfo().GetDetails()
	if len(details.GetPayloads()) == 0 {
		return
	}
	parsed, err := p.parsed(ctx, details)
	var foreign *encodingError
	switch {
	case errors.As(err, &foreign), err == nil && parsed.Status == 0:
	case err != nil:
		found.Note = "its first detail is no answer: " + err.Error()
	case parsed.Status < 400:
		found.Note = fmt.Sprintf("its first detail is no answer: status is %d, which is no error's", parsed.Status)
	default:
		answer := httpAnswer(&parsed, parsed.Status)
		found.Answer, found.Status = &answer, answer.Status
	}
}

// ended is the failure of a run that was closed from outside.
func ended(id, kind string) rollout.Run {
	return rollout.Run{WorkflowID: id, State: rollout.RunFailed, Failure: rollout.Failure{
		Type: kind, Message: "the workflow ended: " + kind, Status: http.StatusBadGateway, Public: true,
	}}
}
