package router

import (
	"context"
	"net/http"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/router/claims"
)

// Answers keeps what legacy answered to requests with an Idempotency-Key.
type Answers interface {
	// KeepAnswer makes the answer durable before it returns nil.
	KeepAnswer(ctx context.Context, key rollout.AnswerKey, answer *rollout.Answer) error
	// KeptAnswer returns the answer; false if there is none, or none any more.
	KeptAnswer(ctx context.Context, key rollout.AnswerKey) (rollout.Answer, bool, error)
}

// answerKey names legacy's answer to one life of the document's intent.
func (v *visit) answerKey(life uint64) rollout.AnswerKey {
	return rollout.AnswerKey{DocID: v.doc.Identity(), Intent: v.doc.Intent, Life: life}
}

// forwardOnce passes the document to legacy and keeps its answer. That it does
// before the claim is settled: if the process dies in between, the claim ends lost
// and its retry finds the answer.
func (v *visit) forwardOnce(ctx context.Context, life uint64) rollout.Result {
	lasting, cancel := context.WithCancel(ctx)
	defer cancel()
	c := newCapture(v.w, within(v.rt.config.AnswerLimit))
	stop := func() bool { return true }
	c.begun = func() { stop = afterClient(v.r.Context(), cancel) }
	result := v.rt.forward(ctx, c, v.r.WithContext(lasting), v.doc.Body)
	stop()
	final := result.Outcome == rollout.OutcomeOK || result.Outcome == rollout.OutcomeInvalid
	if final && !c.over && !rollout.InvitesRepeat(result.Status) {
		if err := v.rt.config.Answers.KeepAnswer(ctx, v.answerKey(life), &c.answer); err != nil {
			v.rt.config.Log.Warn("an answer of the legacy service could not be kept: a retry will not get it",
				zap.String("doc_id", v.doc.Identity()), zap.String("intent", string(v.doc.Intent)), zap.Error(err))
		}
	}
	if final && c.left {
		result.Outcome = rollout.OutcomeCanceled
	}
	return result
}

// answeredBefore serves a retry that is to go to legacy again, because nobody
// knows how the request before it ended: if its answer was kept after all, that is
// the answer. false: there is none, and the document is to be sent.
func (v *visit) answeredBefore(ctx context.Context, t *claims.Ticket) bool {
	if !v.once || t.Reason != rollout.ReasonClaim {
		return false
	}
	answer, found, err := v.rt.config.Answers.KeptAnswer(ctx, v.answerKey(t.Life))
	if err == nil && !found {
		return false
	}
	v.warn("settle", t.Sent(ctx, err == nil, rollout.Ending{})) // without an error it is Lost, as it was
	v.answerKept(answer, err)
	return true
}

// fromRecord serves a retry of what legacy answered for good.
func (v *visit) fromRecord(ctx context.Context, t *claims.Ticket) {
	answer, found, err := v.rt.config.Answers.KeptAnswer(ctx, v.answerKey(t.Life))
	if err != nil || found {
		v.answerKept(answer, err)
		return
	}
	if v.authorised() {
		v.w.Header().Set("Rollout-Replayed", "true")
		v.record.Result = v.answerGone("the legacy service answered this request before, and its answer is not kept")
	}
}

// underWay serves a retry whose first is at legacy; or was, when its gateway died.
func (v *visit) underWay(ctx context.Context, under error) {
	h, err := v.rt.config.Claims.Get(ctx, v.doc.Identity())
	if err != nil {
		v.notClaimed(ctx, err)
		return
	}
	if c := h.Find(v.doc.Intent); c != nil {
		v.record.Decision = rollout.Decision{Path: c.Path, Reason: rollout.ReasonClaim, Bucket: v.doc.Bucket, Epoch: c.Epoch}
		v.announce(v.record.Decision)
		if answer, found, err := v.rt.config.Answers.KeptAnswer(ctx, v.answerKey(c.Life)); err == nil && found {
			v.answerKept(answer, nil)
			return
		}
	}
	v.record.Result = writeProblem(v.w, problem{Slug: "under-way", Status: http.StatusConflict, RetryAfter: v.rt.config.RetryAfter,
		Detail: "the first request with this Idempotency-Key is not answered yet; repeat the request to get its answer"})
	v.record.Result.Outcome, v.record.Result.Err = rollout.OutcomeInvalid, under
}

// answerKept answers in legacy's place. So it asks first whether the client may,
// as legacy would have done.
func (v *visit) answerKept(answer rollout.Answer, err error) {
	if err != nil {
		v.refuse(problem{Slug: "replay-unavailable", Detail: "the legacy service may have answered this request, and its answer cannot be read now; repeat the request"}, err)
		return
	}
	if !v.authorised() {
		return
	}
	h := v.w.Header()
	h.Set("Rollout-Replayed", "true")
	if len(answer.Header["Content-Type"]) == 0 {
		h["Content-Type"] = nil // or the server would guess one
	}
	v.record.Result = v.writeAnswer(answer)
}
