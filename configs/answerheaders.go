package configs

import (
	"net/http"
	"slices"
	"strings"
)

// AnswerFields returns the route's answer_headers under their canonical names.
func (r *Route) AnswerFields() http.Header {
	fields := make(http.Header, len(r.AnswerHeaders))
	for name, value := range r.AnswerHeaders {
		fields.Set(name, value)
	}
	return fields
}

// notAnswered are the fields that are the connection's, or describe one answer alone.
func notAnswered() []string {
	return []string{
		"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Content-Length", "Content-Type", "Content-Encoding", "Content-Range", "Date", "Location",
	}
}

// validateAnswerHeaders finds what cannot be a field of every answer.
func validateAnswerHeaders(headers map[string]string, key string, wrong complain) {
	seen := map[string]bool{}
	for name, value := range headers {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !isToken(name):
			wrong(key, "%q is not the name of a field", name)
		case seen[canonical]:
			wrong(key, "%s is there twice, in other letters: give it one value, with commas", canonical)
		case slices.Contains(notAnswered(), canonical):
			wrong(key, "%s is not the route's to set: it is the connection's, or each answer has its own", name)
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			wrong(key, "the value of %s has a line break or another control character", name)
		case strings.TrimSpace(value) == "":
			wrong(key, "%s has no value", name)
		}
		seen[canonical] = true
	}
}

// isToken reports whether the text can name a field (RFC 9110, 5.6.2).
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return false
		}
		return !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}
