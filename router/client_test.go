package router_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/router"
)

// answer is what a client got, whole.
type answer struct {
	status int
	header http.Header
	body   string
	closes bool // the connection, by its own word
}

// post sends a document; fields are pairs of name and value.
func (d *door) post(body string, fields ...string) answer {
	d.t.Helper()
	return d.send(http.MethodPost, "/v1/documents", body, fields...)
}

func (d *door) send(method, target, body string, fields ...string) answer {
	d.t.Helper()
	return d.do(d.request(method, target, strings.NewReader(body), fields...))
}

func (d *door) request(method, target string, body io.Reader, fields ...string) *http.Request {
	d.t.Helper()
	r, err := http.NewRequest(method, "http://"+d.addr+target, body)
	if err != nil {
		d.t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

func (d *door) do(r *http.Request) answer {
	d.t.Helper()
	response, err := d.client.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	return whole(d.t, response)
}

func whole(t testing.TB, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("answer %d breaks off: %v", response.StatusCode, err)
	}
	return answer{response.StatusCode, response.Header, string(body), response.Close}
}

// want compares status and body; an empty body means any.
func (a answer) want(t testing.TB, status int, body string) {
	t.Helper()
	if a.status != status || body != "" && a.body != body {
		t.Errorf("answer %d %q, want %d %q", a.status, a.body, status, body)
	}
}

// wantFields compares header fields; fields are pairs of name and value, where
// an empty value means none.
func (a answer) wantFields(t testing.TB, fields ...string) {
	t.Helper()
	for i := 0; i < len(fields); i += 2 {
		if got := strings.Join(a.header.Values(fields[i]), " | "); got != fields[i+1] {
			t.Errorf("%s is %q, want %q", fields[i], got, fields[i+1])
		}
	}
}

type problemBody struct {
	Type, Title, Detail, Reason string
	Status                      int
}

// wantProblem checks that the answer is a problem of that type and reason, and
// says something for people.
func (a answer) wantProblem(t testing.TB, status int, slug, reason string) problemBody {
	t.Helper()
	var p problemBody
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("answer %d %q is no problem: %v", a.status, a.body, err)
	}
	a.want(t, status, "")
	a.wantFields(t, "Content-Type", "application/problem+json", "Cache-Control", "no-store")
	if p.Type != router.ProblemType+slug || p.Reason != reason || p.Status != status {
		t.Errorf("problem %+v, want %d %s %q", p, status, slug, reason)
	}
	if p.Title == "" || p.Detail == "" {
		t.Errorf("problem %+v says nothing to people", p)
	}
	return p
}

// conn speaks raw bytes.
type conn struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func (d *door) dial() *conn {
	d.t.Helper()
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &conn{t: d.t, Conn: c, in: bufio.NewReader(c)}
}

func (c *conn) send(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c, raw); err != nil {
		c.t.Fatal(err)
	}
}

func (c *conn) answer() answer {
	c.t.Helper()
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	return whole(c.t, response)
}

// wantClosed checks that the server says nothing more and closes.
func (c *conn) wantClosed() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.t.Errorf("after the last answer: %q, %v; want a closed connection", rest, err)
	}
}
