package temporalpath

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/textproto"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"

	"sluice/rollout"
	"sluice/temporalpath/wire"
)

// completed turns a workflow's result into a finished run.
func (p *Path) completed(ctx context.Context, route Route, id string, result *commonpb.Payloads) rollout.Run {
	answer, err := p.answer(ctx, route, result)
	if err != nil {
		return rollout.Run{WorkflowID: id, State: rollout.RunFailed, Failure: rollout.Failure{
			Type: rollout.FailureBadResult, Message: err.Error(), Status: http.StatusBadGateway,
		}}
	}
	return rollout.Run{WorkflowID: id, State: rollout.RunCompleted, Answer: answer}
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

func (p *Path) answer(ctx context.Context, route Route, result *commonpb.Payloads) (rollout.Answer, error) {
	text := []byte("null")
	if len(result.GetPayloads()) > 0 {
		payload, err := p.load(ctx, result.Payloads[0])
		if err != nil {
			return rollout.Answer{}, err
		}
		if encoding := string(payload.Metadata["encoding"]); encoding != "binary/null" {
			text = payload.Data
		}
	}
	parsed, err := wire.ParseAnswer(text)
	if err != nil {
		return rollout.Answer{}, fmt.Errorf("workflow %s: %w", route.WorkflowType, err)
	}
	return httpAnswer(parsed, route.Status), nil
}

func httpAnswer(parsed wire.Answer, status int) rollout.Answer {
	answer := rollout.Answer{Status: parsed.Status, Header: map[string][]string{}}
	if answer.Status == 0 {
		answer.Status = status
	}
	for name, values := range parsed.Headers {
		answer.Header[textproto.CanonicalMIMEHeaderKey(name)] = values
	}
	if len(answer.Header["Content-Type"]) == 0 && len(parsed.Body) > 0 {
		answer.Header["Content-Type"] = []string{"application/json"}
	}
	answer.Body = parsed.Text(isJSON(answer.Header["Content-Type"]))
	return answer
}

func isJSON(contentType []string) bool {
	if len(contentType) == 0 {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType[0])
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// failed turns a workflow's failure into a finished run. An ApplicationError
// that the table names outranks those around it; else the outermost counts.
func failed(route Route, id string, failure *failurepb.Failure) rollout.Run {
	found := rollout.Failure{Type: rollout.FailureFailed, Message: failure.GetMessage(), Status: http.StatusBadGateway}
	outermost := true
	for f := failure; f != nil; f = f.Cause {
		kind := f.GetApplicationFailureInfo().GetType()
		if kind == "" {
			continue
		}
		status, named := route.Failures[kind]
		if named {
			found = rollout.Failure{Type: kind, Message: f.Message, Status: status}
			break
		}
		if outermost {
			found.Type, found.Message, outermost = kind, f.Message, false
		}
	}
	return rollout.Run{WorkflowID: id, State: rollout.RunFailed, Failure: found}
}

// ended is the failure of a run that was closed from outside.
func ended(id, kind string) rollout.Run {
	return rollout.Run{WorkflowID: id, State: rollout.RunFailed, Failure: rollout.Failure{
		Type: kind, Message: "the workflow ended: " + kind, Status: http.StatusBadGateway,
	}}
}
