package operator

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// ClaimPage is the answer to a request for claims.
type ClaimPage struct {
	Claims []Claim `json:"claims"`
	// Next is what to ask for as after, to go on; empty at the end.
	Next string `json:"next,omitempty"`
}

// list answers with claims that are open, in the order of their doc_ids. The
// limit counts claims, and a page that has reached it still ends with all claims
// of its last document.
func (a *api) list(w http.ResponseWriter, r *http.Request) {
	query, err := parameters(r, "state", "limit", "after")
	if err != nil {
		refuse(w, err)
		return
	}
	found := window{after: query.Get("after")}
	if found.limit, err = limitOf(query); err != nil {
		refuse(w, err)
		return
	}
	state := query.Get("state")
	now := time.Now()
	match, known := a.matcher(state, now)
	if !known {
		refuse(w, fmt.Errorf("state: %q is not one of open, ambiguous and residue", state))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	err = a.Records.Open(ctx, func(h *rollout.Holding) error {
		// Nearly all are looked at in vain where much is open: copy only what stays.
		if some(h, match) && found.wants(h.DocID) {
			found.add(document{h.DocID, a.matching(h, match, now)})
		}
		return ctx.Err()
	})
	if err != nil {
		a.unavailable(w, err)
		return
	}
	var page ClaimPage
	page.Claims, page.Next = found.page()
	a.noteStalled(ctx, page.Claims)
	writeJSON(w, page)
}

// matcher picks claims of documents.
type matcher func(docID string, c *rollout.Claim) bool

// matcher returns what a list of the state holds; false if there is no such list.
func (a *api) matcher(state string, now time.Time) (matcher, bool) {
	switch state {
	case "", "open":
		return func(_ string, c *rollout.Claim) bool { return c.Open() }, true
	case "ambiguous":
		return func(docID string, c *rollout.Claim) bool { return a.why(docID, c, now).ambiguous() }, true
	case "residue":
		return func(docID string, c *rollout.Claim) bool { return a.why(docID, c, now) != "" }, true
	}
	return nil, false
}

// some reports whether any claim of the holding matches.
func some(h *rollout.Holding, match matcher) bool {
	for i := range h.Claims {
		if match(h.DocID, &h.Claims[i]) {
			return true
		}
	}
	return false
}

// matching returns the holding's claims that match, as the API shows them.
func (a *api) matching(h *rollout.Holding, match matcher, now time.Time) []Claim {
	claims := make([]Claim, 0, len(h.Claims))
	for i := range h.Claims {
		if match(h.DocID, &h.Claims[i]) {
			claims = append(claims, a.shown(h.DocID, &h.Claims[i], now))
		}
	}
	return claims
}

// show answers with all claims of one document that are remembered.
func (a *api) show(w http.ResponseWriter, r *http.Request) {
	docID := r.PathValue("doc_id")
	_, err := parameters(r)
	if err == nil {
		err = rollout.CheckIdentity(docID)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	h, err := a.Records.Get(ctx, docID)
	if err != nil {
		a.unavailable(w, err)
		return
	}
	page := ClaimPage{Claims: a.matching(h, func(string, *rollout.Claim) bool { return true }, time.Now())}
	if len(page.Claims) == 0 {
		writeProblem(w, problem{Slug: "no-claims", Status: http.StatusNotFound,
			Detail: "nothing is on record of this document: nothing of it is open, and the horizon has passed since the last of it was settled"})
		return
	}
	a.noteStalled(ctx, page.Claims)
	writeJSON(w, page)
}

// unavailable answers when the record of claims cannot be read.
func (a *api) unavailable(w http.ResponseWriter, err error) {
	a.Log.Warn("the record of claims cannot be read", zap.Error(err))
	writeProblem(w, problem{Slug: "store", Status: http.StatusServiceUnavailable,
		Detail: "the record of claims cannot be read now: " + err.Error()})
}
