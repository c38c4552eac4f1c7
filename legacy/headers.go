package legacy

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// hopByHop are the fields that concern one connection only (RFC 9110, 7.6.1,
// and what the field still sends from RFC 2616 and 7540).
var hopByHop = [...]string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings",
}

// endToEnd returns a copy of the header without its hop-by-hop fields, those
// that Connection names included.
func endToEnd(in http.Header) http.Header {
	out := make(http.Header, len(in)+4)
	for name, values := range in {
		out[name] = values
	}
	for _, value := range in["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			delete(out, textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name)))
		}
	}
	for _, name := range hopByHop {
		delete(out, name)
	}
	return out
}

// ambiguous reports whether CGI-like servers confuse the name with the dashed
// one.
func ambiguous(name string) bool { return strings.Contains(name, "_") }

// outbound returns the header to send to legacy for the client's request. What
// belongs to this connection and to this proxy is set after the client's
// hop-by-hop fields are gone, so that Connection cannot remove it.
func (c *call) outbound() http.Header {
	r := c.r
	h := endToEnd(r.Header)
	for name := range h {
		if ambiguous(name) {
			delete(h, name)
		}
	}
	if c.upload == nil || !expectsContinue(r) {
		delete(h, "Expect") // nobody waits: the body is here, or there is none
	}
	var connection []string
	if protocols := offered(r); len(protocols) > 0 && c.body == nil {
		connection = append(connection, "Upgrade")
		h["Upgrade"] = []string{strings.Join(protocols, ", ")}
	}
	if hasToken(r.Header["Te"], "trailers") {
		connection = append(connection, "TE")
		h["Te"] = []string{"trailers"}
	}
	if len(connection) > 0 {
		h["Connection"] = []string{strings.Join(connection, ", ")}
	}
	c.f.setForwarding(h, r)
	h["Via"] = append(slices.Clip(h["Via"]), strings.TrimPrefix(r.Proto, "HTTP/")+" sluice")
	hideKeys(h)
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // or the transport would send its own
	}
	return h
}

// hideKeys keeps the transport from seeing an idempotency key: under its
// canonical name it takes one as leave to send a request without a body again.
func hideKeys(h http.Header) {
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := h[name]; ok {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
}

func hasToken(values []string, token string) bool {
	for part := range elements(values) {
		if name, _, _ := strings.Cut(part, ";"); strings.EqualFold(textproto.TrimString(name), token) {
			return true
		}
	}
	return false
}

// elements yields the elements of a list field (RFC 9110, 5.6.1).
func elements(values []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, value := range values {
			for part := range strings.SplitSeq(value, ",") {
				if part = textproto.TrimString(part); part != "" && !yield(part) {
					return
				}
			}
		}
	}
}
