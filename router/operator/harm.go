package operator

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"sluice/rollout"
)

// ActionHarm and ActionHarmFailed are on record for a confirmed harm.
const (
	ActionHarm       = "harm"
	ActionHarmFailed = "harm-failed"
)

// HarmKinds lists what a document can have suffered.
func HarmKinds() []string { return []string{"lost", "doubled", "corrupted"} }

// Harm is a human's word that a document was harmed. One is enough for a rollback.
type Harm struct {
	DocID string
	// Kind is one of HarmKinds.
	Kind          string
	Actor, Reason string
	At            time.Time
}

// HarmReport is the body of a confirmed harm.
type HarmReport struct {
	DocID  string `json:"doc_id"`
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
	// Force takes the word of a document that no record knows.
	Force bool `json:"force,omitempty"`
}

// Runs are what Temporal knows of documents.
type Runs interface {
	// Ran reports whether Temporal has, or remembers, a run of the document.
	Ran(ctx context.Context, docID string) (bool, error)
}

// known reports whether any record has the document. If that cannot be found out it may
// be: the way back is never shut.
func (a *api) known(ctx context.Context, docID string) bool {
	h, err := a.Records.Get(ctx, docID)
	if err != nil || len(h.Claims) > 0 {
		return true
	}
	ran, err := a.Runs.Ran(ctx, docID)
	return ran || err != nil
}

// confirm takes a human's word that a document was harmed.
func (a *api) confirm(w http.ResponseWriter, r *http.Request) {
	var h HarmReport
	if !readBody(w, r, "a confirmed harm", &h) {
		return
	}
	err := rollout.CheckIdentity(h.DocID)
	if err == nil && !slices.Contains(HarmKinds(), h.Kind) {
		err = fmt.Errorf("kind: %q is not one of %s", h.Kind, strings.Join(HarmKinds(), ", "))
	}
	if err == nil {
		err = checkReason(h.Reason)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	if !h.Force && !a.known(r.Context(), h.DocID) {
		writeProblem(w, problem{Slug: "unknown-document", Status: http.StatusNotFound,
			Detail: "neither the claims nor Temporal know a document of that name, tenant/doc_id where there are tenants; they forget after claims.horizon and Temporal's retention: if the name is right, force it"})
		return
	}
	harm := Harm{DocID: h.DocID, Kind: h.Kind, Actor: actor(r), Reason: h.Reason, At: now()}
	a.onRecord(w, r, rollout.Act{Actor: harm.Actor, Action: ActionHarm, Reason: h.Reason,
		Subject: map[string]string{"doc_id": h.DocID, "kind": h.Kind}},
		func(ctx context.Context) error { return a.Plan.Confirm(ctx, harm) })
}
