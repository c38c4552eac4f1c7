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
		shape, _ := parts(route.Pattern)
		if other, taken := names[route.Method+" "+shape]; taken {
			wrong[i] = fmt.Errorf("pattern %q matches the same requests as route %q does: leave one of them out", route.Pattern, other)
			continue
		}
		names[route.Method+" "+shape] = route.Name
	}
	return wrong
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

// checkPattern fails if the pattern is none of chi's, or names no such part as the doc_id
// is to be in.
func (route *Route) checkPattern() error {
	if err := readable(route.Pattern); err != nil {
		return err
	}
	_, names := parts(route.Pattern)
	if route.DocID.place == placePath && !slices.Contains(names, route.DocID.name) {
		return fmt.Errorf("the doc_id is to be at path:%s, and pattern %q has no such part", route.DocID.name, route.Pattern)
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
	for _, spelt := range []string{pattern, folded(pattern)} {
		mux.Method(http.MethodPost, spelt, http.NotFoundHandler())
	}
	return nil
}

// parts returns the names of a pattern's parts in braces, and its shape, which is the
// pattern without them: patterns of one shape match the same paths.
func parts(pattern string) (shape string, names []string) {
	var b strings.Builder
	for rest := pattern; ; {
		text, tail, found := strings.Cut(rest, "{")
		b.WriteString(text)
		if !found {
			return b.String(), names
		}
		end, depth := 0, 1
		for ; end < len(tail) && depth > 0; end++ {
			switch tail[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
		}
		name, expression, _ := strings.Cut(tail[:max(0, end-1)], ":")
		names = append(names, name)
		b.WriteString("{:" + expression + "}")
		rest = tail[end:]
	}
}
