package router

import (
	"net/http"
	"strings"
)

// Underscores is what becomes of fields with underscores in their names, which
// CGI-like servers do not tell from dashes: X_Tenant may be X-Tenant to legacy.
type Underscores uint8

// The three ways.
const (
	// PassUnderscores leaves them to legacy, as without the gateway.
	PassUnderscores Underscores = iota
	// DropUnderscores forwards the request without them. It is the Legacy that
	// drops; the Router counts.
	DropUnderscores
	// RejectUnderscores answers 400.
	RejectUnderscores
)

var underscores = [...]string{"pass", "drop", "reject"}

// String returns the word used in the configuration and in metrics.
func (u Underscores) String() string { return underscores[u] }

// ParseUnderscores is the inverse of String; false for any other word.
func ParseUnderscores(word string) (Underscores, bool) {
	for u, name := range underscores {
		if name == word {
			return Underscores(u), true
		}
	}
	return 0, false
}

// underscored returns a field of the request, or a trailer that it announces, with an
// underscore in its name; empty if there is none.
func underscored(r *http.Request) string {
	for _, fields := range [...]http.Header{r.Header, r.Trailer} {
		for name := range fields {
			if strings.Contains(name, "_") {
				return name
			}
		}
	}
	return ""
}

// dashed reports whether the request may go on, and answers it otherwise.
func (rt *Router) dashed(w http.ResponseWriter, r *http.Request) bool {
	name := underscored(r)
	if name == "" {
		return true
	}
	if count := rt.config.CountUnderscores; count != nil {
		count(rt.config.Underscores.String())
	}
	if rt.config.Underscores != RejectUnderscores {
		return true
	}
	writeProblem(w, problem{Slug: "underscore-field", Status: http.StatusBadRequest,
		Detail: "the field " + name + " has an underscore in its name, which some servers do not tell from a dash: send it with dashes, or not at all; nothing was forwarded"})
	return false
}
