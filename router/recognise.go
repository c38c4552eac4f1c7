package router

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"sluice/rollout"
)

// ErrNoRoute says that a request is none of a route's.
var ErrNoRoute = errors.New("no route has this method and path")

// Recogniser tells what document a request brings, by the same rules as a Router,
// and serves nothing. It is safe for concurrent use.
type Recogniser struct {
	mux       *chi.Mux
	routes    map[string]*Route // by method and pattern
	documents documents
}

// NewRecogniser returns a recogniser of documents of up to so many bytes. tenantHeader is
// as Config.TenantHeader. It fails if a route is not sound.
func NewRecogniser(routes []Route, tenantHeader string, largest int64) (*Recogniser, error) {
	if err := checkRoutes(routes); err != nil {
		return nil, err
	}
	rec := &Recogniser{mux: chi.NewRouter(), routes: map[string]*Route{}, documents: newDocuments(routes, tenantHeader, largest)}
	for i := range routes {
		route := &routes[i]
		rec.mux.Method(route.Method, route.Pattern, http.NotFoundHandler())
		rec.routes[route.Method+" "+route.Pattern] = route
	}
	return rec, nil
}

// Document returns the request's document; its intent is for the caller to name. It
// fails with ErrNoRoute, or with an error that rollout.UnroutableReason knows.
func (rec *Recogniser) Document(r *http.Request, body []byte) (*rollout.Document, error) {
	match := chi.NewRouteContext()
	path := r.URL.Path
	if r.URL.RawPath != "" {
		path = routePath(r.URL)
	}
	route := rec.routes[r.Method+" "+rec.mux.Find(match, r.Method, path)]
	if route == nil || len(overriding(r)) > 0 || len(formOverrides(r, body)) > 0 {
		return nil, fmt.Errorf("%w: %s %s", ErrNoRoute, r.Method, r.URL.Path)
	}
	r = r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, match))
	doc, err := rec.documents.of(route, r, endToEnd(r.Header), body)
	return &doc, err
}
