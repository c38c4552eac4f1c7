// Package evidence keeps what the mirror finds: how often the two paths agree, where
// they differ, and what became of every shadow run. Each gateway writes its share
// down as a note, and the sum of all notes is the evidence.
//
//	Begin ─▶ running, Noted ─┬─ Compared ─▶ counted, noted ─▶ not running, noted
//	                         └─ Dropped  ─▶ counted, noted ─▶ not running, noted
//	gateway died ─▶ another inherits: its share, and what ran is dropped: restart
//
// Invariants:
//   - A shadow run is in its gateway's note before it is started, and leaves it only
//     after what came of it is in the other note. So a gateway that dies at any time
//     loses no run: what it had counted counts, what ran is listed.
//   - A share is inherited once: the store replaces and removes in one step.
//   - Memory and notes are bounded, whatever is mirrored.
package evidence

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/compare"
)

// The subjects of the notes and of the samples.
const (
	subject        = "shadow"
	subjectRunning = "shadow-running"
	subjectSamples = "shadow-samples"
)

// Notes is where gateways put down their shares.
type Notes interface {
	// PutNote replaces the owner's note about the subject, durably.
	PutNote(ctx context.Context, subject, owner string, body []byte) error
	// Notes returns everybody's notes; Orphan says that the owner is gone.
	Notes(ctx context.Context, subject, self string) ([]rollout.Note, error)
	// Inherit replaces the owner's note by body and removes the orphan, unless that
	// is not as it was read.
	Inherit(ctx context.Context, subject string, orphan rollout.Note, owner string, body []byte) (bool, error)
}

// Album is where samples are kept.
type Album interface {
	// KeepSample adds a sample, and drops the oldest beyond keep.
	KeepSample(ctx context.Context, subject string, body []byte, keep rollout.Keep) error
	// Samples returns the newest samples, the newest first.
	Samples(ctx context.Context, subject string, limit int) ([][]byte, error)
}

// Observer counts what is found. Its methods neither block nor fail.
type Observer interface {
	// ShadowCompared counts a comparison.
	ShadowCompared(route string, class compare.Class)
	// ShadowDropped counts a sampled document that is not compared.
	ShadowDropped(route string, reason rollout.DropReason)
}

// Config configures a Keeper. All fields are needed.
type Config struct {
	By
	Notes Notes
	Album Album
	Owner string
	// Marks are fields that an operator calls noise.
	Marks []compare.Pattern
	// Keep bounds the samples of all gateways together.
	Keep     rollout.Keep
	Observer Observer
	Log      *zap.Logger
}

// Keeper keeps one gateway's share. It is safe for concurrent use.
type Keeper struct {
	config Config
	wake   chan struct{} // holds one wake-up

	begun  bool    // owned by Run; the share is in the store
	over   int     // owned by Run; so many of those that ended are in it
	unsure *estate // owned by Run; an inheritance of which nobody knows whether it was stored

	mu      sync.Mutex
	page    *page          // guarded by mu
	news    bool           // guarded by mu; the share in the store is older than page
	running map[string]run // guarded by mu; what is, or is to be, in the note of what runs
	told    []string       // guarded by mu; what the share in the store says is over, and that note has not any more
	anew    bool           // guarded by mu; one of told was begun again
	noted   chan struct{}  // guarded by mu; closed when the next note of what runs is down
	failed  error          // guarded by mu; how the last one went
	sampled map[string]int // guarded by mu; samples kept, by signature
}

// ErrNotNoted says that a run could not be put on record.
var ErrNotNoted = errors.New("the shadow run could not be put on record")

// New returns a keeper whose share is empty. Run writes it down.
func New(config Config) *Keeper {
	return &Keeper{
		config: config, wake: make(chan struct{}, 1), page: newPage(), running: map[string]run{},
		noted: make(chan struct{}), sampled: map[string]int{},
	}
}

// Begin takes a shadow run down that is to be started; Noted waits until it is on
// record. It fails with rollout.ErrDuplicate if the same run is.
func (k *Keeper) Begin(route, id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, twice := k.running[id]; twice {
		return rollout.ErrDuplicate
	}
	k.running[id] = run{Route: route, Since: time.Now().UTC()}
	k.anew = k.anew || slices.Contains(k.told, id)
	return nil
}

// Noted waits for the store, together with others, until all that was begun is on
// record. It fails with ErrNotNoted.
func (k *Keeper) Noted(ctx context.Context) error {
	k.mu.Lock()
	noted := k.noted
	k.mu.Unlock()
	k.nudge()
	select {
	case <-noted:
	case <-ctx.Done():
		return errors.Join(ErrNotNoted, ctx.Err())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed != nil {
		return errors.Join(ErrNotNoted, k.failed)
	}
	return nil
}

func (k *Keeper) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Dropped counts a sampled document that is not compared. id is that of a run that
// was begun, or empty.
func (k *Keeper) Dropped(route, id string, reason rollout.DropReason) {
	k.config.Observer.ShadowDropped(route, reason)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.page.drop(route, id, reason, time.Now().UTC())
	k.ended(id)
}

// ended notes that a run is over. k.mu must be held.
func (k *Keeper) ended(id string) {
	k.news = true
	if _, begun := k.running[id]; begun {
		k.page.Ended = append(k.page.Ended, id)
	}
}
