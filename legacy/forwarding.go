package legacy

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// isForwarding reports whether only a trusted proxy may set the field.
func isForwarding(name string) bool {
	return name == "Forwarded" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-")
}

// setForwarding tells legacy whose request it is: this peer's, behind those that
// a trusted peer named.
func (f *Forwarder) setForwarding(h http.Header, r *http.Request) {
	peer := peerAddress(r)
	if !f.trusted(peer) {
		for name := range h {
			if isForwarding(name) {
				delete(h, name)
			}
		}
	}
	proto, text := "http", "unknown"
	if r.TLS != nil {
		proto = "https"
	}
	if peer.IsValid() {
		text = peer.String()
	}
	element := "for=" + forwardedNode(peer)
	if r.Host != "" { // only HTTP/1.0 may leave it out
		setDefault(h, "X-Forwarded-Host", r.Host)
		element += ";host=" + quoted(r.Host)
	}
	setDefault(h, "X-Forwarded-Proto", proto)
	extend(h, "X-Forwarded-For", text)
	extend(h, "Forwarded", element+";proto="+proto)
}

func setDefault(h http.Header, name, value string) {
	if _, ok := h[name]; !ok {
		h[name] = []string{value}
	}
}

// extend adds the element to the list, which it makes one line: many readers
// look at one line only.
func extend(h http.Header, name, element string) {
	all := slices.DeleteFunc(slices.Clone(h[name]), func(line string) bool { return strings.Trim(line, " \t,") == "" })
	h[name] = []string{strings.Join(append(all, element), ", ")}
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
	// The zone of a link-local address means nothing elsewhere.
	return addr.Unmap().WithZone("")
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
