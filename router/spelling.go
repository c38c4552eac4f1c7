package router

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"go.uber.org/zap"

	"sluice/rollout"
)

// spellings know the routes' paths in the canonical form, of all that a lenient legacy
// may take for the same.
type spellings []spelling

type spelling struct {
	route           *Route
	method, pattern string // the route's, or those of one of its touches
	match           *chi.Mux
	once            *sync.Once // for the warning
}

func newSpellings(routes []Route) spellings {
	var all spellings
	for i := range routes {
		route := &routes[i]
		all = append(all, newSpelling(route, route.Method, route.Pattern))
		for _, t := range route.Touches {
			all = append(all, newSpelling(route, t.Method, t.Pattern))
		}
	}
	return all
}

func newSpelling(route *Route, method, pattern string) spelling {
	s := spelling{route: route, method: method, pattern: pattern, match: chi.NewRouter(), once: &sync.Once{}}
	for _, form := range canonicalPatterns(pattern) {
		s.match.Method(method, form, http.NotFoundHandler())
	}
	return s
}

// parts are what a pattern's braces hold, and hide it while the text around is brought
// into the canonical form: each is one letter of Unicode's private use.
const parts = '\uE000'

// canonicalPatterns returns the pattern for canonical paths, and that for those without a
// format if it is another one.
func canonicalPatterns(pattern string) []string {
	text, held := withoutParts(pattern)
	form, short := canonical(text), withoutFormat(canonical(text))
	all := []string{withParts(form, held)}
	if short != form {
		all = append(all, withParts(short, held))
	}
	return all
}

// withoutParts puts a letter in the place of each part in braces, and returns the parts.
// What stands in them is a name or an expression, not text.
func withoutParts(pattern string) (text string, held []string) {
	var b strings.Builder
	depth, from := 0, 0
	for i, c := range pattern {
		switch {
		case c == '{':
			if depth++; depth == 1 {
				from = i
			}
		case c == '}' && depth > 0:
			if depth--; depth == 0 {
				b.WriteRune(parts + rune(len(held)))
				held = append(held, pattern[from:i+1])
			}
		case depth == 0:
			b.WriteRune(c)
		}
	}
	return b.String(), held
}

// withParts undoes it. Expressions no longer tell capitals.
func withParts(text string, held []string) string {
	for i, part := range held {
		if name, expression, has := strings.Cut(part, ":"); has {
			part = name + ":(?i)" + strings.TrimPrefix(expression, "^")
		}
		text = strings.Replace(text, string(parts+rune(i)), part, 1)
	}
	return text
}

// find returns the route that the request may mean to legacy, or nil. The routes
// themselves did not match it. Some servers take methods in any case too.
func (all spellings) find(r *http.Request) *spelling {
	form, short := "", ""
	for i := range all {
		if !strings.EqualFold(all[i].method, r.Method) {
			continue
		}
		if form == "" {
			form = canonical(r.URL.Path)
			short = withoutFormat(form)
		}
		if all[i].has(form) || all[i].has(short) {
			return &all[i]
		}
	}
	return nil
}

func (s *spelling) has(path string) bool {
	return s.match.Match(chi.NewRouteContext(), s.method, path)
}

// spelt takes a request for what looks like a route in another spelling. To pass
// it on is what its client is used to; but if legacy takes a document from it, that
// document has no claim, so operators are told.
func (rt *Router) spelt(w http.ResponseWriter, r *http.Request, s *spelling) {
	s.once.Do(func() {
		rt.config.Log.Warn("a request came for another spelling of an ingestion route: if legacy takes documents there, they have no claim",
			zap.String("route", s.route.Name), zap.String("path", r.URL.EscapedPath()), zap.String("pattern", s.pattern),
			zap.String("hint", "requests.other_spellings: reject; rollout_other_spelling_total counts them"))
	})
	if !rt.config.RejectSpellings {
		rt.passThrough(w, r, s.route.Name)
		return
	}
	record := rollout.Record{Route: s.route.Name, Spelling: s.route.Name, Method: r.Method, Target: r.URL.Path, Started: time.Now(), BytesIn: max(r.ContentLength, 0)}
	record.Result = writeProblem(w, problem{Slug: "path-spelling", Status: http.StatusBadRequest,
		Detail: "this is another spelling of " + s.pattern + ": send the request there; nothing was forwarded"})
	record.Result.Outcome = rollout.OutcomeInvalid
	record.Duration = time.Since(record.Started)
	rt.config.Observer.Observe(&record)
	rt.logAccess(&record)
}
