package framing_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/router/framing"
)

func noContent() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
}

// passingRows are good messages; each is answered and the connection lives on.
var passingRows = []struct {
	name, raw string
	status    int
	want      seen
}{
	{"GET", "GET /a?b=%00&c=%zz;d HTTP/1.1\r\nHost: a\r\n\r\n", 200, seen{"GET", "/a?b=%00&c=%zz;d", "a", "", nil}},
	{"GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", 200, seen{"GET", "/", "a", "hi", nil}},
	{"POST", "POST / HTTP/1.1\r\nhost:a\r\ncontent-LENGTH:\t002 \r\n\r\nhi", 200, seen{"POST", "/", "a", "hi", nil}},
	{"POST of nothing", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 200, seen{"POST", "/", "a", "", nil}},
	{"HTTP/1.0 keep-alive without Host", "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", 200, seen{"POST", "/", "", "hi", nil}},
	{"chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n00A\r\n0123456789\r\n0\r\n\r\n", 200, seen{"POST", "/", "a", "hi0123456789", nil}},
	{"chunk extensions", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a=\"b;c\" ; d\r\nhi\r\n0;x\r\n\r\n", 200, seen{"POST", "/", "a", "hi", nil}},
	{"an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, seen{"GET", "/", "a", "", nil}},
	{"two empty lines first", "\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", 200, seen{"POST", "/", "a", "hi", nil}},
	{"blanks before a semicolon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2 \t;a = \"\\\"\\x;\" ;b\r\nhi\r\n0 ;x\r\n\r\n", 200, seen{"POST", "/", "a", "hi", nil}},
	{"a chunk line of 4 KiB", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("a", 4093) + "\r\nhi\r\n0;" + strings.Repeat("b", 4093) + "\r\n\r\n", 200, seen{"POST", "/", "a", "hi", nil}},
	{"sizes with many zeros", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000000000002\r\nhi\r\n" + strings.Repeat("0", 50) + "\r\n\r\n", 200, seen{"POST", "/", "a", "hi", nil}},
	{"trailers of 8 KiB", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-A: " + strings.Repeat("a", 8000) + "\r\nX-B: c\r\n\r\n", 200, seen{"POST", "/", "a", "hi", nil}},
	{"trailers", "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-A: b\r\nX-C:\r\n\r\n", 200, seen{"POST", "/", "a", "hi", nil}},
	{"absolute-form", "GET http://A.b:80/c?d HTTP/1.1\r\nHost: a.B:80\r\n\r\n", 200, seen{"GET", "http://A.b:80/c?d", "A.b:80", "", nil}},
	{"absolute-form with the port that goes without saying", "GET http://a:80/ HTTP/1.1\r\nHost: A\r\n\r\n", 200, seen{"GET", "http://a:80/", "a:80", "", nil}},
	{"absolute-form without it", "GET https://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n", 200, seen{"GET", "https://a/", "a", "", nil}},
	{"absolute-form without Host in HTTP/1.0", "GET http://b/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, seen{"GET", "http://b/", "b", "", nil}},
	{"absolute-form without a path", "GET http://[::1] HTTP/1.1\r\nHost: [::1]\r\n\r\n", 200, seen{"GET", "http://[::1]", "[::1]", "", nil}},
	{"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405, seen{"CONNECT", "a:443", "a:443", "", nil}},
	{"odd but legal values", "GET / HTTP/1.1\r\nHost: a\r\nX-A:\r\nx_b: a\tb \xff\xc3\xa9 : \"\\\r\n!#$%&'*+-.^_`|~: x\r\n\r\n", 200, seen{"GET", "/", "a", "", nil}},
	{"two slashes and bytes above ASCII", "GET //a/\xc3\xa9%2f HTTP/1.1\r\nHost: a\r\n\r\n", 200, seen{"GET", "//a/\xc3\xa9%2f", "a", "", nil}},
	{"bytes that are not UTF-8", "GET /\xe9t\xe9%c0\xff?\xc0\xaf HTTP/1.1\r\nHost: a\r\n\r\n", 200, seen{"GET", "/\xe9t\xe9%c0\xff?\xc0\xaf", "a", "", nil}},
	{"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 200, seen{"GET", "/", "", "", nil}},
}

func TestPassing(t *testing.T) {
	for _, row := range passingRows {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, doorConfig{})
			c := d.dial(t)
			for range 2 {
				c.send(row.raw)
				c.wantAnswer(row.status, "")
			}
			if got := d.forwarded(); !slices.Equal(got, []seen{row.want, row.want}) {
				t.Errorf("the handler saw %+v, want twice %+v", got, row.want)
			}
			if got := d.refusals(); len(got) > 0 {
				t.Errorf("refused: %q", got)
			}
		})
	}
}

// All rows through one connection, in one piece, byte by byte, and in pieces
// that cut every line somewhere.
func TestPipelineInPieces(t *testing.T) {
	var all strings.Builder
	var want []seen
	for _, row := range passingRows {
		all.WriteString(row.raw)
		want = append(want, row.want)
	}
	for _, size := range []int{1, 2, 3, 7, 64, all.Len()} {
		d := openDoor(t, doorConfig{})
		c := d.dial(t)
		c.Conn.(interface{ SetNoDelay(bool) error }).SetNoDelay(true)
		for piece := range slices.Chunk([]byte(all.String()), size) {
			c.send(string(piece))
		}
		for _, row := range passingRows {
			c.wantAnswer(row.status, "")
		}
		if got := d.forwarded(); !slices.Equal(got, want) {
			t.Errorf("pieces of %d: the handler saw\n%+v, want\n%+v", size, got, want)
		}
		if got := d.refusals(); len(got) > 0 {
			t.Errorf("pieces of %d: refused %q", size, got)
		}
	}
}

// The answers to good requests come first and whole, then the 400.
func TestPipelineEndsInRefusal(t *testing.T) {
	d := openDoor(t, doorConfig{handler: slow(20 * time.Millisecond)})
	c := d.dial(t)
	c.send("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" +
		"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n" + refusedRows[0].raw + smuggled)
	c.wantAnswer(200, "/1")
	c.wantAnswer(200, "/2")
	c.wantAnswer(400, "400 Bad Request")
	c.wantClosed()
}

// A broken body behind a request that is still being served must not look to
// that request's handler as if the client had gone.
func TestBrokenBodyLeavesEarlierRequestAlone(t *testing.T) {
	d := openDoor(t, doorConfig{handler: slow(50 * time.Millisecond)})
	c := d.dial(t)
	c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" +
		"POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\nhi\r\n0\r\n\r\n")
	c.wantAnswer(200, "/1")
	c.wantAnswer(200, "/2")
	c.wantClosed()
}

// slow answers with the path, or with 500 when its context ends before.
func slow(d time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
			http.Error(w, "cancelled", http.StatusInternalServerError)
		case <-time.After(d):
			w.Write([]byte(r.URL.Path))
		}
	})
}

