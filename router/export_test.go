package router

import "net/http"

// FindInJSON lets the fuzz test at the parser without an HTTP request each time.
func FindInJSON(body []byte, pointer []string) (string, error) { return findInJSON(body, pointer) }

// SpeltRoute returns the name of the route that the request's path is another spelling
// of, or "", without a request on the wire each time.
func SpeltRoute(routes []Route) func(r *http.Request) string {
	all := newSpellings(routes)
	return func(r *http.Request) string {
		if s := all.find(r); s != nil {
			return s.route.Name
		}
		return ""
	}
}
