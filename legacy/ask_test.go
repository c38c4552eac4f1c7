package legacy_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"sluice/legacy"
)

// TestOutboundIsWhatIsForwarded: an authorisation check is asked with the very fields
// and Host that legacy would judge by.
func TestOutboundIsWhatIsForwarded(t *testing.T) {
	const request = "POST /x HTTP/1.1\r\nHost: front.test\r\nConnection: X-Hidden, te, keep-alive\r\nTE: trailers\r\nX-Hidden: a\r\nAuthorization: Bearer a\r\n" +
		"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX_Forwarded_For: 7.7.7.7\r\nX_Tenant: t\r\n" +
		"Idempotency-Key: k\r\nVia: 1.0 inner\r\nContent-Length: 5\r\n\r\nhello"
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, config := range map[string]legacy.Config{
		"plain": {}, "trusted": {TrustedProxies: loopback}, "the client's Host": {PreserveHost: true}, "drop": {DropUnderscores: true},
	} {
		t.Run(name, func(t *testing.T) {
			service := openRaw(t, answering(answerOK))
			var fields http.Header
			var host string
			g := openGateway(t, service.url, gatewayConfig{Config: config, buffered: true, before: func(g *gateway, r *http.Request) {
				fields, host = g.forwarder.Outbound(r)
			}})
			c := g.dial()
			c.send(request)
			c.answer(http.MethodPost)
			got := service.only(t)
			told := maps.Clone(got.Header)
			for _, own := range []string{"Connection", "Te"} { // they are between us and legacy
				delete(told, own)
			}
			delete(fields, "User-Agent") // without a value: none is sent
			if !reflect.DeepEqual(told, fields) || host != got.Host {
				t.Errorf("legacy was told %v at %s\nand would be asked with %v at %s", told, got.Host, fields, host)
			}
			if strings.Contains(got.head, "7.7.7.7") || fields.Get("X-Forwarded-For") == "" {
				t.Errorf("legacy was told %v", told)
			}
		})
	}
}

// TestQuestionsAreNotAskedOnAnothersConnection: legacy would answer them as that one.
func TestQuestionsAreNotAskedOnAnothersConnection(t *testing.T) {
	service := openRaw(t, func(c *rawConn) {
		for n := 1; ; n++ {
			h, ok := c.read()
			if !ok {
				return
			}
			bound := map[bool]string{true: "Persistent-Auth: true\r\n"}[h.Method == http.MethodPost]
			c.write(fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: 1\r\n\r\n%d", bound, n))
		}
	})
	clients := &attendance{}
	g := openGateway(t, service.url, gatewayConfig{buffered: true, tune: clients.tune})
	if got := g.dial().ask(""); got != "200 1" {
		t.Fatalf("got %q", got)
	}
	g.ok()
	stranger, err := http.NewRequest(http.MethodPost, g.url("/x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	question, err := http.NewRequest(http.MethodGet, service.url+"/auth", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := g.forwarder.Ask(t.Context(), stranger, question)
	if err != nil {
		t.Fatal(err)
	}
	if got := readReply(response); got.body != "1" {
		t.Errorf("it was request %q of its connection", got.body)
	}
	response.Body.Close()
}
