package evidence

import (
	"context"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/compare"
)

// Compared compares the answers of a run that was begun, and counts what it finds.
func (k *Keeper) Compared(e *rollout.Exchange) {
	if e.Shadow.State == rollout.RunRunning {
		k.unfinished(e)
		return
	}
	found, again := exchanged(k.config.Comparer, e)
	k.config.Observer.ShadowCompared(e.Route, found.Class)
	if found.Class == compare.ClassError {
		k.config.Log.Error("the comparer failed", zap.String("route", e.Route), zap.String("doc_id", e.DocID), zap.Error(found.Err))
	}
	wanted := k.count(e, found, again)
	if differs(found) {
		k.disagree(e, found, wanted)
	}
}

// exchanged compares the answers, and those of the second run if there was one.
func exchanged(comparer *compare.Comparer, e *rollout.Exchange) (found compare.Comparison, again *compare.Comparison) {
	shadow := answerOf(e.Shadow)
	found = comparer.Compare(e.Primary, shadow)
	if e.Again != nil {
		c := comparer.Compare(shadow, answerOf(*e.Again))
		again = &c
	}
	return found, again
}

// count takes a comparison down. It reports whether a sample of it is wanted.
func (k *Keeper) count(e *rollout.Exchange, found compare.Comparison, again *compare.Comparison) (wanted bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.page.compared(e, found, again)
	k.ended(e.ID)
	return differs(found) && k.wanted(e.Route, found)
}

// unfinished lists a run that did not end while it was waited for.
func (k *Keeper) unfinished(e *rollout.Exchange) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.page.unfinished(e, time.Now().UTC())
	k.ended(e.ID)
}

// answerOf is what the client would have got of the run.
func answerOf(run rollout.Run) rollout.Answer {
	switch {
	case run.State != rollout.RunFailed:
		return run.Answer
	case run.Failure.Answer != nil:
		return *run.Failure.Answer
	}
	return rollout.Answer{Status: run.Failure.Status}
}

// Bounds of what is sampled of mismatches that are alike, by one gateway.
const (
	perSignature  = 10
	maxSignatures = 1000
)

// wanted reports whether there are few samples yet of mismatches in these fields.
// k.mu must be held.
func (k *Keeper) wanted(route string, found compare.Comparison) bool {
	alike := signature(route, found)
	if _, known := k.sampled[alike]; !known && len(k.sampled) >= maxSignatures {
		return false
	}
	k.sampled[alike]++
	return k.sampled[alike] <= perSignature
}

// sampleTimeout bounds the keeping of one sample.
const sampleTimeout = 5 * time.Second

// maxLogged is how many differences of one comparison are logged.
const maxLogged = 20

// disagree logs a comparison that differs, once, and keeps it if that is wanted.
func (k *Keeper) disagree(e *rollout.Exchange, found compare.Comparison, wanted bool) {
	differences := redaction(k.config.Redact).differences(found.Differences[:min(maxLogged, len(found.Differences))])
	k.config.Log.Warn("the paths disagree", zap.String("route", e.Route), zap.String("doc_id", e.DocID), zap.String("workflow_id", e.ID),
		zap.Stringer("class", found.Class), zap.Int("legacy", e.Primary.Status), zap.Int("temporal", answerOf(e.Shadow).Status),
		zap.Uint64("total", found.Total), zap.Any("differences", differences))
	if wanted {
		k.sample(e, found)
	}
}

// sample keeps a comparison that differs.
func (k *Keeper) sample(e *rollout.Exchange, found compare.Comparison) {
	ctx, cancel := context.WithTimeout(context.Background(), sampleTimeout)
	defer cancel()
	text, err := k.config.sample(ctx, e, found, maxSampleBody, len(found.Differences))
	if err == nil {
		err = k.config.Album.KeepSample(ctx, subjectSamples, text, k.config.Keep)
	}
	if err != nil {
		k.config.Log.Warn("a sample could not be kept", zap.String("doc_id", e.DocID), zap.Error(err))
	}
}
