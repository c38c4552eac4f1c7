package router

import (
	"maps"
	"net/http"
	"strings"
)

// endToEnd returns the fields without those that Connection names. Legacy and
// the authorisation check never see these, so nobody else may: else a client
// could hide from the check what it then tells the workflow.
func endToEnd(h http.Header) http.Header {
	var kept http.Header
	for _, value := range h["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if _, sent := h[name]; !sent {
				continue
			}
			if kept == nil {
				kept = maps.Clone(h)
			}
			delete(kept, name)
		}
	}
	if kept == nil {
		return h
	}
	return kept
}
