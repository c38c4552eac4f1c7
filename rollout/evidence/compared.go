package evidence

import (
	"context"
	"encoding/json"
	"strings"
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
	shadow := answerOf(e.Shadow)
	found, again := exchanged(k.config.Comparer, e)
	k.config.Observer.ShadowCompared(e.Route, found.Class)
	if found.Class == compare.ClassError {
		k.config.Log.Error("the comparer failed", zap.String("route", e.Route), zap.String("doc_id", e.DocID), zap.Error(found.Err))
	}
	wanted := k.count(e, found, again)
	if found.Class == compare.ClassMismatch || found.Class == compare.ClassValidity {
		k.disagree(e, shadow, found, wanted)
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
	return (found.Class == compare.ClassMismatch || found.Class == compare.ClassValidity) && k.wanted(e.Route, found)
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
	if run.State == rollout.RunFailed {
		return rollout.Answer{Status: run.Failure.Status}
	}
	return run.Answer
}

// Bounds of what is sampled of mismatches that are alike, by one gateway.
const (
	perSignature  = 10
	maxSignatures = 1000
)

// wanted reports whether there are few samples yet of mismatches in these fields.
// k.mu must be held.
func (k *Keeper) wanted(route string, found compare.Comparison) bool {
	signature := route + "\x00" + strings.Join(found.Patterns, "\x00")
	if _, known := k.sampled[signature]; !known && len(k.sampled) >= maxSignatures {
		return false
	}
	k.sampled[signature]++
	return k.sampled[signature] <= perSignature
}

// Sample is a comparison that differs, as it is kept.
type Sample struct {
	Route string    `json:"route"`
	DocID string    `json:"doc_id"`
	ID    string    `json:"workflow_id"`
	At    time.Time `json:"at"`
	// Build is that of the worker, where it is known.
	Build       string               `json:"build,omitempty"`
	Class       compare.Class        `json:"class"`
	Differences []compare.Difference `json:"differences"`
	Total       uint64               `json:"differences_total"`
	Primary     Side                 `json:"primary"`
	Shadow      Side                 `json:"shadow"`
}

// Side is one of the answers of a sample.
type Side struct {
	Status int           `json:"status"`
	Took   time.Duration `json:"took_ns"`
	// Body is JSON, or a JSON string of what is not; cut, and without the fields
	// that are redacted.
	Body json.RawMessage `json:"body,omitempty"`
}

// sampleTimeout bounds the keeping of one sample.
const sampleTimeout = 5 * time.Second

// maxLogged is how many differences of one comparison are logged.
const maxLogged = 20

// disagree logs a comparison that differs, once, and keeps it if that is wanted.
func (k *Keeper) disagree(e *rollout.Exchange, shadow rollout.Answer, found compare.Comparison, wanted bool) {
	differences := k.redactDifferences(found.Differences)
	k.config.Log.Warn("the paths disagree", zap.String("route", e.Route), zap.String("doc_id", e.DocID), zap.String("workflow_id", e.ID),
		zap.Stringer("class", found.Class), zap.Int("legacy", e.Primary.Status), zap.Int("temporal", shadow.Status), zap.Uint64("total", found.Total),
		zap.Any("differences", differences[:min(maxLogged, len(differences))]))
	if wanted {
		k.sample(e, shadow, found, differences)
	}
}

// sample keeps a comparison that differs.
func (k *Keeper) sample(e *rollout.Exchange, shadow rollout.Answer, found compare.Comparison, differences []compare.Difference) {
	s := Sample{
		Route: e.Route, DocID: e.DocID, ID: e.ID, At: e.At.UTC(), Build: e.Shadow.BuildID, Class: found.Class, Total: found.Total,
		Differences: differences,
		Primary:     Side{e.Primary.Status, e.PrimaryTook, k.redactBody(e.Primary.Body)},
		Shadow:      Side{shadow.Status, e.ShadowTook, k.redactBody(shadow.Body)},
	}
	text, err := json.Marshal(s)
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), sampleTimeout)
		defer cancel()
		err = k.config.Album.KeepSample(ctx, subjectSamples, text, k.config.Keep)
	}
	if err != nil {
		k.config.Log.Warn("a sample could not be kept", zap.String("doc_id", e.DocID), zap.Error(err))
	}
}
