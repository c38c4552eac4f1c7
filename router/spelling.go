package router

import (
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"go.uber.org/zap"

	"sluice/rollout"
)

// spellings know the routes' paths in one spelling of all that a lenient legacy
// may take for the same: without empty segments, dots and a slash at the end, in
// small letters, escapes undone.
type spellings []spelling

type spelling struct {
	route *Route
	match *chi.Mux
	once  *sync.Once // for the warning
}

func newSpellings(routes []Route) spellings {
	var all spellings
	for i := range routes {
		s := spelling{route: &routes[i], match: chi.NewRouter(), once: &sync.Once{}}
		s.match.Method(routes[i].Method, folded(routes[i].Pattern), http.NotFoundHandler())
		all = append(all, s)
	}
	return all
}

// folded returns the pattern for paths in that spelling. What stands in braces is a
// name or an expression, not text.
func folded(pattern string) string {
	var b strings.Builder
	for rest := pattern; rest != ""; {
		text, tail, found := strings.Cut(rest, "{")
		b.WriteString(strings.ToLower(text))
		if !found {
			break
		}
		end, depth := 0, 1
		for end < len(tail) && depth > 0 {
			switch tail[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
			end++
		}
		b.WriteString("{" + tail[:end])
		rest = tail[end:]
	}
	if text := b.String(); len(text) > 1 {
		return strings.TrimSuffix(text, "/")
	}
	return pattern
}

// find returns the route that the request's path may mean to legacy, or nil. The
// routes themselves did not match it.
func (all spellings) find(r *http.Request) *spelling {
	plain := ""
	for i := range all {
		if all[i].route.Method != r.Method {
			continue
		}
		if plain == "" {
			plain = path.Clean("/" + strings.ToLower(r.URL.Path))
		}
		if all[i].match.Match(chi.NewRouteContext(), r.Method, plain) {
			return &all[i]
		}
	}
	return nil
}

// spelt takes a request for what looks like a route in another spelling. To pass
// it on is what its client is used to; but if legacy takes a document from it, that
// document has no claim, so operators are told.
func (rt *Router) spelt(w http.ResponseWriter, r *http.Request, s *spelling) {
	s.once.Do(func() {
		rt.config.Log.Warn("a request came for another spelling of an ingestion route: if legacy takes documents there, they have no claim",
			zap.String("route", s.route.Name), zap.String("path", r.URL.EscapedPath()), zap.String("pattern", s.route.Pattern),
			zap.String("hint", "requests.other_spellings: reject; rollout_other_spelling_total counts them"))
	})
	if !rt.config.RejectSpellings {
		rt.passThrough(w, r, s.route.Name)
		return
	}
	record := rollout.Record{Route: s.route.Name, Spelling: s.route.Name, Method: r.Method, Target: r.URL.Path, Started: time.Now(), BytesIn: max(r.ContentLength, 0)}
	record.Result = rollout.Result{Outcome: rollout.OutcomeInvalid, Status: writeProblem(w, problem{Slug: "path-spelling", Status: http.StatusBadRequest,
		Detail: "this is another spelling of " + s.route.Pattern + ": send the request there; nothing was forwarded"})}
	record.Duration = time.Since(record.Started)
	rt.config.Observer.Observe(&record)
	rt.logAccess(&record)
}
