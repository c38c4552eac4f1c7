package evidence

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// estate is what a gateway left that is gone.
type estate struct {
	owner string
	share *page
	ran   map[string]run
}

// inheritAll takes over what gateways left that are gone.
func (k *Keeper) inheritAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	shares, running, err := k.notes(ctx)
	taken := takenOver(shares)
	for _, orphan := range shares {
		if err == nil && orphan.Orphan {
			if err = k.makeSure(ctx); err == nil {
				err = k.inherit(ctx, orphan, running, taken[orphan.Owner])
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		k.config.Log.Warn("what other gateways have mirrored cannot be taken over now", zap.Error(err))
	}
}

// takenOver returns the gateways whose share is in another's already, and stands
// there still because a store with two steps was cut off between them.
func takenOver(shares []rollout.Note) map[string]bool {
	taken := map[string]bool{}
	for _, n := range shares {
		if p, err := parsePage(n.Body); err == nil {
			for _, heir := range p.Heirs {
				taken[heir] = true
			}
		}
	}
	return taken
}

func (k *Keeper) notes(ctx context.Context) (shares, running []rollout.Note, err error) {
	if shares, err = k.config.Notes.Notes(ctx, subject, k.config.Owner); err == nil {
		running, err = k.config.Notes.Notes(ctx, subjectRunning, k.config.Owner)
	}
	return shares, running, err
}

// inherit takes one over. It is stored first; if nobody knows whether it was,
// nothing else is written before that is known.
func (k *Keeper) inherit(ctx context.Context, orphan rollout.Note, running []rollout.Note, taken bool) error {
	left, err := k.estateOf(orphan, running)
	if err != nil {
		return err
	}
	if taken {
		left.share, left.ran = newPage(), nil
	}
	k.mu.Lock()
	grown, err := k.page.clone()
	k.mu.Unlock()
	if err != nil {
		return err
	}
	grown.inherit(left, time.Now().UTC())
	text, err := json.Marshal(grown)
	if err != nil {
		return err
	}
	k.unsure = left
	done, err := k.config.Notes.Inherit(ctx, subject, orphan, k.config.Owner, text)
	if err != nil {
		return err
	}
	k.unsure = nil
	if done {
		k.grow(left)
		return k.config.Notes.PutNote(ctx, subjectRunning, left.owner, []byte("{}"))
	}
	return nil
}

// grow adds to the share what is in its note by now.
func (k *Keeper) grow(left *estate) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.page.inherit(left, time.Now().UTC())
	k.news = true
	k.config.Log.Info("took over what another gateway had mirrored", zap.String("gateway", left.owner), zap.Int("cut_off", len(left.ran)))
}

// makeSure finds out whether an inheritance was stored that ended in an error.
func (k *Keeper) makeSure(ctx context.Context) error {
	if k.unsure == nil {
		return nil
	}
	shares, err := k.config.Notes.Notes(ctx, subject, k.config.Owner)
	if err != nil {
		return err
	}
	for _, note := range shares {
		if note.Owner != k.config.Owner {
			continue
		}
		mine, err := parsePage(note.Body)
		if err != nil {
			return err
		}
		if slices.Contains(mine.Heirs, k.unsure.owner) {
			k.grow(k.unsure)
		}
	}
	k.unsure = nil
	return nil
}

// estateOf reads what a gateway left.
func (k *Keeper) estateOf(orphan rollout.Note, running []rollout.Note) (*estate, error) {
	left := &estate{owner: orphan.Owner, ran: map[string]run{}}
	var err error
	if left.share, err = parsePage(orphan.Body); err != nil {
		k.config.Log.Error("what a gateway has mirrored cannot be read and is left out", zap.String("gateway", orphan.Owner), zap.Error(err))
		left.share = newPage()
	}
	for _, n := range running {
		if n.Owner == orphan.Owner {
			return left, json.Unmarshal(n.Body, &left.ran)
		}
	}
	return left, nil
}
