// Package postgres keeps claims, the policy in force and the gateways' leases in
// a PostgreSQL database that several gateways share.
//
// Invariants:
//   - Safety is compare-and-swap in the database. Each stored change of a holding
//     carries a random stamp, and replaces only the stamp that it was made from.
//     A version would not do: a holding that is forgotten and made anew counts
//     from 1 again.
//   - A change commits only under the epoch that it was made under: the same
//     transaction checks it while it holds the control table in SHARE mode, which
//     no writer of that table can pass. So once a policy has committed, nothing
//     commits under an older one, however long a gateway was frozen. A rollback
//     waits for the batches under way; later ones wait for it. (They would overtake
//     it if they locked the row, FOR SHARE, instead of the table.)
//   - Who leads has no say on the brake: any gateway lowers it, and what a leader
//     puts in force has the brake that operators want.
//   - What a running gateway locks, but for a ruling, it locks in one message, from
//     BEGIN to COMMIT: a frozen one blocks nobody. If a message arrives in part only, its session holds
//     a new policy up for Timeout; then it is ended.
//   - Every time that counts is the database's.
//   - Who leads decides for all: its ruling is made under the leader's row and the
//     desk's, which are the only locks that a gateway holds while it thinks.
//   - Locks are taken in one order: the leader's row, the desk's, control table, then
//     pledges or the brake's row, or stored documents by key and new documents by key and then
//     the books of one slot. Only if two lanes have the same slot can they stand in each other's way
//     there; then the database lets one go first.
//   - What a change is for the books, and what it counts, commits with it.
//
// Life of one Update; a batch goes through it together:
//
//	waiting ─▶ read ─▶ changed in memory ─▶ committing ─┬─ won ────────▶ answered
//	             ▲                                      ├─ lost, fenced ─▶ read again
//	             │                                      ├─ refused ─────▶ error, nothing stored
//	             └── the same stamp: try again ◀────────┴─ no answer: read the stamp
//	                 mine: answered; another, or no database: ErrUnknown
//
// # Layouts
//
// The control row says which layout the tables have, and which is the least that a
// build must know to use them. A build brings them forward from the first layout that
// was released, one step after the other, when it first finds them; see layout.go.
// To change a table, an encoding or only what something stored means: add a step, and
// let it fence if a build of before would do harm. Then
//
//   - a build that is too old does not open, and says which one to run;
//   - one that is running commits nothing, offers nothing and decides nothing any
//     more: to it the database is away, so legacy goes on as far as it has pledged;
//   - without the fence both use the tables side by side, as during a rolling update.
//
// # Poolers
//
// Connect directly or through a pooler in session mode, such as pgbouncer with its
// defaults; one that shares sessions is refused. Each Store takes up to Committers + 6
// sessions.
package postgres

import (
	"context"
	crypto "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/rollout"
)

// What the methods of a Store fail with, besides what a change fails with.
// Unless the error wraps ErrUnknown, nothing was stored.
var (
	// ErrUnknown: the change may or may not have been stored, or may be yet.
	// Update the document again to find out; merely reading it proves nothing.
	ErrUnknown = rollout.ErrOutcomeUnknown
	// ErrAway: the database cannot be used now.
	ErrAway = rollout.ErrStoreAway
	// ErrMigration: the database belongs to a migration with another salt.
	ErrMigration = errors.New("the claims database belongs to another migration")
	// ErrContended: others kept changing the document at the same time.
	ErrContended = errors.New("too many gateways are changing this document at once")
	// ErrClosed: the Store was closed.
	ErrClosed = errors.New("the claims database is closed")
)

// Store is one gateway's connection to the database. Its methods may be called
// concurrently.
type Store struct {
	cfg     Config
	pool    *pgxpool.Pool
	self    string // tells this Store's notifications from others'
	ready   readiness
	lanes   []*lane
	changes chan struct{}
	pledges atomic.Int64 // counts them
	frozen  func()       // nil but in tests: called between a read and its commit

	stop    context.Context // ends when Close begins
	halt    context.CancelFunc
	running sync.WaitGroup
}

// Open connects to the database and creates what is missing in it. It fails if
// the configuration is wrong, the database refuses it, or the database belongs
// to another migration that has open claims (ErrMigration). If the database is
// merely away, it returns a Store that fails with ErrAway and keeps trying.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	pool, err := cfg.pool(ctx)
	if err != nil {
		return nil, fmt.Errorf("claims database: %w", err)
	}
	s := &Store{cfg: cfg, pool: pool, self: crypto.Text(), changes: make(chan struct{}, 1), ready: newReadiness()}
	s.stop, s.halt = context.WithCancel(context.Background())
	err = s.prepare(ctx)
	if final(err) || ctx.Err() != nil {
		s.halt()
		pool.Close()
		return nil, fmt.Errorf("claims database: %w", errors.Join(err, ctx.Err()))
	}
	s.ready.set(err)
	s.running.Go(s.keepReady)
	for range cfg.Committers {
		l := &lane{store: s, in: make(chan *ticket), slot: rand.N[int16](slots)}
		s.lanes = append(s.lanes, l)
		s.running.Go(l.run)
	}
	s.running.Go(s.listen)
	s.running.Go(s.keepForgetting)
	return s, nil
}

// Close lets the batches under way end and closes the connections. Updates that
// wait fail with ErrClosed.
func (s *Store) Close() error {
	s.halt()
	s.running.Wait()
	s.pool.Close()
	return nil
}

// bounded returns a context for one short exchange with the database.
func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 2*s.cfg.Timeout)
}
