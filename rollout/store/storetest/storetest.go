// Package storetest is what every store of claims must pass, whatever it is
// built on. A store's own tests call Run with a way to get an empty store.
//
// What the checks hold a store to:
//   - Update is one atomic change: it happened as a whole before Update returned
//     nil, or it never happens.
//   - Updates of one document happen one after the other, through all handles.
//   - What Update returned nil for is there for every later Update, Get and Open,
//     through any handle, now or after the store was opened again.
//   - A holding lives until its last claim's horizon, and not much longer.
//   - The books count each change that was stored, once, and no other; for ever.
//   - What a stored change counts is taken by one decision, once, and nothing else is.
//   - Rulings are made one after the other, and each is on record as a whole.
//
// The changes are the hub's own operations, so a store that passes keeps the
// promises of rollout.Holding.
package storetest

import (
	"context"
	"testing"
	"time"

	"sluice/rollout"
)

// Store is a handle on a store of claims.
type Store interface {
	// Update makes one atomic change: it reads the document's holding (an empty
	// one with DocID set and Version 0 if nothing is stored), calls change, and
	// makes what change made of it durable before it returns nil.
	//
	// change is pure, gets a private copy, and may be called more than once. If
	// it returns an error, nothing is stored and Update returns that error as it
	// is. If it leaves Claims empty, the record is removed. If it changes
	// nothing, nothing is written; else Version grows by one, and what it left in
	// Counts, which was empty, is counted.
	Update(ctx context.Context, docID string, change func(h *rollout.Holding, at rollout.Instant) error) error
	// Get returns the holding: Version 0 and no claims if nothing is stored, or
	// if what is stored has expired.
	Get(ctx context.Context, docID string) (*rollout.Holding, error)
	// Open visits every holding that has an open claim, as of about now. It
	// stops at visit's error and returns it as it is.
	Open(ctx context.Context, visit func(*rollout.Holding) error) error
	// Books returns the books of all handles that ever were, and how many claims
	// are open: all as of one instant, or as if, so that they balance.
	Books(ctx context.Context) (rollout.Books, error)
	// Renew keeps the owner's lease alive for ttl.
	Renew(ctx context.Context, owner string, ttl time.Duration) error
	// Dead lists the owners, of open claims or of their sends, other than self
	// that have no living lease.
	Dead(ctx context.Context, self string) ([]string, error)
	Desk
	// Close gives the handle back. What is stored stays.
	Close() error
}

// Desk is the place where one gateway decides for all.
type Desk interface {
	// Decide calls rule once if owner is, or becomes, the leader, with what is on
	// record and what was counted since the last Decide, and stores the ruling: all
	// at once. If it does not lead, led is false. If rule fails, nothing is stored,
	// and its error is returned as it is.
	Decide(ctx context.Context, owner string, rule func(rollout.Session) (rollout.Ruling, error)) (led bool, err error)
	// Amend is the same for anybody, and takes no counts, nor shows any.
	Amend(ctx context.Context, rule func(rollout.Session) (rollout.Ruling, error)) error
	// Look returns what the next Decide would show. It changes nothing.
	Look(ctx context.Context) (rollout.Session, error)
	// Pages returns the newest pages about the subject, at most limit, the newest
	// first.
	Pages(ctx context.Context, subject string, limit int) ([]rollout.Page, error)
}

// Settings is what a handle is opened with.
type Settings struct {
	// Horizon is how long a settled claim is kept.
	Horizon time.Duration
	// Policy is in force as long as any handle is open.
	Policy *rollout.Policy
}

// Subject is one store, empty at first.
type Subject struct {
	// Open opens a handle. The checks close each one that they open; t is for
	// failing only.
	Open func(t *testing.T, settings Settings) Store
	// Shared: several handles may be open at once, as of several gateways. Else
	// each is closed before the next is opened.
	Shared bool
	// Leases: an owner lives while its lease does, by the store's clock. Else
	// there is one gateway at a time, and every other owner is dead at once.
	Leases bool
}

// Run checks a store. fresh returns a new, empty one each time; it may register
// its clean-up with t.
func Run(t *testing.T, fresh func(t *testing.T) Subject) {
	for _, check := range []struct {
		name string
		run  func(t *testing.T, w *world)
	}{
		{"nothing is stored at first", nothingAtFirst},
		{"a change is told the instant", toldTheInstant},
		{"versions count the changes", versionsCount},
		{"an error leaves nothing", errorLeavesNothing},
		{"an ended context changes nothing", endedContext},
		{"copies are private", copiesArePrivate},
		{"what is left empty is removed", emptyIsRemoved},
		{"any document, any size", anyDocument},
		{"updates of one document are serial", updatesAreSerial},
		{"documents do not disturb each other", documentsAreApart},
		{"a second start or the move", startOrMove},
		{"one move", oneMove},
		{"one attempt's end or the move", endOrMove},
		{"open holdings are visited", openAreVisited},
		{"opening again keeps everything", reopeningKeeps},
		{"settled holdings expire", settledExpire},
		{"open holdings do not expire", openStay},
		{"the books balance", booksBalance},
		{"the books outlive the claims", booksOutlive},
		{"the books show what vanished", booksShowLoss},
		{"each stored change counts once", countsAreExact},
		{"what is not stored does not count", countsOfNothing},
		{"counts are taken once", countsAreTakenOnce},
		{"a ruling is on record as a whole", rulingsStay},
		{"a rule that fails leaves nothing", failedRuleLeavesNothing},
		{"an amendment takes no counts", amendmentsKeepCounts},
		{"rulings are serial", rulingsAreSerial},
		{"one decides for all", oneDecides},
		{"a lower plan is in force", lowerPlanIsInForce},
		{"pages are the newest first", pagesNewestFirst},
		{"the dead are named", deadAreNamed},
		{"leases run out", leasesRunOut},
		{"like a map", likeAMap},
		{"like a map, many at once", likeAMapAtOnce},
	} {
		t.Run(check.name, func(t *testing.T) {
			w := &world{t: t, subject: fresh(t), settings: Settings{Horizon: time.Hour, Policy: everything()}}
			defer w.close()
			check.run(t, w)
		})
	}
}
