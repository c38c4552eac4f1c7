package rollout

import (
	"errors"
	"time"
)

// Document is one ingestion request and what the gateway knows of it.
type Document struct {
	Route string
	// Scope sets the documents of one tenant apart, as TenantScope made it; empty where
	// documents have no tenants.
	Scope  string
	DocID  string
	Intent Intent
	// Life is the number of the claim's life, above 0.
	Life   uint64
	Bucket Bucket
	// Tenant is the request's; empty where documents have none.
	Tenant string
	// Method, Path (escaped, as sent) and Query (what follows the question mark) are
	// the request's; PathParts are the named parts of the route's pattern, unescaped.
	Method, Path, Query string
	PathParts           map[string]string
	// ContentType is the request's, as sent.
	ContentType string
	// ContentEncoding is the request's: the codings that Body is in, in the order in
	// which they were applied; empty for none.
	ContentEncoding string
	// Header holds the headers that the route hands on to workflows, by
	// canonical name. They are part of the intent.
	Header map[string][]string
	// Body is the request's, byte for byte.
	Body []byte
	// Delay is how long Temporal holds the life's start back, unless it is released
	// before; 0 is not at all.
	Delay time.Duration
}

// Identity names the document in claims, in their order, in workflow IDs and in the
// statistics: it is tenant and doc_id. The bucket follows from the doc_id alone.
func (d *Document) Identity() string { return d.Scope + d.DocID }

// ErrNotAccepted says that the path provably did not take the document and
// cannot take it later. Only an error that wraps it may cross to the other
// path.
var ErrNotAccepted = errors.New("not accepted")

// ErrUnavailable says that a path fails for a reason that is its own and not the
// document's: the next document would fare no better.
var ErrUnavailable = errors.New("the path is not available")

// ErrFenced says that a life's workflow ID holds a tombstone: nothing was started
// in this life and nothing can be. It always comes with ErrNotAccepted.
var ErrFenced = errors.New("the life was fenced off")

// ErrClientBody says that a path got no whole request because the client's body,
// which was being sent on while it came, broke a rule or off. It is no fault of the
// path.
var ErrClientBody = errors.New("the client's body broke off")

// Result is what a path answered.
type Result struct {
	// Status is the HTTP status the client got.
	Status  int
	Outcome Outcome
	// BytesOut counts the answer's body.
	BytesOut int64
	// Err is why the outcome is not OutcomeOK, for the log; may be nil.
	Err error
}

// Record is the wide record of one request: all that observers get to see.
type Record struct {
	// Route is empty for a request that was passed through.
	Route string
	// Spelling is the route that the request's path is another spelling of; empty
	// for nearly all.
	Spelling string
	// DocID is the document's identity, tenant and doc_id.
	DocID    string
	Intent   Intent
	Method   string
	Target   string
	Decision Decision
	// Unroutable is the reason why no document can be told from the request, one of
	// UnroutableReasons; empty if one can.
	Unroutable string
	// Sent: the document went out on the decision's path. If not, the gateway
	// itself turned the request away, or answered with what legacy had answered
	// before, which says nothing about a path.
	Sent     bool
	Result   Result
	Started  time.Time
	Duration time.Duration
	BytesIn  int64
}
