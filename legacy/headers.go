package legacy

import (
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
)

// hopByHop are the fields that concern one connection only (RFC 9110, 7.6.1,
// and what the field still sends from RFC 2616).
var hopByHop = [...]string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate",
	"Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// forwarding are the fields that only a trusted proxy may set.
var forwarding = [...]string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Real-Ip",
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

// outbound returns the header to send to legacy for the client's request.
func (f *Forwarder) outbound(r *http.Request) http.Header {
	h := endToEnd(r.Header)
	for name := range h {
		if strings.Contains(name, "_") {
			delete(h, name) // CGI-like servers confuse it with the dashed name
		}
	}
	if hasToken(r.Header["Te"], "trailers") {
		h["Te"] = []string{"trailers"}
	}
	if upgrade := upgradeType(r.Header); upgrade != "" {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{upgrade}
	}
	f.setForwarding(h, r)
	h["Via"] = append(slices.Clip(h["Via"]), r.Proto[len("HTTP/"):]+" sluice")
	// Under its canonical name http.Transport takes it as leave to send a
	// request without a body a second time.
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := h[name]; ok {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // or the transport would send its own
	}
	return h
}

func (f *Forwarder) setForwarding(h http.Header, r *http.Request) {
	peer := peerAddress(r)
	if !f.trusted(peer) {
		for _, name := range forwarding {
			delete(h, name)
		}
	}
	proto := "http"
	if r.TLS != nil {
		proto = "https"
	}
	text := "unknown"
	if peer.IsValid() {
		text = peer.String()
	}
	h["X-Forwarded-For"] = []string{strings.Join(append(slices.Clip(h["X-Forwarded-For"]), text), ", ")}
	setDefault(h, "X-Forwarded-Host", r.Host)
	setDefault(h, "X-Forwarded-Proto", proto)
	element := "for=" + forwardedNode(peer) + ";host=" + quoted(r.Host) + ";proto=" + proto
	h["Forwarded"] = []string{strings.Join(append(slices.Clip(h["Forwarded"]), element), ", ")}
}

func setDefault(h http.Header, name, value string) {
	if _, ok := h[name]; !ok {
		h[name] = []string{value}
	}
}

func peerAddress(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}

func (f *Forwarder) trusted(peer netip.Addr) bool {
	return peer.IsValid() && slices.ContainsFunc(f.config.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// forwardedNode writes an address as RFC 7239, 6 has it.
func forwardedNode(peer netip.Addr) string {
	switch {
	case !peer.IsValid():
		return "unknown"
	case peer.Is6():
		return `"[` + peer.String() + `]"`
	}
	return peer.String()
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if name, _, _ := strings.Cut(part, ";"); strings.EqualFold(textproto.TrimString(name), token) {
				return true
			}
		}
	}
	return false
}

// upgradeType returns the protocol that the header asks or agrees to change to.
func upgradeType(h http.Header) string {
	if !hasToken(h["Connection"], "upgrade") || len(h["Upgrade"]) == 0 {
		return ""
	}
	return h["Upgrade"][0]
}
