package invisible_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// probe is what a client asks to find out whether its connection is still there.
const probe = "/again"

// note is one thing that was noticed. The message is empty unless what says that
// there was one: request, interim, answer or cut.
type note struct {
	what    string
	message message
}

// client speaks raw bytes and writes down what it gets.
type client struct {
	*stage
	door  string // host:port
	conn  *net.TCPConn
	in    *bufio.Reader
	notes *[]note // of all clients of the performance
}

// another is another client at the same door.
func (c *client) another() *client {
	conn, err := net.Dial("tcp", c.door)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &client{stage: c.stage, door: c.door, conn: conn.(*net.TCPConn), in: bufio.NewReader(conn), notes: c.notes}
}

func (c *client) note(what string) { *c.notes = append(*c.notes, note{what: what}) }

// send writes bytes as they are. That nobody reads them any more is told by the
// answer, or by its absence.
func (c *client) send(raw string) { _, _ = io.WriteString(c.conn, raw) }

func (c *client) halfClose() { c.conn.CloseWrite() }

// next reads one message, interim or not, and returns its status; 0 if there was
// none.
func (c *client) next(method string) int {
	m, err := readHead(c.in)
	if err != nil {
		c.note(ending(err))
		return 0
	}
	n := note{what: "answer"}
	status := m.status()
	switch {
	case status == 101:
	case status < 200:
		n.what = "interim"
	case method == "HEAD", status == 204, status == 304:
	default:
		if err := m.readBody(c.in, true); err != nil {
			n.what = "cut"
		}
	}
	n.message = m
	*c.notes = append(*c.notes, n)
	return status
}

// answer reads up to the final answer to the method and returns its status.
func (c *client) answer(method string) int {
	for {
		if status := c.next(method); status == 0 || status == 101 || status >= 200 {
			return status
		}
	}
}

// ask sends a request and reads its answer.
func (c *client) ask(raw string) int {
	c.send(raw)
	method, _, _ := strings.Cut(raw, " ")
	return c.answer(method)
}

// again asks for one thing more on the same connection and notes whether it is
// still served.
func (c *client) again() {
	c.send("GET " + probe + " HTTP/1.1\r\nHost: docs.example\r\n\r\n")
	m, err := readHead(c.in)
	switch {
	case err == nil && m.status() == 200 && m.readBody(c.in, true) == nil && m.body == "again":
		c.note("the connection is kept")
	case err == nil:
		c.note("the connection is kept, but a wrong answer came: " + m.start)
	default:
		c.note(ending(err))
	}
}

// over notes that the connection ends without another byte.
func (c *client) over() {
	rest, err := io.ReadAll(c.in)
	if err == nil {
		err = io.EOF
	}
	c.note("then came " + quoted(string(rest)) + " and " + ending(err))
}

// until reads bytes up to the text, which must come while legacy still waits.
func (c *client) until(text string) {
	var got strings.Builder
	for !strings.HasSuffix(got.String(), text) {
		b, err := c.in.ReadByte()
		if err != nil {
			c.note("instead of " + quoted(text) + ": " + ending(err))
			return
		}
		got.WriteByte(b)
	}
	c.note(quoted(text) + " came")
}

// ending says how a connection ended. An end and a reset are one, for a client that
// has unread bytes may be told either.
func ending(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "nothing came in time"
	}
	return "the connection is closed"
}
