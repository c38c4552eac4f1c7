package configs

import (
	"net/http"
	"slices"
)

// perAttempt are fields that a client, or a proxy in front of the gateway, sends anew
// with each attempt of one request.
func perAttempt() []string {
	return []string{
		"Traceparent", "Tracestate", "B3", "X-B3-Traceid", "X-B3-Spanid", "Uber-Trace-Id", "X-Amzn-Trace-Id",
		"X-Cloud-Trace-Context", "X-Request-Id", "X-Correlation-Id", "Date", "Forwarded", "X-Forwarded-For", "Via",
	}
}

// validateHandedOn finds what cannot be a field that workflows get: each is a part of
// the intent.
func validateHandedOn(names []string, key string, wrong complain) {
	seen := map[string]bool{}
	for _, name := range names {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !isToken(name):
			wrong(key, "%q is not the name of a field", name)
		case seen[canonical]:
			wrong(key, "%s is there twice", canonical)
		case slices.Contains(perAttempt(), canonical):
			wrong(key, "%s differs from one attempt of a request to the next, and what a workflow gets is a part of the intent: each retry would be ingested once more", name)
		}
		seen[canonical] = true
	}
}
