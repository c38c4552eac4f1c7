package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"go.uber.org/zap"
)

const (
	// shareInterval is how often a share is written.
	shareInterval = time.Second
	// noteSoonest is the time between two notes of what runs, so that many runs
	// share one.
	noteSoonest = 20 * time.Millisecond
	noteTimeout = 5 * time.Second
	// inheritInterval is how often is looked for gateways that are gone, and how long a
	// run that is counted stays in the note of what runs.
	inheritInterval = 5 * time.Second
)

// Run writes notes until ctx ends, and a last time then.
func (k *Keeper) Run(ctx context.Context) error {
	share, inherit := time.NewTicker(shareInterval), time.NewTicker(inheritInterval)
	defer share.Stop()
	defer inherit.Stop()
	k.tell(ctx, k.noteShare(ctx))
	k.inheritAll(ctx)
	for {
		select {
		case <-ctx.Done():
			return errors.Join(k.noteShare(context.WithoutCancel(ctx)), k.noteOver(context.WithoutCancel(ctx)))
		case <-inherit.C:
			k.inheritAll(ctx)
			k.tell(ctx, k.noteOver(ctx))
		case <-share.C:
			k.tell(ctx, k.noteShare(ctx))
		case <-k.wake:
			k.tell(ctx, k.noteBegun(ctx))
			time.Sleep(noteSoonest)
		}
	}
}

func (k *Keeper) tell(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		k.config.Log.Warn("what the mirror does cannot be put down now", zap.Error(err))
	}
}

// noteBegun writes what runs. A gateway's share is there before that, so that who
// inherits finds both, and does not say any more that such a run is over.
func (k *Keeper) noteBegun(ctx context.Context) error {
	k.mu.Lock()
	anew := k.anew
	k.news = k.news || anew
	k.mu.Unlock()
	if anew || !k.begun {
		if err := k.noteShare(ctx); err != nil {
			return err
		}
	}
	return k.noteRunning(ctx)
}

// noteOver writes what runs if some of what the note has does not any more.
func (k *Keeper) noteOver(ctx context.Context) error {
	if k.over == 0 {
		return nil
	}
	return k.noteRunning(ctx)
}

// noteShare writes what was counted, if it is news. The runs that are over leave the
// other note when that is written next.
func (k *Keeper) noteShare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	if err := k.makeSure(ctx); err != nil {
		k.refuse(err)
		return err
	}
	k.mu.Lock()
	if k.begun && !k.news {
		k.mu.Unlock()
		return nil
	}
	k.news = false
	share, err := json.Marshal(k.page)
	ended := len(k.page.Ended)
	k.mu.Unlock()
	if err == nil {
		err = k.config.Notes.PutNote(ctx, subject, k.config.Owner, share)
	}
	if err != nil {
		k.refuse(err)
		return err
	}
	k.begun, k.over = true, ended
	k.mu.Lock()
	k.told, k.anew = nil, false
	k.mu.Unlock()
	return nil
}

// refuse tells those who wait that their runs are not on record.
func (k *Keeper) refuse(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failed, k.news = err, true
	close(k.noted)
	k.noted = make(chan struct{})
}

// noteRunning writes what runs, and what has ended and is not in a share yet. Those who
// wait learn how it went.
func (k *Keeper) noteRunning(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	k.mu.Lock()
	if k.anew { // since it was looked for
		k.mu.Unlock()
		k.nudge()
		return nil
	}
	noted := k.noted
	k.noted = make(chan struct{})
	over := k.page.Ended[:k.over:k.over]
	still := maps.Clone(k.running)
	k.mu.Unlock()
	for _, id := range over {
		delete(still, id)
	}
	text, err := json.Marshal(still)
	if err == nil {
		err = k.config.Notes.PutNote(ctx, subjectRunning, k.config.Owner, text)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed = err; err == nil {
		for _, id := range over {
			delete(k.running, id)
		}
		k.page.Ended, k.over = append([]string(nil), k.page.Ended[len(over):]...), 0
		k.told = append(k.told, over...)
	}
	close(noted)
	return err
}
