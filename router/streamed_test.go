package router_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"sluice/rollout"
	"sluice/router"
)

// wantStreamed checks that legacy answered, and why the request has no claim.
func (d *door) wantStreamed(got answer, reason string, bytes int64) {
	d.t.Helper()
	got.want(d.t, http.StatusOK, "by legacy")
	got.wantFields(d.t, "X-From", "legacy", "Rollout-Path", "legacy", "Rollout-Reason", "unroutable", "Rollout-Bucket", "")
	record := d.observer.next()
	if !record.Sent || record.Unroutable != reason || record.Decision.Reason != rollout.ReasonUnroutable || record.BytesIn != bytes {
		d.t.Errorf("record %+v, want the reason %q and %d bytes", record, reason, bytes)
	}
}

// Where nothing can be on Temporal a body over max_body goes to legacy as it comes,
// and only as much of it is held as may be.
func TestTooLargeIsStreamed(t *testing.T) {
	const size = 11 << 20
	for _, row := range []struct {
		name, head, body string
		length           int64
	}{
		{"length known", fmt.Sprintf("Content-Length: %d", size), padded(size), size},
		{"chunked", "Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n0\r\nX-Sum: 7\r\n\r\n", size, padded(size)), -1},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := openRawLegacy(t)
			d := openDoor(t, at(0), l.forwarding, legacyOnly)
			c := d.dial()
			c.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\n" + row.head + "\r\n\r\n" + row.body)
			d.wantStreamed(c.answer(), "too-large", size)
			f := l.next()
			if f.body != padded(size) || f.length != row.length || row.length < 0 && f.trailer.Get("X-Sum") != "7" {
				t.Errorf("legacy got %d bytes as %d, trailer %v", len(f.body), f.length, f.trailer)
			}
			if held := d.router.BodyBytes(); held != 0 {
				t.Errorf("%d bytes are held", held)
			}
			c.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\n" + document("a"))
			c.answer().wantFields(t, "Rollout-Reason", "split") // the connection goes on
		})
	}
}

// Legacy is asked before its client is: as it would be without the gateway.
func TestTooLargeWithExpectIsLegacysToRefuse(t *testing.T) {
	head := fmt.Sprintf("POST /v1/documents HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", tenMiB+1)
	l := openRawLegacy(t)
	d := openDoor(t, at(0), l.forwarding, legacyOnly)
	c := d.dial()
	c.send(head)
	if line, err := c.in.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	c.in.ReadString('\n')
	c.send(padded(tenMiB + 1))
	c.answer().want(t, http.StatusOK, "by legacy")
	if f := l.next(); f.header.Get("Expect") != "100-continue" || len(f.body) != tenMiB+1 {
		t.Errorf("legacy got %v and %d bytes", f.header, len(f.body))
	}
	l.mu.Lock()
	l.said = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!"
	l.mu.Unlock()
	c = d.dial()
	c.send(head)
	c.answer().want(t, http.StatusRequestEntityTooLarge, "no!")
	c.wantClosed()
}

// A body that comes slowly is handed on part by part once it has taken too long.
func TestSlowBodyIsStreamed(t *testing.T) {
	const parts, size = 64, 16 // 1 KiB
	for _, chunks := range []bool{false, true} {
		t.Run(fmt.Sprintf("chunks %v", chunks), func(t *testing.T) {
			l := openRawLegacy(t)
			d := openDoor(t, at(0), l.forwarding, legacyOnly, impatient())
			c := d.dial()
			framing, part := fmt.Sprintf("Content-Length: %d", parts*size), func(s string) string { return s }
			if chunks {
				framing, part = "Transfer-Encoding: chunked", func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
			}
			body := padded(parts * size)
			c.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n\r\n" + part(body[:size]))
			if got := l.awaitPart(); got != body[:size] { // only the end of patience makes it come
				t.Fatalf("legacy got %q at first", got)
			}
			for i := 1; i < parts; i++ {
				c.send(part(body[i*size:][:size]))
				if i == 1 {
					l.awaitPart()
				}
			}
			if chunks {
				c.send("0\r\nX-Sum: 7\r\n\r\n")
			}
			d.wantStreamed(c.answer(), "too-slow", parts*size)
			if f := l.next(); f.body != body || (f.length < 0) != chunks || chunks && f.trailer.Get("X-Sum") != "7" {
				t.Errorf("legacy got %q as %d, trailer %v", f.body, f.length, f.trailer)
			}
			c.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\n" + document("a"))
			c.answer().wantFields(t, "Rollout-Reason", "split") // the connection goes on
		})
	}
}

// A head whose body does not come reaches legacy, too, which waits for it.
func TestOnlyAHeadIsStreamed(t *testing.T) {
	for _, expect := range []string{"", "Expect: 100-continue\r\n"} {
		l := openRawLegacy(t)
		l.said = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!"
		d := openDoor(t, at(0), l.forwarding, legacyOnly, impatient())
		c := d.dial()
		c.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\n" + expect + "Content-Length: 50\r\n\r\n")
		if expect != "" {
			c.in.ReadString('\n')
			c.in.ReadString('\n')
		}
		c.answer().want(t, http.StatusForbidden, "no!")
		c.wantClosed() // its client has stalled, and is let go
	}
}

