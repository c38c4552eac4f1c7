package legacy_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// TestAnswerTrailers: announced or not, they reach the client.
func TestAnswerTrailers(t *testing.T) {
	for _, test := range []struct {
		name, head, trailer string
		announced           string
		want                http.Header
	}{
		{"announced", "Trailer: X-Sum, X-Two\r\n", "X-Sum: 7\r\nX-Two: a\r\nX-Two: b\r\n", "X-Sum, X-Two", http.Header{"X-Sum": {"7"}, "X-Two": {"a", "b"}}},
		{"unannounced", "", "X-Sum: 7\r\n", "", http.Header{"X-Sum": {"7"}}},
		{"both", "Trailer: X-Sum\r\n", "X-Late: 1\r\nX-Sum: 7\r\n", "X-Sum", http.Header{"X-Sum": {"7"}, "X-Late": {"1"}}},
		{"announced and left out", "Trailer: X-Sum\r\n", "", "X-Sum", http.Header{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			service := openRaw(t, answering("HTTP/1.1 200 OK\r\n"+test.head+"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"+test.trailer+"\r\n"))
			g := openGateway(t, service.url, gatewayConfig{})
			c := g.dial()
			c.send("GET /x HTTP/1.1\r\nHost: front.test\r\nTE: trailers\r\n\r\n")
			response := c.head(http.MethodGet)
			announced := make([]string, 0, 2)
			for name := range response.Trailer {
				announced = append(announced, name)
			}
			if len(announced) != len(strings.FieldsFunc(test.announced, func(r rune) bool { return r == ',' })) {
				t.Errorf("announced %v, want %q", announced, test.announced)
			}
			got := readReply(response)
			for name, values := range got.Trailer {
				if len(values) == 0 {
					delete(got.Trailer, name)
				}
			}
			if got.err != nil || got.body != "abc" || (len(got.Trailer)+len(test.want) > 0 && !reflect.DeepEqual(got.Trailer, test.want)) {
				t.Errorf("got %q, %v, %v; want %v", got.body, got.Trailer, got.err, test.want)
			}
			g.ok()
		})
	}
}

// TestAnswerTrailersCannotFrame: hop-by-hop fields and Content-Length end here,
// in a trailer too. They once went through if they were not announced.
func TestAnswerTrailersCannotFrame(t *testing.T) {
	service := openRaw(t, answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"+
		"Keep-Alive: 5\r\nConnection: close\r\nContent-Length: 9\r\nX-Sum: 7\r\n\r\n"))
	g := openGateway(t, service.url, gatewayConfig{})
	if _, _, body := lines(g.exchange(getClose)); body != "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n" {
		t.Errorf("got %q", body)
	}
	g.ok()
}

// TestTrailersOfEmptyAnswer: they come though there is no body to stand behind.
func TestTrailersOfEmptyAnswer(t *testing.T) {
	service := openRaw(t, answering("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 0\r\n\r\n"))
	g := openGateway(t, service.url, gatewayConfig{})
	c := g.dial()
	c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
	if got := c.answer(http.MethodGet); got.Trailer.Get("X-Sum") != "0" {
		t.Errorf("trailer %v", got.Trailer)
	}
}

// TestRequestTrailers: they reach legacy, whether the body is streamed or has
// been read; a trailer cannot bring in a field that the header may not hold.
func TestRequestTrailers(t *testing.T) {
	for _, test := range []struct {
		name, head, trailer string
		want                http.Header
	}{
		{"announced", "Trailer: X-Sum\r\n", "X-Sum: 7\r\n", http.Header{"X-Sum": {"7"}}},
		{"unannounced", "", "X-Sum: 7\r\n", http.Header{"X-Sum": {"7"}}},
		{"underscore", "", "X_Sum: 7\r\n", http.Header{"X_sum": {"7"}}},
		{"smuggled", "", "X-Forwarded-For: 1.2.3.4\r\nX_Forwarded_For: 1.2.3.4\r\nContent_Length: 1\r\nForwarded: for=x\r\nX-Real-IP: 1.2.3.4\r\nX-Sum: 7\r\n", http.Header{"X-Sum": {"7"}}},
	} {
		for _, buffered := range []bool{false, true} {
			name := test.name + map[bool]string{false: "/streamed", true: "/buffered"}[buffered]
			t.Run(name, func(t *testing.T) {
				service := openRaw(t, answering(answerOK))
				g := openGateway(t, service.url, gatewayConfig{buffered: buffered})
				c := g.dial()
				c.send("POST /x HTTP/1.1\r\nHost: front.test\r\n" + test.head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n" + test.trailer + "\r\n")
				c.answer(http.MethodPost)
				g.ok()
				got := service.only(t)
				if got.body != "abc" || !reflect.DeepEqual(got.Trailer, test.want) {
					t.Errorf("legacy got %q, trailer %v", got.body, got.Trailer)
				}
			})
		}
	}
}
