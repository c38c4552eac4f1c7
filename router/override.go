package router

import (
	"net/http"
	"net/url"
	"strings"
)

// override returns the method that the request asks, as many frameworks understand it,
// to be taken for, in capitals; empty if it is its own. A POST that deletes is none that
// brings a document. It is the same for every method, as some frameworks do not ask that it
// be a POST, and for names with underscores, which CGI-like servers do not tell
// apart.
//
//   - X-HTTP-Method-Override: Rack, Rails, Symfony, Laravel, ASP.NET, Google's APIs
//   - X-HTTP-Method: OData, Microsoft's APIs; X-Method-Override: Express, IBM
//   - _method in the query: Symfony, Spring, Express
//
// _method in a form's body is looked for by formOverrides.
func override(r *http.Request) string {
	for name, values := range r.Header {
		if overrides(name) {
			if method := other(values, r.Method); method != "" {
				return method
			}
		}
	}
	if !strings.Contains(strings.ToLower(r.URL.RawQuery), "method") && !strings.Contains(r.URL.RawQuery, "%") {
		return ""
	}
	return paramOverrides(r.URL.RawQuery, r.Method)
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
func formOverrides(r *http.Request, body []byte) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") && paramOverrides(string(body), r.Method) != ""
}

func paramOverrides(form, method string) string {
	values, _ := url.ParseQuery(form) // what it cannot read it leaves out
	for name, all := range values {
		if strings.EqualFold(name, "_method") {
			if asked := other(all, method); asked != "" {
				return asked
			}
		}
	}
	return ""
}

// other returns the first of the values that names another method. Frameworks read no
// empty one.
func other(values []string, method string) string {
	for _, value := range values {
		if value = strings.ToUpper(strings.TrimSpace(value)); value != "" && value != method {
			return value
		}
	}
	return ""
}