func TestOverloadIsStreamed(t *testing.T) {
	l := openRawLegacy(t)
	d := openDoor(t, at(0), l.forwarding, legacyOnly, limits(func(l *router.BodyLimits) { l.Max, l.Budget = 10_000, 10_000 }))
	first := d.dial()
	first.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n" + document("a"))
	for d.router.BodyBytes() == 0 { // until it holds the budget
		d.client.CloseIdleConnections()
	}
	for _, row := range []struct{ name, head, body string }{
		{"length known", "Content-Length: 41", padded(41)},
		{"chunked", "Transfer-Encoding: chunked", inChunks(padded(41))},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := d.dial()
			c.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\n" + row.head + "\r\n\r\n" + row.body)
			d.wantStreamed(c.answer(), "overload", 41)
			if f := l.next(); f.body != padded(41) {
				t.Errorf("legacy got %q", f.body)
			}
		})
	}
	first.send(padded(10_000)[len(document("a")):])
	first.answer().wantFields(t, "Rollout-Reason", "split")
	d.observer.next()
	// A body of unknown length that has taken some of the budget and gets no more.
	second := d.dial()
	second.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + document("a"))
	for d.router.BodyBytes() == 0 {
		d.client.CloseIdleConnections()
	}
	l.next()
	d.wantStreamed(d.do(d.request(http.MethodPost, "/v1/documents", chunked(padded(9000)))), "overload", 9000)
	if f := l.next(); f.body != padded(9000) {
		t.Errorf("legacy got %d bytes", len(f.body))
	}
	second.Close()
}

// A client that leaves in the middle of a streamed body leaves a part of it, as it
// would without the gateway; and it is never given for the whole.
func TestStreamedBodyThatBreaksOff(t *testing.T) {
	l := openRawLegacy(t)
	d := openDoor(t, at(0), l.forwarding, legacyOnly, impatient())
	c := d.dial()
	c.send(partOf["length known"])
	if got := l.awaitPart(); got != `{"doc_id":"a"}` {
		t.Errorf("legacy got %q", got)
	}
	c.Close()
	if f := l.next(); f.whole || f.body != `{"doc_id":"a"}` {
		t.Errorf("legacy got %+v", f)
	}
	if record := d.observer.next(); record.Result.Outcome == rollout.OutcomeOK {
		t.Errorf("record %+v", record)
	}
}

// Whether a body may be streamed is asked when that is the question, and not before.
func TestWhatIsAskedWhenPatienceEnds(t *testing.T) {
	var asked atomic.Int32
	l := openRawLegacy(t)
	d := openDoor(t, at(0), l.forwarding, impatient(), func(s *setup) {
		s.LegacyOnly = func() bool { asked.Add(1); return false }
	})
	d.post(document("a")).want(t, http.StatusOK, "by legacy")
	if n := asked.Load(); n != 0 {
		t.Errorf("asked %d times for a body that came", n)
	}
	c := d.dial()
	c.send(partOf["chunked"])
	c.answer().wantProblem(t, http.StatusRequestTimeout, "too-slow", "")
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// Where something can be on Temporal, no byte of what is over a limit reaches legacy.
func TestNothingIsStreamedWhereSomethingCanBeOnTemporal(t *testing.T) {
	for name, row := range map[string]struct {
		raw    string
		change func(*router.BodyLimits)
		status int
		slug   string
	}{
		"too large":            {"Content-Length: 101\r\n\r\n" + padded(101), func(l *router.BodyLimits) { l.Max = 100 }, 413, "too-large"},
		"too large, in chunks": {"Transfer-Encoding: chunked\r\n\r\n" + inChunks(padded(101)), func(l *router.BodyLimits) { l.Max = 100 }, 413, "too-large"},
		"too slow":             {"Content-Length: 101\r\n\r\n{", func(l *router.BodyLimits) { l.Patience, l.MinRate = 1, 0 }, 408, "too-slow"},
		"overload":             {"Content-Length: 101\r\n\r\n" + padded(101), func(l *router.BodyLimits) { l.Budget = 100 }, 503, "overload"},
		"overload in chunks":   {"Transfer-Encoding: chunked\r\n\r\n" + inChunks(padded(101)), func(l *router.BodyLimits) { l.Budget = 100 }, 503, "overload"},
	} {
		for _, percent := range []float64{0, 100} {
			t.Run(fmt.Sprintf("%s at %v %%", name, percent), func(t *testing.T) {
				l := openRawLegacy(t)
				d := openDoor(t, at(percent), l.forwarding, limits(row.change))
				c := d.dial()
				c.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\n" + row.raw)
				c.answer().wantProblem(t, row.status, row.slug, "")
				c.wantClosed()
				if record := d.observer.next(); record.Sent || record.Unroutable != "" {
					t.Errorf("record %+v", record)
				}
				l.mu.Lock()
				defer l.mu.Unlock()
				if len(l.all) > 0 || len(l.part) > 0 {
					t.Errorf("legacy got %+v", l.all)
				}
			})
		}
	}
}

// Legacy that is away is the answer, and what was held is given back.
func TestStreamedToNobody(t *testing.T) {
	d := openDoor(t, at(0), legacyOnly, impatient(), answering(func(context.Context, http.ResponseWriter, *http.Request) (rollout.Result, error) {
		return rollout.Result{}, rollout.ErrNotAccepted
	}))
	d.legacy.deaf = true
	c := d.dial()
	c.send(partOf["length known"])
	c.answer().wantProblem(t, http.StatusBadGateway, "legacy-unreachable", "")
	c.wantClosed()
	if strings.Contains(fmt.Sprint(d.legacy.all()), "doc_id") {
		t.Error("it was read")
	}
}
