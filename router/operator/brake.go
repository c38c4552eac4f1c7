package operator

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// The actions on the brake that this package puts on record.
const (
	ActionBrake         = "brake"
	ActionBrakeFailed   = "brake-failed"
	ActionRelease       = "brake-release"
	ActionReleaseFailed = "brake-release-failed"
)

// Brake is the ceiling that safety permits.
type Brake interface {
	// Lower brings it into force on this gateway before anything else. It fails with
	// rollout.ErrBrakeLower, and has done nothing, or with rollout.ErrBrakeHere: it is
	// not yet everywhere, and that is seen to.
	Lower(ctx context.Context, brake rollout.Brake) error
	// Release lifts it. If it fails nobody knows whether that was done.
	Release(ctx context.Context, brake rollout.Brake) error
}

// BrakeChange is an operator's act on the brake.
type BrakeChange struct {
	// Ceiling is in percent, 0..100; a release has none.
	Ceiling *float64 `json:"ceiling,omitempty"`
	// Reason is for the record.
	Reason string `json:"reason"`
}

// Braked is the answer to such an act.
type Braked struct {
	Ceiling float64 `json:"ceiling"`
	// Audit is the number of its entry in the audit; 0 if it could not be put there.
	Audit uint64 `json:"audit"`
	// Pending says why it is not yet in force on all gateways.
	Pending string `json:"pending,omitempty"`
}

// recordFirst is how long a lowering waits for its record.
const recordFirst = 300 * time.Millisecond

// lower lowers the brake. It is on record first if the record is there; if it is
// not, the way back is still open.
func (a *api) lower(w http.ResponseWriter, r *http.Request) {
	brake, ok := decodeBrake(w, r, true)
	if !ok {
		return
	}
	ctx := context.WithoutCancel(r.Context())
	act := actOn(ActionBrake, brake)
	first, cancel := context.WithTimeout(ctx, recordFirst)
	entry, unrecorded := a.Audit.Append(first, act)
	cancel()
	err := a.Brake.Lower(ctx, brake)
	if unrecorded != nil {
		if entry, unrecorded = a.Audit.Append(ctx, act); unrecorded != nil {
			a.Log.Error("the brake was used, and that cannot be put on record", zap.Any("act", act), zap.Error(unrecorded))
		}
	}
	braked := Braked{Ceiling: brake.Exposure.Percent(), Audit: entry.Seq}
	status := http.StatusOK
	switch {
	case errors.Is(err, rollout.ErrBrakeHere):
		status, braked.Pending = http.StatusAccepted, err.Error()
	case err != nil:
		a.unbraked(ctx, w, act, entry, err)
		return
	}
	a.Log.Warn("the brake was set by hand", zap.Uint64("audit", entry.Seq), zap.Any("act", act), zap.NamedError("pending", err))
	write(w, status, "application/json", braked)
}

// release lifts the brake, if that can be put on record.
func (a *api) release(w http.ResponseWriter, r *http.Request) {
	brake, ok := decodeBrake(w, r, false)
	if !ok {
		return
	}
	ctx := context.WithoutCancel(r.Context())
	act := actOn(ActionRelease, brake)
	entry, err := a.Audit.Append(ctx, act)
	if err != nil {
		a.unrecorded(w, err)
		return
	}
	if err := a.Brake.Release(ctx, brake); err != nil {
		a.unbraked(ctx, w, act, entry, err)
		return
	}
	a.Log.Warn("the brake was released by hand", zap.Uint64("audit", entry.Seq), zap.Any("act", act))
	writeJSON(w, Braked{Ceiling: brake.Exposure.Percent(), Audit: entry.Seq})
}

// unbraked puts on record, and answers, that what the entry says was not done.
func (a *api) unbraked(ctx context.Context, w http.ResponseWriter, act rollout.Act, entry rollout.Entry, failed error) {
	act.Action, act.Reason = act.Action+"-failed", failed.Error()
	act.Subject["entry"] = strconv.FormatUint(entry.Seq, 10)
	a.Log.Warn("the brake could not be changed by hand", zap.Any("act", act))
	if _, err := a.Audit.Append(ctx, act); err != nil {
		a.Log.Error("the audit says that the brake was changed, and it was not", zap.Any("act", act), zap.Error(err))
	}
	if errors.Is(failed, rollout.ErrBrakeLower) {
		writeProblem(w, problem{Slug: "brake-lower", Status: http.StatusConflict,
			Detail: "the brake is set lower than that, and only its release raises it"})
		return
	}
	writeProblem(w, problem{Slug: "store", Status: http.StatusServiceUnavailable,
		Detail: "nobody knows whether that was done; look at the rollout's status, and repeat it: " + failed.Error()})
}

func actOn(action string, b rollout.Brake) rollout.Act {
	return rollout.Act{Actor: b.Actor, Action: action, Reason: b.Reason, Subject: map[string]string{
		"ceiling": strconv.FormatFloat(b.Exposure.Percent(), 'f', -1, 64),
	}}
}

// decodeBrake reads an act strictly, or answers what is wrong with it. Only a
// lowering has a ceiling.
func decodeBrake(w http.ResponseWriter, r *http.Request, lowering bool) (rollout.Brake, bool) {
	var c BrakeChange
	if !readBody(w, r, "an act on the brake", &c) {
		return rollout.Brake{}, false
	}
	brake := rollout.Brake{Exposure: rollout.All, Actor: actor(r), Reason: c.Reason, At: now()}
	err := checkReason(c.Reason)
	switch {
	case err != nil:
	case !lowering && c.Ceiling != nil:
		err = errors.New("a release has no ceiling")
	case lowering && c.Ceiling == nil:
		err = errors.New("ceiling is missing, in percent")
	case lowering:
		if brake.Exposure, err = rollout.ParsePercent(*c.Ceiling); err == nil && brake.Exposure == rollout.All {
			err = errors.New("ceiling: 100 is no brake; a release lifts it")
		}
	}
	if err != nil {
		refuse(w, err)
		return rollout.Brake{}, false
	}
	return brake, true
}
