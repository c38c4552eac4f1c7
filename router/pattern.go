package router

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
)

// CheckRoutes returns what is wrong with each route, by itself or beside those before
// it; nil where nothing is.
func CheckRoutes(routes []Route) []error {
	wrong := make([]error, len(routes))
	names := map[string]string{} // by what they match
	for i := range routes {
		route := &routes[i]
		if wrong[i] = route.check(); wrong[i] != nil {
			continue
		}
		wrong[i] = route.claimPatterns(names)
	}
	return wrong
}

// claimPatterns notes what the route's patterns match, and fails if another route's
// match the same requests.
func (route *Route) claimPatterns(names map[string]string) error {
	claim := func(method, pattern string) error {
		shape, _ := shapeOf(pattern)
		if other, taken := names[method+" "+shape]; taken {
			return fmt.Errorf("pattern %q matches the same requests as route %q does: leave one of them out", pattern, other)
		}
		names[method+" "+shape] = route.Name
		return nil
	}
	if err := claim(route.Method, route.Pattern); err != nil {
		return err
	}
	for i := range route.Touches {
		if err := claim(route.Touches[i].Method, route.Touches[i].Pattern); err != nil {
			return fmt.Errorf("touches: %w", err)
		}
	}
	return nil
}

// checkRoutes fails with the first route that is not sound.
func checkRoutes(routes []Route) error {
	for i, err := range CheckRoutes(routes) {
		if err != nil {
			return fmt.Errorf("route %q: %w", routes[i].Name, err)
		}
	}
	return nil
}

// checkPattern fails if the pattern is none of chi's for clients' requests, or names no
// such part as the doc_id is to be in.
func checkPattern(pattern string, at Locator) error {
	switch {
	case !strings.HasPrefix(pattern, "/"):
		return fmt.Errorf("pattern %q must begin with a slash", pattern)
	case pattern == Prefix || strings.HasPrefix(pattern, Prefix+"/"):
		return fmt.Errorf("pattern %q: paths under %s are the gateway's own", pattern, Prefix)
	}
	if err := readable(pattern); err != nil {
		return err
	}
	_, names := shapeOf(pattern)
	if at.place == placePath && !slices.Contains(names, at.name) {
		return fmt.Errorf("the doc_id is to be at path:%s, and pattern %q has no such part", at.name, pattern)
	}
	return nil
}

// readable fails if chi cannot read the pattern; chi itself panics.
func readable(pattern string) (err error) {
	defer func() {
		if wrong := recover(); wrong != nil {
			err = fmt.Errorf("pattern %q cannot be read: %s; write /v1/documents, /v1/{id} or /v1/{id:[0-9]+}", pattern, strings.TrimPrefix(fmt.Sprint(wrong), "chi: "))
		}
	}()
	mux := chi.NewRouter()
	for _, spelt := range append(canonicalPatterns(pattern), pattern) {
		mux.Method(http.MethodPost, spelt, http.NotFoundHandler())
	}
	return nil
}

// shapeOf returns the names of a pattern's parts in braces, and its shape, which is the
// pattern without them: patterns of one shape match the same paths.
func shapeOf(pattern string) (shape string, names []string) {
	shape, held := withoutParts(pattern)
	for i, part := range held {
		name, expression, _ := strings.Cut(part[1:len(part)-1], ":")
		names = append(names, name)
		shape = strings.Replace(shape, string(parts+rune(i)), "{:"+expression+"}", 1)
	}
	return shape, names
}
