// Package operator is the API by which operators look at what the gateway holds,
// and put right by hand what it cannot put right itself.
//
//	GET  /api/claims?state=open|ambiguous|residue&limit=N&after=DOC_ID
//	GET  /api/claims/DOC_ID       (escaped as one part of a path)
//	POST /api/claims/settle       {"doc_id", "intent", "life", "state", "reason"}
//	POST /api/brake               {"ceiling", "reason"}
//	POST /api/brake/release       {"reason"}
//	POST /api/plan/hold           {"reason"}; resume and rearm alike
//	POST /api/plan/approve        {"step", "reason"}; force alike
//	POST /api/conservation        {"doc_id", "kind": "lost", "doubled" or "corrupted", "reason"}
//	GET  /api/audit?after=SEQ&limit=N
//	GET  /api/NAME                (one of Config.Views)
//
// Invariants:
//   - Nothing is done by hand before it is on record, but the lowering of the brake,
//     which nothing may stop. What then could not be done is put on record too.
//   - Input is taken strictly: a member or a parameter that is not known is an
//     error, because a typo must not become another act.
//   - Errors are problem+json, and all are written by writeProblem.
//   - Who is let in is not decided here but by Guard, which goes around all that
//     the operator's listener serves.
package operator

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// Records is the store of claims, to look at.
type Records interface {
	// Open visits every holding with an open claim, in no order, until visit
	// fails. A holding is visit's only while it runs.
	Open(ctx context.Context, visit func(*rollout.Holding) error) error
	// Get returns the document's holding, without claims if there is none.
	Get(ctx context.Context, docID string) (*rollout.Holding, error)
}

// Claims settles, and knows what is at work.
type Claims interface {
	// Force settles an open life whatever is known of it. It fails with
	// rollout.ErrClaimGone and has done nothing; after any other error nobody
	// knows.
	Force(ctx context.Context, docID string, intent rollout.Intent, life uint64, state rollout.ClaimState) error
	// Suspects reports whether this gateway knows that none of its requests is at
	// work on the life.
	Suspects(docID string, intent rollout.Intent, life uint64) bool
	// Stalled asks what keeps the run of a life on Temporal from getting on; empty if
	// nothing is known to, or nobody can tell before ctx ends.
	Stalled(ctx context.Context, route, docID string, intent rollout.Intent, life uint64) string
}

// Audit is the record of what was done by hand.
type Audit interface {
	// Append returns once the act is durably on record.
	Append(ctx context.Context, act rollout.Act) (rollout.Entry, error)
	// Read returns up to limit entries after the one numbered after, in order.
	Read(ctx context.Context, after uint64, limit int) ([]rollout.Entry, error)
}

// Config configures the API. All fields are needed.
type Config struct {
	Records Records
	Claims  Claims
	Runs    Runs
	Audit   Audit
	Brake   Brake
	Plan    Steering
	// Views are resources that are only looked at.
	Views  []View
	Limits Limits
	Log    *zap.Logger
}

// timeout bounds one look at the store, which may hold a million claims.
const timeout = 30 * time.Second

// api answers for one gateway.
type api struct{ Config }

// New returns the handler for everything below /api/.
func New(config Config) http.Handler {
	a := &api{config}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/claims", a.list)
	mux.HandleFunc("GET /api/claims/{doc_id}", a.show)
	mux.Handle("POST /api/claims/settle", deliberate(a.settle))
	mux.HandleFunc("GET /api/audit", a.record)
	mux.Handle("POST /api/brake", deliberate(a.lower))
	mux.Handle("POST /api/brake/release", deliberate(a.release))
	for _, action := range PlanActs() {
		mux.Handle("POST /api/plan/"+action, deliberate(a.steer(action)))
		mux.HandleFunc("/api/plan/"+action, allowing("POST"))
	}
	mux.Handle("POST /api/conservation", deliberate(a.confirm))
	mux.HandleFunc("/api/conservation", allowing("POST"))
	mux.HandleFunc("/api/brake", allowing("POST"))
	mux.HandleFunc("/api/brake/release", allowing("POST"))
	mux.HandleFunc("/api/claims", allowing("GET, HEAD"))
	mux.HandleFunc("/api/claims/{doc_id}", func(w http.ResponseWriter, r *http.Request) {
		methods := "GET, HEAD"
		if r.PathValue("doc_id") == "settle" {
			methods += ", POST"
		}
		allowing(methods)(w, r)
	})
	mux.HandleFunc("/api/audit", allowing("GET, HEAD"))
	for _, view := range config.Views {
		mux.HandleFunc("GET /api/"+view.Name, a.view(view))
		mux.HandleFunc("/api/"+view.Name, allowing("GET, HEAD"))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, problem{Slug: "not-found", Status: http.StatusNotFound, Detail: "the operator API has no such resource"})
	})
	return mux
}

// allowing answers a method that a resource does not have.
func allowing(methods string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", methods)
		writeProblem(w, problem{Slug: "method", Status: http.StatusMethodNotAllowed,
			Detail: "this resource has only " + strings.ReplaceAll(methods, ", ", " and ")})
	}
}
