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
	// Largest is the most of an answer that is worth keeping, in bytes.
	Largest() int64
	// Offer takes a document whose client has its answer; whole says that primary is
	// all of it.
	Offer(doc *rollout.Document, primary rollout.Answer, whole bool, took time.Duration)
}

// mirrored runs the legacy path, and offers the document with its answer afterwards
// if it is sampled. The client gets what it would get without.
func (v *visit) mirrored(legacy func() rollout.Result) rollout.Result {
	mirror := v.rt.config.Mirror
	if mirror == nil || !mirror.Sampled(v.policy, v.doc.DocID) {
		return legacy()
	}
	client := v.w
	seen := newCapture(client, int(mirror.Largest()))
	seen.begun = func() {}
	v.w = seen
	began := time.Now()
	result := legacy()
	took := time.Since(began)
	v.w = client
	whole := !seen.over && !seen.left && seen.answer.Status != 0
	switch result.Outcome {
	case rollout.OutcomeOK, rollout.OutcomeInvalid, rollout.OutcomeFailed:
	default: // the answer is not legacy's, or not all of it
		whole = false
	}
	mirror.Offer(&v.doc, seen.answer, whole, took)
	return result
}
