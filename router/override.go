package router

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// overriding returns the methods that the request asks, as many frameworks understand it,
// to be taken for, in capitals and sorted; none if that is its own alone. A POST that
// deletes is none that brings a document. It is the same for every method, as some frameworks do not ask that it
// be a POST, and for names with underscores, which CGI-like servers do not tell
// apart.
//
//   - X-HTTP-Method-Override: Rack, Rails, Symfony, Laravel, ASP.NET, Google's APIs
//   - X-HTTP-Method: OData, Microsoft's APIs; X-Method-Override: Express, IBM
//   - _method in the query: Symfony, Spring, Express
//
// _method in a form's body is looked for by formOverrides.
func overriding(r *http.Request) (methods []string) {
	for name, values := range endToEnd(r.Header) {
		if overrides(name) {
			methods = append(methods, others(values, r.Method)...)
		}
	}
	if strings.Contains(strings.ToLower(r.URL.RawQuery), "method") || strings.Contains(r.URL.RawQuery, "%") {
		methods = append(methods, paramOverrides(r.URL.RawQuery, r.Method)...)
	}
	slices.Sort(methods)
	return methods
}

func overrides(field string) bool {
	if len(field) < len("X-HTTP-Method") || !strings.Contains(strings.ToLower(field), "method") {
		return false
	}
	switch http.CanonicalHeaderKey(strings.ReplaceAll(field, "_", "-")) {
	case "X-Http-Method-Override", "X-Http-Method", "X-Method-Override":
		return true
	}
	return false
}

// formOverrides looks into a form's body: Rack, Rails, Laravel, Symfony, Spring, Slim.
func formOverrides(r *http.Request, body []byte) []string {
	kind, _, _ := strings.Cut(endToEnd(r.Header).Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return nil
	}
	return paramOverrides(string(body), r.Method)
}

func paramOverrides(form, method string) (methods []string) {
	values, _ := url.ParseQuery(form) // what it cannot read it leaves out
	for name, all := range values {
		if strings.EqualFold(name, "_method") {
			methods = append(methods, others(all, method)...)
		}
	}
	slices.Sort(methods)
	return methods
}

// others returns the values that name another method. Frameworks read no empty one.
func others(values []string, method string) (methods []string) {
	for _, value := range values {
		if value = strings.ToUpper(strings.TrimSpace(value)); value != "" && value != method {
			methods = append(methods, value)
		}
	}
	return methods
}
