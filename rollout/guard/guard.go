// Package guard tells from the outcomes of both paths whether Temporal is worse
// than legacy, and whether it is proved good enough to go on.
//
// It is pure: bins of counts in, a state that can be stored, evidence out. It
// reads no clock; time is the second of the bin.
//
// Each guardrail is a mixture-CUSUM e-detector. For each alternative j it keeps
// L_j = max(0, L_j + log likelihood ratio of one second's events against the
// limit), and it breaches when the mean of exp(L_j) reaches A. Under the limit
// the mean number of events to a breach is at least A, however often it is
// looked at; A is the number of events of a day, over the false alarms a day
// that are allowed.
//
// Invariants:
//   - Only integers are counted, and bins add up: a state that was fed the merged
//     bins of several gateways equals, bit for bit, that of one process that
//     counted all of it. A second without a bin is a second without events.
//   - A state restored from its JSON goes on as if it had never been away. A
//     second is stepped over once: a bin that is not newer is refused.
//   - Evidence survives a change of exposure: each event is weighed with the
//     exposure under which its document was assigned.
//   - A breach of a guardrail that rolls back stays until Reset. One that holds
//     or warns ends when its evidence is back at nothing.
//
// What counts is the counter's duty, since a count cannot be taken back: one
// event per intent, its first final outcome; only documents that the hash placed,
// in the arm the hash gave them; nothing while a breaker is open; a bad event of
// a document only if rollout.CountsAgain.
package guard
