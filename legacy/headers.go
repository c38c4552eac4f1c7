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

// ambiguous reports whether the field must not be sent for its name: to CGI-like
// servers X_Forwarded_For is X-Forwarded-For, which a client cannot set, and to some
// Transfer_Encoding is what frames the message.
func (f *Forwarder) ambiguous(name string) bool {
	if !strings.Contains(name, "_") {
		return false
	}
	dashed := http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))
	return f.config.DropUnderscores || isForwarding(dashed) || dashed == "Content-Length" || dashed == "Transfer-Encoding"
}

// fields returns the header that legacy is to get of the client's request, but for
// what belongs to the connection. What is this proxy's to say is set after the
// client's hop-by-hop fields are gone, so that Connection cannot remove it.
func (f *Forwarder) fields(r *http.Request) http.Header {
	h := endToEnd(r.Header)
	for name := range h {
		if f.ambiguous(name) {
			delete(h, name)
		}
	}
	f.setForwarding(h, r)
	h["Via"] = append(slices.Clip(h["Via"]), strings.TrimPrefix(r.Proto, "HTTP/")+" sluice")
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // or the transport would send its own
	}
	return h
}

// host returns the Host that legacy is to get.
func (f *Forwarder) host(r *http.Request) string {
	if f.config.PreserveHost {
		return r.Host
	}
	return f.config.URL.Host
}

// outbound returns the header to send to legacy for the client's request.
func (c *call) outbound() http.Header {
	r := c.r
	h := c.f.fields(r)
	if c.upload == nil || !expectsContinue(r) {
		dropContinue(h) // nobody waits: the body is here, or there is none
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
	hideKeys(h)
	hideAgent(h)
	return h
}

// dropContinue takes 100-continue out of what the client expects; the rest is
// legacy's to read.
func dropContinue(h http.Header) {
	if !hasToken(h["Expect"], "100-continue") {
		return
	}
	rest := slices.DeleteFunc(slices.Collect(elements(h["Expect"])), func(element string) bool {
		return hasToken([]string{element}, "100-continue")
	})
	if len(rest) == 0 {
		delete(h, "Expect")
		return
	}
	h["Expect"] = []string{strings.Join(rest, ", ")}
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

// hideAgent keeps the transport from seeing a User-Agent that it would not send as
// it came: of one without a value it sends nothing, of two the first.
func hideAgent(h http.Header) {
	if values := h["User-Agent"]; len(values) > 1 || len(values) == 1 && values[0] == "" {
		h["User-Agent"] = nil
		h["user-agent"] = values
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
