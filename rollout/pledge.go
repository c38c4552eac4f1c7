package rollout

import (
	"errors"
	"time"
)

// What a claim store fails with when it cannot be used.
var (
	// ErrStoreAway: the store cannot be used now: it does not answer, or its disk is
	// full or broken. Unless the error also wraps
	// ErrOutcomeUnknown, nothing was stored, nor will be.
	ErrStoreAway = errors.New("the claim store cannot be used")
	// ErrOutcomeUnknown: the change may or may not have been stored, or may be
	// yet.
	ErrOutcomeUnknown = errors.New("it is not known whether the change was stored")
)

// Pledge is what a gateway promises to all others for the time in which it cannot
// reach the claim store: without a claim it sends to legacy only documents that
// PassesAway lets through at the floor, and those that it ever sent below are on
// record. In return no exposure above the floor comes into force while the pledge
// holds. The zero Pledge promises that it sends nothing without a claim.
type Pledge struct {
	Floor Exposure
	// For is how long the pledge holds, on the store's clock: until all that was
	// sent under it has ended, and its retries' horizon too. 0 is no pledge.
	For time.Duration
	// Succeeds names processes that are gone and left nothing that is not on
	// record: their pledges end.
	Succeeds []string
}

// Accord is what the gateways that share a store agreed on.
type Accord struct {
	// Policy is in force.
	Policy Policy
	// Mark is the highest exposure that ever was, in this migration.
	Mark Exposure
	// Floor is what the pledge was taken at; All if there is none.
	Floor Exposure
}

// PassesAway reports whether the document may go to legacy without a claim while
// the store is away. At or above the floor no exposure ever was in force, so no
// claim of the document can be on Temporal: a new one is put there by the
// exposure alone, and the document's others follow it. Whatever else sends
// documents to Temporal, such as an override, must be asked for here. What is to go
// to legacy Once needs the record, which is away too.
func (a *Ask) PassesAway(floor Exposure) bool { return !a.Once && !floor.Includes(a.Bucket) }
