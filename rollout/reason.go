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
)

var reasons = [...]string{"split", "kill", "brake", "size", "unroutable"}

// Reasons lists them all.
func Reasons() []Reason {
	return []Reason{ReasonSplit, ReasonKill, ReasonBrake, ReasonSize, ReasonUnroutable}
}

// String returns the word used in headers, metrics and logs.
func (r Reason) String() string { return reasons[r] }
