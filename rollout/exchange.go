package rollout

import "time"

// Exchange is one document's answers: the primary's, which the client got, and
// the shadow's.
type Exchange struct {
	Route  string
	DocID  string
	Intent Intent
	// ID is the workflow ID of the shadow run.
	ID string
	// At is when the primary's answer was known.
	At time.Time

	Primary     Answer
	PrimaryTook time.Duration

	Shadow Run
	// ShadowTook is how long it took, as who waited for it saw it; 0 if nobody did.
	ShadowTook time.Duration
	// Again is a second shadow run of the same document, which tells what differs
	// from run to run; nil if there was none.
	Again *Run
}

// DropReason says why a sampled document was not compared.
type DropReason uint8

// The closed set of reasons.
const (
	// DropBusy: the gateway has too much to do for its clients.
	DropBusy DropReason = iota
	// DropQueue: too many documents wait to be mirrored already.
	DropQueue
	// DropBytes: those that wait hold too many bytes.
	DropBytes
	// DropTooLarge: the document or its answer is larger than is mirrored.
	DropTooLarge
	// DropPrimary: the primary gave no whole answer to compare with.
	DropPrimary
	// DropKilled: mirroring was switched off while the document waited.
	DropKilled
	// DropUnsupported: the route's worker does not declare that it can.
	DropUnsupported
	// DropDuplicate: the same intent was mirrored before.
	DropDuplicate
	// DropTemporal: Temporal did not take the run, or not in time.
	DropTemporal
	// DropStore: it could not be put on record.
	DropStore
	// DropRestart: the gateway ended while the document was mirrored.
	DropRestart
	// DropUnknown: nobody knows whether Temporal ran it, or how it ended.
	DropUnknown
	// DropClient: legacy refused the client, which says nothing of the document; see
	// RefusesClient.
	DropClient
)

var dropReasons = [...]string{"busy", "queue", "bytes", "too-large", "primary", "killed", "unsupported", "duplicate", "temporal", "store", "restart", "unknown", "client"}

// RefusesClient reports whether an answer with this HTTP status is about who asks and
// not about what is asked. Another path, which is not asked who the client is, has
// nothing to compare with it.
func RefusesClient(status int) bool { return status == 401 || status == 403 || status == 407 }

// DropReasons lists them all.
func DropReasons() []DropReason {
	all := make([]DropReason, len(dropReasons))
	for i := range all {
		all[i] = DropReason(i)
	}
	return all
}

// String returns the word used in metrics and reports.
func (r DropReason) String() string { return dropReasons[r] }
