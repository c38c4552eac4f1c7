package legacy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// client speaks raw bytes to a gateway.
type client struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func (g *gateway) dial() *client {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &client{t: g.t, Conn: conn, in: bufio.NewReader(conn)}
}

func (c *client) send(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c, raw); err != nil {
		c.t.Fatal(err)
	}
}

// reply is an answer read to its end.
type reply struct {
	*http.Response
	body string
	err  error // of reading the body
}

// head reads the head of an answer to method.
func (c *client) head(method string) *http.Response {
	c.t.Helper()
	response, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	return response
}

// answer reads an answer whole.
func (c *client) answer(method string) reply {
	c.t.Helper()
	response := c.head(method)
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("answer %d breaks off: %v", response.StatusCode, err)
	}
	return reply{Response: response, body: string(body)}
}

// expect reads exactly these bytes.
func (c *client) expect(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.in, got)
	if string(got[:n]) != want {
		c.t.Fatalf("got %q (%v), want %q", got[:n], err, want)
	}
}

// rest reads to the end of the connection, clean or not.
func (c *client) rest() string {
	all, _ := io.ReadAll(c.in)
	return string(all)
}

// lines splits the raw bytes of one message: the first line, the fields sorted,
// the body.
func lines(raw string) (first string, fields []string, body string) {
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	all := strings.Split(head, "\r\n")
	slices.Sort(all[1:])
	return all[0], all[1:], body
}

// exchange sends one request on a connection of its own and returns all the
// bytes that come back.
func (g *gateway) exchange(request string) string {
	g.t.Helper()
	c := g.dial()
	c.send(request)
	return c.rest()
}

// getClose is the plainest request; the server closes behind the answer.
const getClose = "GET /x HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n"

// readReply reads the body behind a head.
func readReply(response *http.Response) reply {
	body, err := io.ReadAll(response.Body)
	return reply{Response: response, body: string(body), err: err}
}
