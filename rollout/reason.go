package rollout

// Reason says why a document's route is what it is.
type Reason uint8

// The closed set of reasons.
const (
	// ReasonSplit: the bucket against the lowest ceiling.
	ReasonSplit Reason = iota
	// ReasonKill: the kill flag sends everything to legacy.
	ReasonKill
	// ReasonBrake: only the brake kept the document from Temporal.
	ReasonBrake
	// ReasonSize: the document is over Temporal's payload limit.
	ReasonSize
	// ReasonUnroutable: without a usable doc_id, passed to legacy as it came.
	ReasonUnroutable
	// ReasonClaim: an intent of the document holds it, or a retry its intent.
	ReasonClaim
	// ReasonLocal: this gateway knows of a lower ceiling than the store.
	ReasonLocal
	// ReasonBreaker: the breaker of the Temporal path is open.
	ReasonBreaker
	// ReasonFallback: Temporal provably did not take the document.
	ReasonFallback
	// ReasonStoreAway: the claim store is away, and no document like this one was
	// ever allowed to go to Temporal.
	ReasonStoreAway
	// ReasonWorkers: the route asks that its workers declare its type before anything is
	// started, and they have not.
	ReasonWorkers
)

var reasons = [...]string{"split", "kill", "brake", "size", "unroutable", "claim", "flag-local", "breaker", "fallback", "store-away", "workers"}

// Reasons lists them all.
func Reasons() []Reason {
	all := make([]Reason, len(reasons))
	for i := range all {
		all[i] = Reason(i)
	}
	return all
}

// String returns the word used in headers, metrics and logs.
func (r Reason) String() string { return reasons[r] }
