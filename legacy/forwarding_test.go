package legacy_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"testing"

	"sluice/legacy"
)

// forwardingOf returns the fields that a proxy sets about the client.
func forwardingOf(h http.Header) map[string][]string {
	out := make(map[string][]string)
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-Ip", "Via"} {
		if values, ok := h[name]; ok {
			out[name] = values
		}
	}
	return out
}

const spoofed = "GET /x HTTP/1.1\r\nHost: front.test\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\n" +
	"X-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /p\r\nX-Real-IP: 6.6.6.6\r\nVia: 1.0 inner\r\n\r\n"

// TestForwardingFields: what an unknown peer says of others is dropped, what a
// trusted one says is extended.
func TestForwardingFields(t *testing.T) {
	for _, test := range []struct {
		name    string
		trusted []netip.Prefix
		request string
		want    map[string][]string
	}{
		{"untrusted", nil, spoofed, map[string][]string{
			"Forwarded": {`for=127.0.0.1;host="front.test";proto=http`}, "X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Host": {"front.test"},
			"X-Forwarded-Proto": {"http"}, "Via": {"1.0 inner", "1.1 sluice"}}},
		{"others are trusted", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, spoofed, map[string][]string{
			"Forwarded": {`for=127.0.0.1;host="front.test";proto=http`}, "X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Host": {"front.test"},
			"X-Forwarded-Proto": {"http"}, "Via": {"1.0 inner", "1.1 sluice"}}},
		{"trusted", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, spoofed, map[string][]string{
			"Forwarded": {`for=6.6.6.6, for=127.0.0.1;host="front.test";proto=http`}, "X-Forwarded-For": {"6.6.6.6, 7.7.7.7, 127.0.0.1"},
			"X-Forwarded-Host": {"evil.test"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"1"}, "X-Forwarded-Prefix": {"/p"},
			"X-Real-Ip": {"6.6.6.6"}, "Via": {"1.0 inner", "1.1 sluice"}}},
		{"trusted and silent", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, "GET /x HTTP/1.1\r\nHost: front.test\r\nX-Forwarded-For: ,\r\n\r\n", map[string][]string{
			"Forwarded": {`for=127.0.0.1;host="front.test";proto=http`}, "X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Host": {"front.test"},
			"X-Forwarded-Proto": {"http"}, "Via": {"1.1 sluice"}}},
		{"HTTP/1.0 without a host", nil, "GET /x HTTP/1.0\r\n\r\n", map[string][]string{
			"Forwarded": {`for=127.0.0.1;proto=http`}, "X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Proto": {"http"}, "Via": {"1.0 sluice"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := forwardingOf(sent(t, gatewayConfig{Config: legacy.Config{TrustedProxies: test.trusted}}, test.request).Header)
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("legacy got %q\nwant %q", got, test.want)
			}
		})
	}
}

// TestForwardingFieldsOfOtherPeers: IPv6 with its brackets and without its
// zone, IPv4 in IPv6 as IPv4, TLS, a peer without an address.
func TestForwardingFieldsOfOtherPeers(t *testing.T) {
	for _, test := range []struct {
		peer      string
		tls       bool
		host      string
		text      string
		forwarded string
	}{
		{"[2001:db8::1]:4711", false, "a", "2001:db8::1", `for="[2001:db8::1]";host="a";proto=http`},
		{"[fe80::1%eth0]:4711", false, "a", "fe80::1", `for="[fe80::1]";host="a";proto=http`},
		{"[::ffff:192.0.2.1]:4711", true, "a:8443", "192.0.2.1", `for=192.0.2.1;host="a:8443";proto=https`},
		{"@", false, `a"\`, "unknown", `for=unknown;host="a\"\\";proto=http`},
	} {
		t.Run(test.peer, func(t *testing.T) {
			service := openRaw(t, answering(answerOK))
			g := openGateway(t, service.url, gatewayConfig{Config: legacy.Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}})
			r := httptest.NewRequest(http.MethodGet, "/x", nil)
			r.RemoteAddr, r.Host = test.peer, test.host
			r.Header.Set("X-Forwarded-For", "6.6.6.6")
			if test.tls {
				r.TLS = &tls.ConnectionState{}
			}
			g.ServeHTTP(httptest.NewRecorder(), r)
			g.ok()
			h := service.only(t).Header
			if h.Get("X-Forwarded-For") != test.text || h.Get("Forwarded") != test.forwarded {
				t.Errorf("legacy got %q and %q", h["X-Forwarded-For"], h["Forwarded"])
			}
		})
	}
}

// TestTrustHoldsForIPv4InIPv6: a dual-stack listener names IPv4 peers so.
func TestTrustHoldsForIPv4InIPv6(t *testing.T) {
	service := openRaw(t, answering(answerOK))
	g := openGateway(t, service.url, gatewayConfig{Config: legacy.Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}})
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	r.RemoteAddr = net.JoinHostPort("::ffff:10.1.2.3", "1")
	r.Header.Set("X-Forwarded-For", "192.0.2.9")
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	io.Copy(io.Discard, w.Body)
	if got := service.only(t).Header.Get("X-Forwarded-For"); got != "192.0.2.9, 10.1.2.3" {
		t.Errorf("legacy got %q", got)
	}
}
