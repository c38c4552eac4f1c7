package legacy_test

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"sluice/legacy"
)

// sent returns what legacy got of a request with these fields.
func sent(t *testing.T, cfg gatewayConfig, request string) heard {
	t.Helper()
	service := openRaw(t, answering(answerOK))
	g := openGateway(t, service.url, cfg)
	c := g.dial()
	c.send(request)
	c.answer(http.MethodGet)
	g.ok()
	return service.only(t)
}

// TestRequestHeadIsVerbatim: legacy gets the client's fields, the proxy's own,
// and nothing else: no Accept-Encoding, no User-Agent.
func TestRequestHeadIsVerbatim(t *testing.T) {
	const request = "POST /x HTTP/1.1\r\nHost: front.test\r\nCookie: a=1\r\nCookie: b=2\r\nX-List: z\r\nX-List: a,  b\r\n" +
		"Content-Type: application/json; charset=\"utf-8\"\r\nRange: bytes=0-1\r\nCache-Control: no-cache\r\nX-Empty:\r\nContent-Length: 5\r\n\r\nhello"
	bothWays(t, func(t *testing.T, buffered bool) {
		got := sent(t, gatewayConfig{buffered: buffered}, request)
		first, fields, _ := lines(got.head)
		want := []string{
			"Cache-Control: no-cache", "Content-Length: 5", "Content-Type: application/json; charset=\"utf-8\"", "Cookie: a=1", "Cookie: b=2",
			"Forwarded: for=127.0.0.1;host=\"front.test\";proto=http", "Host: " + got.Host, "Range: bytes=0-1", "Via: 1.1 sluice",
			"X-Empty: ", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: front.test", "X-Forwarded-Proto: http", "X-List: a,  b", "X-List: z",
		}
		if first != "POST /x HTTP/1.1" || !slices.Equal(fields, want) || got.body != "hello" {
			t.Errorf("legacy got %q %q %q\nwant %q", first, fields, got.body, want)
		}
		if list := got.Header["X-List"]; !slices.Equal(list, []string{"z", "a,  b"}) {
			t.Errorf("the order per name changed: %q", list)
		}
	})
}

// TestAgentsThatGoSends: net/http sends a User-Agent of its own where there is none,
// none where it is empty, and the first of two.
func TestAgentsThatGoSends(t *testing.T) {
	for fields, want := range map[string][]string{
		"":                                     nil,
		"User-Agent: a/1\r\n":                  {"a/1"},
		"User-Agent:\r\n":                      {""},
		"User-Agent: a/1\r\nUser-Agent: b\r\n": {"a/1", "b"},
	} {
		got := sent(t, gatewayConfig{}, "GET /x HTTP/1.1\r\nHost: front.test\r\n"+fields+"\r\n")
		if agents := got.Header["User-Agent"]; !slices.Equal(agents, want) {
			t.Errorf("%q: legacy got %q, want %q", fields, agents, want)
		}
	}
}

// TestBodyFraming: the body keeps its length or its chunks.
func TestBodyFraming(t *testing.T) {
	for _, test := range []struct {
		name, request  string
		buffered       bool
		length         int64
		wantChunked    bool
		wantHeadLength string
	}{
		{"length streamed", postKeep, false, 5, false, "Content-Length: 5"},
		{"length buffered", postKeep, true, 5, false, "Content-Length: 5"},
		{"chunked streamed", postChunked, false, -1, true, ""},
		{"chunked buffered", postChunked, true, -1, true, ""},
		{"empty streamed", postBare, false, 0, false, "Content-Length: 0"},
		{"empty buffered", postBare, true, 0, false, "Content-Length: 0"},
		{"none", "GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n", false, 0, false, ""},
		{"GET with a body", "GET /x HTTP/1.1\r\nHost: front.test\r\nContent-Length: 5\r\n\r\nhello", false, 5, false, "Content-Length: 5"},
		{"DELETE in chunks", strings.Replace(postChunked, "POST", "DELETE", 1), false, -1, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := sent(t, gatewayConfig{buffered: test.buffered}, test.request)
			want := map[bool]string{true: "hello"}[test.length != 0]
			chunked := slices.Equal(got.TransferEncoding, []string{"chunked"})
			if got.ContentLength != test.length || chunked != test.wantChunked || got.body != want || !strings.Contains(got.head, test.wantHeadLength) {
				t.Errorf("legacy got %q and %q", got.head, got.body)
			}
			if test.wantHeadLength == "" && strings.Contains(got.head, "Content-Length") {
				t.Errorf("legacy got a length: %q", got.head)
			}
		})
	}
}

