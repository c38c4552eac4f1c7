package router

import (
	"net/http"
	"slices"
	"strings"
)

// routeWriter carries what a route adds to the gateway's own answers. Legacy's go
// through it as they are.
type routeWriter struct {
	http.ResponseWriter
	fields http.Header // shared by all requests of the route
}

// Unwrap is for http.ResponseController.
func (w *routeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// answering returns a writer for the requests of the route.
func (route *Route) answering(w http.ResponseWriter) http.ResponseWriter {
	if len(route.AnswerFields) == 0 {
		return w
	}
	return &routeWriter{w, route.AnswerFields}
}

// addRouteFields is called before an answer of the gateway's own is begun, and adds the fields
// of its route that the answer does not have. Vary is a list that several have a say
// in.
func addRouteFields(w http.ResponseWriter) {
	route := routeOf(w)
	if route == nil {
		return
	}
	h := w.Header()
	for name, values := range route.fields {
		switch have := h[name]; {
		case len(have) == 0:
			h[name] = values
		case name == "Vary":
			h[name] = merged(have, values)
		}
	}
}

// routeOf finds the writer among those that it may be wrapped in.
func routeOf(w http.ResponseWriter) *routeWriter {
	for {
		if route, ok := w.(*routeWriter); ok {
			return route
		}
		wrapped, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = wrapped.Unwrap()
	}
}

// merged adds the elements that the list does not have.
func merged(have, more []string) []string {
	all := slices.Clone(have)
	for _, value := range more {
		for element := range strings.SplitSeq(value, ",") {
			if element = strings.TrimSpace(element); !listed(all, element) {
				all = append(all, element)
			}
		}
	}
	return all
}

func listed(list []string, element string) bool {
	for _, value := range list {
		for one := range strings.SplitSeq(value, ",") {
			if one = strings.TrimSpace(one); strings.EqualFold(one, element) || one == "*" {
				return true
			}
		}
	}
	return false
}
