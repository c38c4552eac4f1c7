package router

import (
	"bytes"
	"net/http"
)

// FindInJSON lets the fuzz test at the parser without an HTTP request each time.
func FindInJSON(body []byte, pointer []string) (string, error) {
	return Locator{pointer: pointer}.inJSON(bytes.NewReader(body))
}

// FindInCoded does the same for a body's codings; its text may have so many bytes.
func FindInCoded(fields http.Header, body []byte, most int64) (string, error) {
	l := Locator{place: placeBody, pointer: []string{"doc_id"}}
	return l.find(newCodings(most), nil, fields, body)
}

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