// TestHopByHopFieldsOfTheClientEndHere, and those that Connection names.
func TestHopByHopFieldsOfTheClientEndHere(t *testing.T) {
	got := sent(t, gatewayConfig{}, "GET /x HTTP/1.1\r\nHost: front.test\r\nConnection: keep-alive, X-Mine ,,x-other\r\nConnection: X-Third\r\n"+
		"Keep-Alive: 300\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nProxy-Authenticate: x\r\nTE: gzip\r\nTrailer: X-T\r\n"+
		"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nX-Mine: 1\r\nX-Other: 1\r\nX-Third: 1\r\nX-Kept: 1\r\n\r\n")
	_, fields, _ := lines(got.head)
	want := []string{"Forwarded: for=127.0.0.1;host=\"front.test\";proto=http", "Host: " + got.Host, "Via: 1.1 sluice", "X-Forwarded-For: 127.0.0.1",
		"X-Forwarded-Host: front.test", "X-Forwarded-Proto: http", "X-Kept: 1"}
	if !slices.Equal(fields, want) {
		t.Errorf("legacy got %q\nwant %q", fields, want)
	}
}

// TestConnectionCannotRemoveOurFields: Connection: X-Tenant takes the client's
// own field away, which is its right, never one that this proxy sets.
func TestConnectionCannotRemoveOurFields(t *testing.T) {
	got := sent(t, gatewayConfig{}, "POST /x HTTP/1.1\r\nHost: front.test\r\n"+
		"Connection: X-Tenant, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, Forwarded, Via, Host, Content-Length, Transfer-Encoding\r\n"+
		"X-Tenant: acme\r\nX-Forwarded-For: 6.6.6.6\r\nContent-Length: 5\r\n\r\nhello")
	h := got.Header
	if _, ok := h["X-Tenant"]; ok {
		t.Error("X-Tenant was passed on")
	}
	if h.Get("X-Forwarded-For") != "127.0.0.1" || h.Get("X-Forwarded-Host") != "front.test" || h.Get("X-Forwarded-Proto") != "http" ||
		h.Get("Via") != "1.1 sluice" || h.Get("Forwarded") == "" || got.Host == "" || got.body != "hello" || got.ContentLength != 5 {
		t.Errorf("legacy got %q, %q", got.head, got.body)
	}
}

// TestUnderscores pass, as without the gateway, but for those that CGI-like servers
// would read as a field that is the gateway's to say: whoever sends them, for a
// proxy that is trusted may pass them on for its client.
func TestUnderscores(t *testing.T) {
	const request = "GET /x HTTP/1.1\r\nHost: front.test\r\nX_Tenant: a\r\nx-Other_name: b\r\nX_Forwarded_For: 6.6.6.6\r\nx-forwarded_proto: https\r\n" +
		"X_REAL-IP: 6.6.6.6\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nX_forwarded-anything: 1\r\nX-Tenant: acme\r\n\r\n"
	for _, trusted := range [][]netip.Prefix{nil, {netip.MustParsePrefix("127.0.0.0/8")}} {
		got := sent(t, gatewayConfig{Config: legacy.Config{TrustedProxies: trusted}}, request).Header
		if got.Get("X_Tenant") != "a" || got.Get("X-Other_name") != "b" || got.Get("X-Tenant") != "acme" {
			t.Errorf("legacy got %v", got)
		}
		for name := range got {
			if lower := strings.ToLower(name); strings.Contains(name, "_") && (strings.Contains(lower, "forwarded") || strings.Contains(lower, "real") || strings.Contains(lower, "length") || strings.Contains(lower, "encoding")) {
				t.Errorf("legacy got %s: %q", name, got[name])
			}
		}
	}
	dropped := sent(t, gatewayConfig{Config: legacy.Config{DropUnderscores: true}}, request)
	if strings.Contains(dropped.head, "_") || dropped.Header.Get("X-Tenant") != "acme" {
		t.Errorf("legacy got %q", dropped.head)
	}
}

// TestTrailersAreOfferedIfTheClientTakesThem, as TE is for one hop only.
func TestTrailersAreOfferedIfTheClientTakesThem(t *testing.T) {
	got := sent(t, gatewayConfig{}, "GET /x HTTP/1.1\r\nHost: front.test\r\nConnection: TE\r\nTE: gzip, Trailers;q=0.5\r\n\r\n")
	if got.Header.Get("Te") != "trailers" || got.Header.Get("Connection") != "TE" {
		t.Errorf("legacy got %q", got.head)
	}
}

// TestHostIsLegacysOrTheClients.
func TestHostIsLegacysOrTheClients(t *testing.T) {
	for _, preserve := range []bool{false, true} {
		service := openRaw(t, answering(answerOK))
		g := openGateway(t, service.url, gatewayConfig{Config: legacy.Config{PreserveHost: preserve}})
		g.exchange(getClose)
		got := service.only(t)
		if want := map[bool]string{false: strings.TrimPrefix(service.url, "http://"), true: "front.test"}[preserve]; got.Host != want {
			t.Errorf("PreserveHost %v: legacy got Host %q", preserve, got.Host)
		}
		if got.Header.Get("X-Forwarded-Host") != "front.test" {
			t.Errorf("X-Forwarded-Host %q", got.Header.Get("X-Forwarded-Host"))
		}
	}
}
