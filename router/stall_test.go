package router_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/router"
)

// impatient gives a body 50 ms, whatever its length.
func impatient() func(*setup) {
	return limits(func(l *router.BodyLimits) { l.Patience, l.MinRate = 50*time.Millisecond, 0 })
}

// partOf are heads of documents that never come whole.
var partOf = map[string]string{
	"length known": "POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n" + `{"doc_id":"a"}`,
	"chunked":      "POST /v1/documents HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\ne\r\n" + `{"doc_id":"a"}` + "\r\n",
	"only a head":  "POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n",
}

// The server used to wait without end for the rest of a body that had been
// refused, and the connection with it; hence wantClosed.
func TestSlowBody(t *testing.T) {
	for name, raw := range partOf {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, at(100), impatient())
			c := d.dial()
			c.send(raw)
			c.answer().wantProblem(t, http.StatusRequestTimeout, "too-slow", "")
			c.wantClosed()
			d.wantNothingSent()
			if record := d.observer.next(); record.Sent || record.Result.Outcome != rollout.OutcomeInvalid {
				t.Errorf("record %+v", record)
			}
		})
	}
}

func TestRefusedClientThatStallsIsLetGo(t *testing.T) {
	d := openDoor(t, limits(func(l *router.BodyLimits) { l.Budget = 10 }))
	c := d.dial()
	c.send(partOf["only a head"])
	c.answer().wantProblem(t, http.StatusServiceUnavailable, "overload", "")
	c.wantClosed()
}

// A longer body may take longer.
func TestLengthBuysTime(t *testing.T) {
	d := openDoor(t, limits(func(l *router.BodyLimits) { l.Patience, l.MinRate = time.Millisecond, 1 }))
	c := d.dial()
	c.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\n" + `{"doc_id"`)
	time.Sleep(20 * time.Millisecond)
	c.send(`:"a"}`)
	c.answer().want(t, http.StatusOK, "by legacy")
}

// The body's deadline must not outlive the body: neither a slow answer nor the
// next request on the connection is its affair.
func TestPatienceIsForTheBodyOnly(t *testing.T) {
	d := openDoor(t, impatient(), answering(func(_ context.Context, w http.ResponseWriter, r *http.Request) (rollout.Result, error) {
		select {
		case <-r.Context().Done():
			t.Error("the client seems to have left")
		case <-time.After(100 * time.Millisecond):
		}
		w.WriteHeader(http.StatusNoContent)
		return rollout.Result{Status: http.StatusNoContent}, nil
	}))
	c := d.dial()
	for range 2 {
		c.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\n" + `{"doc_id":"a"}`)
		c.answer().want(t, http.StatusNoContent, "")
		time.Sleep(100 * time.Millisecond)
	}
}

// A part of a document reaches nobody, even where the part by itself is good
// JSON and unroutable requests are passed on.
func TestClientThatStopsMidBody(t *testing.T) {
	for name, raw := range partOf {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, at(100))
			c := d.dial()
			c.send(raw)
			if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			c.answer().wantProblem(t, http.StatusBadRequest, "body", "")
			c.wantClosed()
			d.wantNothingSent()
			if record := d.observer.next(); record.Sent || record.Result.Outcome != rollout.OutcomeInvalid || record.Result.Err == nil {
				t.Errorf("record %+v", record)
			}
		})
	}
}

func TestClientThatIsGoneMidBody(t *testing.T) {
	d := openDoor(t, at(100))
	c := d.dial()
	c.send(partOf["length known"])
	c.Close()
	if record := d.observer.next(); record.Sent {
		t.Errorf("record %+v", record)
	}
	d.wantNothingSent()
}

// A body that is passed on while it comes is not waited for either when the answer is
// there.
func TestStalledUploadIsLetGoWithItsAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		said, fields string
		status       int
	}{
		"refused":             {"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!", "", 413},
		"refused when asked":  {"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!", "Expect: 100-continue\r\n", 417},
		"refused and goes on": {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nno!", "", 401},
	} {
		for _, length := range []string{"Content-Length: 50\r\n", "Transfer-Encoding: chunked\r\n"} {
			t.Run(name+", "+length[:7], func(t *testing.T) {
				l := openRawLegacy(t)
				l.said = row.said
				d := openDoor(t, l.forwarding)
				c := d.dial()
				c.send("PUT /other HTTP/1.1\r\nHost: a\r\n" + row.fields + length + "\r\n")
				if got := c.answer(); got.status != row.status {
					t.Errorf("answer %d, want %d", got.status, row.status)
				}
				c.wantClosed()
			})
		}
	}
}

func TestStalledUploadIsLetGoIfLegacyIsAway(t *testing.T) {
	d := openDoor(t, answering(func(context.Context, http.ResponseWriter, *http.Request) (rollout.Result, error) {
		return rollout.Result{}, rollout.ErrNotAccepted
	}))
	d.legacy.deaf = true
	c := d.dial()
	c.send("PUT /other HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n")
	c.answer().wantProblem(t, http.StatusBadGateway, "legacy-unreachable", "")
	c.wantClosed()
}
