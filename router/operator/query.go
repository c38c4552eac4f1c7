package operator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// Limits of one page.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// parameters reads a query strictly: each of the known names at most once.
func parameters(r *http.Request, known ...string) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("the query: %w", err)
	}
	for name, values := range query {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no parameter %q; there are %q", name, known)
		}
		if len(values) > 1 {
			return nil, fmt.Errorf("the parameter %q stands more than once", name)
		}
	}
	return query, nil
}

// limitOf reads the parameter limit.
func limitOf(query url.Values) (int, error) {
	text := query.Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxLimit {
		return 0, fmt.Errorf("limit: %q is not a number from 1 to %d", text, maxLimit)
	}
	return limit, nil
}

// refuse answers a request that is not well formed.
func refuse(w http.ResponseWriter, err error) {
	writeProblem(w, problem{Slug: "bad-request", Status: http.StatusBadRequest, Detail: err.Error()})
}
