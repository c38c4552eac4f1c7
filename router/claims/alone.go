package claims

import (
	"time"

	"sluice/rollout"
)

// Own is a store that no other gateway uses: what is agreed on there, one gateway
// agrees on with itself.
type Own interface {
	// Mark returns the highest exposure that ever was in force.
	Mark() rollout.Exposure
	// Raise makes a higher one durable, and then lets it come into force. If it fails
	// the mark is what it was.
	Raise(to rollout.Exposure) error
}

// Agree is a pledge and its accord with a store of one's own, for the exposure that
// this gateway seeks. What has no claim yet is at or above the mark, and keeps the
// mark where it is: that of a process that died too, whose list outlived it. So the
// floor is the mark, from the first moment on, and no time limits it but that Agree
// must go on being called.
//
// It fails with Raise's error, and then the exposure stays below the mark.
func (a *Away) Agree(seeks rollout.Exposure, store Own) (err error) {
	asked := time.Now()
	if pledge := a.Pledge(seeks, seeks); pledge.For <= 0 {
		return nil // it is leaving
	}
	if a.offers() && seeks > store.Mark() {
		err = store.Raise(seeks)
	}
	a.Agreed(asked, rollout.Accord{Floor: store.Mark()})
	return err
}

// offers reports whether nothing was without a claim when the last pledge was made:
// whatever passed since then is at or above what it pledged.
func (a *Away) offers() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.offered
}
