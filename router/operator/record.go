package operator

import (
	"fmt"
	"net/http"
	"strconv"

	"go.uber.org/zap"

	"sluice/rollout"
)

// AuditPage is the answer to a request for the audit.
type AuditPage struct {
	Entries []rollout.Entry `json:"entries"`
	// Next is what to ask for as after, to go on; 0 at the end.
	Next uint64 `json:"next,omitzero"`
}

// record answers with entries of the audit, the oldest first.
func (a *api) record(w http.ResponseWriter, r *http.Request) {
	query, err := parameters(r, "after", "limit")
	if err != nil {
		refuse(w, err)
		return
	}
	limit, err := limitOf(query)
	if err != nil {
		refuse(w, err)
		return
	}
	var after uint64
	if text := query.Get("after"); text != "" {
		if after, err = strconv.ParseUint(text, 10, 64); err != nil {
			refuse(w, fmt.Errorf("after: %q is not the number of an entry", text))
			return
		}
	}
	entries, err := a.Audit.Read(r.Context(), after, limit+1) // one more, to see whether there is more
	if err != nil {
		a.Log.Error("the audit cannot be read", zap.Error(err))
		writeProblem(w, problem{Slug: "audit", Status: http.StatusServiceUnavailable, Detail: "the audit cannot be read: " + err.Error()})
		return
	}
	page := AuditPage{Entries: append(make([]rollout.Entry, 0, limit), entries...)}
	if len(entries) > limit {
		page.Entries, page.Next = page.Entries[:limit], entries[limit-1].Seq
	}
	writeJSON(w, page)
}