// Two empty lines are ignored before each request, whatever was before it.
func TestEmptyLines(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
	d := openDoor(t, doorConfig{})
	c := d.dial(t)
	c.send("\r\n" + post + "\r\n" + post + "\r\n\r\n" + get + "\r\n\r\n" + get + "\r\n\r\n\r\n" + smuggled)
	for range 4 {
		c.wantAnswer(200, "")
	}
	c.wantAnswer(400, "400 Bad Request")
	c.wantClosed()
	if got := d.refusals(); !slices.Equal(got, []string{"empty_line"}) {
		t.Errorf("reasons %q", got)
	}
}

// The limit is for one head, not for all that come over a connection.
func TestManyHeadsUnderTheLimit(t *testing.T) {
	d := openDoor(t, doorConfig{limits: framing.Limits{MaxHeaderBytes: 1}})
	c := d.dial(t)
	for range 100 {
		c.send("POST / HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat("a", 200) + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-B: c\r\n\r\n")
		c.wantAnswer(200, "/ 0")
	}
}

func TestOptionsAsterisk(t *testing.T) {
	d := openDoor(t, doorConfig{})
	c := d.dial(t)
	c.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
	c.wantAnswer(200, "") // net/http's own
	c.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
	c.wantAnswer(200, "/b 0")
}
