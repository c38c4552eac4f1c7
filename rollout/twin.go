package rollout

import "time"

// Twin is a document that is to be run in the shadow, twice if Pair.
type Twin struct {
	Doc  *Document
	Pair bool
}

// Mirrored is what came of a twin so far.
type Mirrored struct {
	// Run is the first run; RunRunning if its end is not known yet.
	Run Run
	// Took is how long it was waited for, from before its start; 0 if unknown.
	Took time.Duration
	// Again is the second run; nil if its end is not known, or there is none.
	Again *Run
	// Err is why nothing is known of a run; it wraps ErrDuplicate if there was one before,
	// and ErrNotAccepted if there is none.
	Err error
}
