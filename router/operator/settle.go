package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"go.uber.org/zap"

	"sluice/rollout"
)

// The actions that this package puts on record.
const (
	ActionSettle       = "claim-settle"
	ActionSettleFailed = "claim-settle-failed"
)

// maxReason bounds an operator's reason, in bytes.
const maxReason = 2000

// SettleStates lists the states that a claim can be forced into.
func SettleStates() []rollout.ClaimState {
	return []rollout.ClaimState{rollout.ClaimDone, rollout.ClaimFailed, rollout.ClaimVoid, rollout.ClaimLost}
}

// Settlement is an operator's word on how one open life ended.
type Settlement struct {
	DocID  string         `json:"doc_id"`
	Intent rollout.Intent `json:"intent"`
	Life   uint64         `json:"life"`
	// State is one of SettleStates.
	State string `json:"state"`
	// Reason is for the record.
	Reason string `json:"reason"`
}

// Settled is the answer to a settlement.
type Settled struct {
	Settlement
	// Audit is the number of its entry in the audit.
	Audit uint64 `json:"audit"`
}

// check returns the state, or what is wrong with the settlement.
func (s *Settlement) check() (rollout.ClaimState, error) {
	if err := rollout.CheckIdentity(s.DocID); err != nil {
		return 0, err
	}
	switch {
	case s.Intent == "":
		return 0, errors.New("intent is missing")
	case s.Life == 0:
		return 0, errors.New("life is missing")
	case strings.TrimSpace(s.Reason) == "":
		return 0, errors.New("reason is missing: it goes on record")
	case len(s.Reason) > maxReason:
		return 0, fmt.Errorf("reason is longer than %d bytes", maxReason)
	}
	var words []string
	for _, state := range SettleStates() {
		if s.State == state.String() {
			return state, nil
		}
		words = append(words, state.String())
	}
	return 0, fmt.Errorf("state: %q is not one of %s", s.State, strings.Join(words, ", "))
}

// settle forces one claim. Once it has begun, the caller's leaving does not stop
// it: it would be on record, and not be done.
func (a *api) settle(w http.ResponseWriter, r *http.Request) {
	var s Settlement
	state, err := decode(r, &s)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		writeProblem(w, problem{Slug: "too-large", Status: http.StatusRequestEntityTooLarge,
			Detail: fmt.Sprintf("a settlement has at most %d bytes", tooLarge.Limit)})
		return
	}
	if err != nil {
		refuse(w, err)
		return
	}
	ctx := context.WithoutCancel(r.Context())
	act := rollout.Act{
		Actor: actor(r), Action: ActionSettle, Reason: s.Reason,
		Subject: map[string]string{
			"doc_id": s.DocID, "intent": string(s.Intent), "life": strconv.FormatUint(s.Life, 10), "state": s.State,
		},
	}
	entry, err := a.Audit.Append(ctx, act)
	if err != nil {
		a.unrecorded(w, err)
		return
	}
	if err := a.Claims.Force(ctx, s.DocID, s.Intent, s.Life, state); err != nil {
		a.unforced(ctx, w, entry, err)
		return
	}
	a.Log.Info("a claim was settled by hand", zap.Uint64("audit", entry.Seq), zap.String("actor", act.Actor),
		zap.Any("subject", act.Subject), zap.String("reason", act.Reason))
	writeJSON(w, Settled{Settlement: s, Audit: entry.Seq})
}

// decode reads a settlement strictly.
func decode(r *http.Request, s *Settlement) (rollout.ClaimState, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(body, s, json.RejectUnknownMembers(true)); err != nil {
		return 0, fmt.Errorf("the body: %w", err)
	}
	return s.check()
}

// unrecorded answers when nothing was done, because it cannot be put on record.
func (a *api) unrecorded(w http.ResponseWriter, err error) {
	a.Log.Error("the audit takes nothing, so nothing can be done by hand", zap.Error(err))
	writeProblem(w, problem{Slug: "audit", Status: http.StatusServiceUnavailable,
		Detail: "nothing was done, because it cannot be put on record: " + err.Error()})
}

// unforced puts on record, and answers, that what the entry says could not be
// done.
func (a *api) unforced(ctx context.Context, w http.ResponseWriter, entry rollout.Entry, failed error) {
	act := rollout.Act{Actor: entry.Actor, Action: ActionSettleFailed, Reason: failed.Error(), Subject: map[string]string{
		"entry": strconv.FormatUint(entry.Seq, 10),
	}}
	for name, value := range entry.Subject {
		act.Subject[name] = value
	}
	log := a.Log.With(zap.Uint64("audit", entry.Seq), zap.Any("subject", act.Subject))
	log.Warn("a claim could not be settled by hand", zap.Error(failed))
	if _, err := a.Audit.Append(ctx, act); err != nil {
		log.Error("the audit says that a claim was settled, and it was not", zap.Error(err))
	}
	if errors.Is(failed, rollout.ErrClaimGone) {
		writeProblem(w, problem{Slug: "claim-gone", Status: http.StatusConflict,
			Detail: "there is no such open claim: it was settled meanwhile, its life has ended, or it never was"})
		return
	}
	writeProblem(w, problem{Slug: "store", Status: http.StatusServiceUnavailable,
		Detail: "nobody knows whether the claim was settled; look at it again, and repeat this if it is still open: " + failed.Error()})
}
