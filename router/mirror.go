package router

import (
	"time"

	"sluice/rollout"
)

// Mirror takes documents that legacy served, to run them once more on Temporal. Its
// methods never wait.
type Mirror interface {
	// Sampled reports whether a document that legacy serves is to be mirrored.
	Sampled(policy *rollout.Policy, docID string) bool
	// Hold asks to hold more bytes of an answer of which kept are held so far. What is
	// held is given back by Offer, or at once if there is no room for more: then it says
	// why, and all of it is to be let go.
	Hold(kept, more int) (full rollout.DropReason, ok bool)
	// Offer takes a document whose client has its answer. If the answer is not to be
	// compared, cut says why; primary is then what is still held of it.
	Offer(doc *rollout.Document, primary rollout.Answer, took time.Duration, cut *rollout.DropReason)
}

// mirrored runs the legacy path, and offers the document with its answer afterwards
// if it is sampled. The client gets what it would get without.
func (v *visit) mirrored(legacy func() rollout.Result) rollout.Result {
	mirror := v.rt.config.Mirror
	if mirror == nil || !mirror.Sampled(v.policy, v.doc.DocID) {
		return legacy()
	}
	client, cut, began := v.w, rollout.DropPrimary, time.Now()
	seen := newCapture(client, func(kept *rollout.Answer, more int) bool {
		reason, ok := mirror.Hold(len(kept.Body), more)
		if !ok {
			cut = reason
		}
		return ok
	})
	seen.more = v.rt.config.MirrorFields
	v.w = seen
	result := legacy()
	took := time.Since(began)
	v.w = client
	switch {
	case rollout.RefusesClient(seen.answer.Status):
		cut = rollout.DropClient
		fallthrough
	case seen.over, seen.left, seen.answer.Status == 0, !answersWhole(result.Outcome):
		mirror.Offer(&v.doc, seen.answer, took, &cut)
	default:
		mirror.Offer(&v.doc, seen.answer, took, nil)
	}
	return result
}

// answersWhole reports whether the answer is legacy's, and all of it.
func answersWhole(outcome rollout.Outcome) bool {
	return outcome == rollout.OutcomeOK || outcome == rollout.OutcomeInvalid || outcome == rollout.OutcomeFailed
}
