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

// ErrRefused says that an act is not one for the state in which the plan is: nothing
// was done.
var ErrRefused = errors.New("refused")

// Steering is the control loop, as operators act on it.
type Steering interface {
	// Steer returns once the act is in force. It fails with an error that wraps
	// ErrRefused and has done nothing; after any other error nobody knows.
	Steer(ctx context.Context, act PlanAct) error
	// Confirm returns once the harm is counted. It fails as Steer does.
	Confirm(ctx context.Context, harm Harm) error
}

// Steered is the answer to an act on the plan, and to a confirmed harm.
type Steered struct {
	// Audit is the number of its entry in the audit.
	Audit uint64 `json:"audit"`
}

// now is the time of an act.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// onRecord does what is on record, and answers. Once that has begun, the caller's
// leaving does not stop it: it would be on record, and not be done.
func (a *api) onRecord(w http.ResponseWriter, r *http.Request, act rollout.Act, do func(ctx context.Context) error) {
	ctx := context.WithoutCancel(r.Context())
	entry, err := a.Audit.Append(ctx, act)
	if err != nil {
		a.unrecorded(w, err)
		return
	}
	if err := do(ctx); err != nil {
		a.unsteered(ctx, w, act, entry, err)
		return
	}
	a.Log.Warn("the plan was steered by hand", zap.Uint64("audit", entry.Seq), zap.Any("act", act))
	writeJSON(w, Steered{Audit: entry.Seq})
}

// unsteered puts on record, and answers, that what the entry says was not done.
func (a *api) unsteered(ctx context.Context, w http.ResponseWriter, act rollout.Act, entry rollout.Entry, failed error) {
	act.Action, act.Reason = act.Action+"-failed", failed.Error()
	act.Subject["entry"] = strconv.FormatUint(entry.Seq, 10)
	a.Log.Warn("the plan could not be steered by hand", zap.Any("act", act))
	if _, err := a.Audit.Append(ctx, act); err != nil {
		a.Log.Error("the audit says that the plan was steered, and it was not", zap.Any("act", act), zap.Error(err))
	}
	if errors.Is(failed, ErrRefused) {
		writeProblem(w, problem{Slug: "plan-refused", Status: http.StatusConflict, Detail: failed.Error()})
		return
	}
	writeProblem(w, problem{Slug: "store", Status: http.StatusServiceUnavailable,
		Detail: "nobody knows whether that was done; look at the plan, and repeat it if need be: " + failed.Error()})
}
