package router

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"sluice/rollout"
)

// answerRun answers with where a run stands.
func (v *visit) answerRun(run rollout.Run) rollout.Result {
	if applied := v.preference.applied; applied != "" {
		v.w.Header().Set("Preference-Applied", applied)
	}
	switch run.State {
	case rollout.RunCompleted:
		return v.writeAnswer(run.Answer)
	case rollout.RunFailed:
		return v.writeFailure(run.Failure)
	}
	return v.writeAccepted(run)
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
	addRouteFields(v.w)
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

// writeFailure answers with what the failure says to clients: its answer, or a problem.
func (v *visit) writeFailure(failure rollout.Failure) rollout.Result {
	why := errors.New(failure.Type + ": " + failure.Message)
	if failure.Note != "" {
		why = fmt.Errorf("%w (%s)", why, failure.Note)
	}
	if failure.Answer != nil {
		result := v.writeAnswer(*failure.Answer)
		result.Err = why
		return result
	}
	result := writeProblem(v.w, problem{Slug: "workflow-failed", Status: failure.Status, Reason: failure.Type, Detail: messageOf(failure)})
	result.Outcome, result.Err = rollout.OutcomeOfStatus(result.Status), why
	return result
}

// messageOf returns what clients are told of a failure.
func messageOf(failure rollout.Failure) string {
	if failure.Public {
		return failure.Message
	}
	return "the document's workflow failed; why is in the gateway's log and in the workflow's history"
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
