package flags

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"sluice/rollout"
)

// closeLimit bounds Close, whatever provider and disk do.
const closeLimit = 2 * time.Second

// Reader follows the flags and publishes the policy that they make. Its methods
// are safe for concurrent use.
type Reader struct {
	cfg       Config
	provider  string
	evaluator *evaluator               // owned by New, then by loop
	keeper    *keeper                  // owned by New, then by loop, then by Close
	current   atomic.Pointer[snapshot] // stored by the evaluator's owner only
	wake      chan struct{}            // holds one wake-up, that one is enough
	cancel    context.CancelFunc       // ends loop
	looped    chan struct{}            // closed when loop has ended
	close     func() error
}

// New starts a reader. Before it returns it waits for the provider and reads
// the flags once, within Config's deadlines and no longer than ctx lasts; a
// source that is down is logged, not an error. ctx does not end the reader,
// Close does. It fails if the configuration is wrong, or if the provider serves
// another API already.
func New(ctx context.Context, cfg Config) (*Reader, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &Reader{
		cfg:      cfg,
		provider: cfg.Provider.Metadata().Name,
		wake:     make(chan struct{}, 1),
		cancel:   cancel,
		looped:   make(chan struct{}),
	}
	r.close = sync.OnceValue(r.end)
	evaluator, ready, err := newEvaluator(life, cfg.Provider, cfg.Deadline, r.wakeUp)
	if err != nil {
		cancel()
		return nil, err
	}
	r.evaluator = evaluator
	r.keeper = newKeeper(cfg.StateFile, cfg.Log)
	r.current.Store(begin(cfg.StateFile, cfg.Boot, cfg.Log, time.Now()))
	r.keep()
	r.await(ctx, ready)
	r.read(ctx)
	go r.loop(life)
	return r, nil
}

// Policy returns what is in force, never nil. The flags are its only ceiling.
func (r *Reader) Policy() *rollout.Policy { return r.current.Load().policy }

// Close ends the reader and shuts its provider down. It returns within about
// two seconds; the error names what had not ended by then. The last policy
// stays readable.
func (r *Reader) Close() error { return r.close() }

// loop reads whenever an event wakes it, and on every tick.
func (r *Reader) loop(life context.Context) {
	defer close(r.looped)
	ticks := time.NewTicker(r.cfg.Poll)
	defer ticks.Stop()
	for {
		select {
		case <-life.Done():
			return
		case <-ticks.C:
		case <-r.wake:
		}
		r.read(life)
	}
}

// read evaluates the flags and publishes what follows. A reading that ctx cut
// short says nothing about the source and is dropped.
func (r *Reader) read(ctx context.Context) {
	answers := r.evaluator.read(ctx)
	if ctx.Err() != nil {
		return
	}
	now, before := time.Now(), r.current.Load()
	after := before.after(answers, now)
	r.current.Store(after)
	if after.policy != before.policy {
		r.keep()
	}
	for f, rejected := range answers.rejects {
		if rejected != nil {
			r.cfg.Observer.FlagRejected(keys[f], string(rejected.reason))
		}
	}
	journal(r.cfg.Log, before, after, now)
}

func (r *Reader) keep() {
	s := r.current.Load()
	r.keeper.keep(state{Version: stateVersion, Epoch: s.policy.Epoch, InForce: s.inForce})
}

func (r *Reader) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// await gives the provider time to initialise. A slow one is found out by the
// reading that follows.
func (r *Reader) await(ctx context.Context, ready <-chan struct{}) {
	patience := time.NewTimer(r.cfg.Deadline)
	defer patience.Stop()
	select {
	case <-ready:
	case <-patience.C:
	case <-ctx.Done():
	}
}

func (r *Reader) end() error {
	limit, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	r.cancel()
	<-r.looped // every step of it is bounded
	kept := r.keeper.close()
	down := make(chan error, 1)
	go func() { down <- r.evaluator.api.Shutdown(limit) }()
	select {
	case <-kept:
	case <-limit.Done():
		return fmt.Errorf("closing the flag reader: writing %s has not ended", r.cfg.StateFile)
	}
	select {
	case err := <-down:
		return err
	case <-limit.Done():
		return fmt.Errorf("closing the flag reader: the provider %s has not shut down", r.provider)
	}
}
