package router

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"sluice/rollout"
)

// toTemporal runs the document's workflow and answers with how it went.
func (v *visit) toTemporal(ctx context.Context) rollout.Result {
	v.doc.Intent = v.intent()
	v.record.Intent = v.doc.Intent
	preference := prefer(v.fields, v.rt.config.Wait, v.rt.config.MaxWait)
	run, err := v.rt.config.Temporal.Run(ctx, &v.doc, preference.wait)
	if err != nil {
		return v.notRun(err)
	}
	if preference.applied != "" {
		v.w.Header().Set("Preference-Applied", preference.applied)
	}
	switch run.State {
	case rollout.RunCompleted:
		return v.writeAnswer(run.Answer)
	case rollout.RunFailed:
		return v.writeFailure(run.Failure)
	}
	return v.writeAccepted(run)
}

// notRun answers a document that Temporal did not provably take.
func (v *visit) notRun(err error) rollout.Result {
	outcome := rollout.OutcomeAmbiguous
	p := problem{Slug: "temporal-ambiguous", Status: http.StatusServiceUnavailable, RetryAfter: v.rt.config.RetryAfter,
		Detail: "it is not known yet whether the document was taken; repeat the same request: it is never run twice"}
	if errors.Is(err, rollout.ErrNotAccepted) {
		outcome = rollout.OutcomeRefused
		p.Slug = "temporal-unavailable"
		p.Detail = "the document was not taken; repeat the same request"
	}
	return rollout.Result{Status: writeProblem(v.w, p), Outcome: outcome, Err: err}
}

func (v *visit) writeAnswer(answer rollout.Answer) rollout.Result {
	h := v.w.Header()
	for name, values := range answer.Header {
		if _, taken := h[name]; !taken && !connectionField(name) {
			h[name] = values
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(answer.Body)))
	if answer.Status == http.StatusNoContent || answer.Status == http.StatusNotModified {
		h.Del("Content-Length")
		answer.Body = nil
	}
	v.w.WriteHeader(answer.Status)
	n, _ := v.w.Write(answer.Body) // the client may have left
	return rollout.Result{Status: answer.Status, Outcome: rollout.OutcomeOfStatus(answer.Status), BytesOut: int64(n)}
}

// connectionField reports whether the field is the connection's, which neither
// a workflow nor an authorisation service may set.
func connectionField(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Te", "Trailer", "Upgrade", "Proxy-Authenticate":
		return true
	}
	return false
}

func (v *visit) writeFailure(failure rollout.Failure) rollout.Result {
	status := writeProblem(v.w, problem{Slug: "workflow-failed", Status: failure.Status, Reason: failure.Type, Detail: failure.Message})
	return rollout.Result{Status: status, Outcome: rollout.OutcomeOfStatus(status), Err: errors.New(failure.Type + ": " + failure.Message)}
}

// writeAccepted answers for a run that goes on.
func (v *visit) writeAccepted(run rollout.Run) rollout.Result {
	location := statusPrefix + v.rt.tokens.make(v.route.Name, run.WorkflowID)
	h := v.w.Header()
	h.Set("Location", location)
	h.Set("Retry-After", "1")
	h.Set("Cache-Control", "no-store")
	n := writeJSON(v.w, http.StatusAccepted, struct {
		DocID    string `json:"doc_id"`
		Status   string `json:"status"`
		Location string `json:"location"`
	}{v.doc.DocID, run.State.String(), location})
	return rollout.Result{Status: http.StatusAccepted, Outcome: rollout.OutcomeAccepted, BytesOut: n}
}
