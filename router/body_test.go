package router_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"sluice/rollout"
	"sluice/router"
)

// padded is a document of so many bytes.
func padded(size int) string {
	const document = `{"doc_id":"a"}`
	return document + strings.Repeat(" ", size-len(document))
}

// chunked hides a body's length.
func chunked(body string) io.Reader { return io.MultiReader(strings.NewReader(body)) }

const tenMiB = 10 << 20

// A body of known length is refused at its head, so that nobody sends ten
// megabytes for nothing.
func TestTooLargeIsRefusedUnread(t *testing.T) {
	for _, expect := range []string{"", "Expect: 100-continue\r\n"} {
		d := openDoor(t, at(100))
		c := d.dial()
		c.send(fmt.Sprintf("POST /v1/documents HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n", expect, tenMiB+1))
		got := c.answer()
		p := got.wantProblem(t, http.StatusRequestEntityTooLarge, "too-large", "")
		if !strings.Contains(p.Detail, "10485760") {
			t.Errorf("detail %q does not name the limit", p.Detail)
		}
		c.wantClosed()
		d.wantNothingSent()
		if record := d.observer.next(); record.Sent || record.Result.Outcome != rollout.OutcomeInvalid || record.Result.Status != 413 {
			t.Errorf("record %+v", record)
		}
	}
}

func TestTooLargeInChunks(t *testing.T) {
	d := openDoor(t, at(100))
	c := d.dial()
	c.send(fmt.Sprintf("POST /v1/documents HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", tenMiB+1))
	c.send(padded(tenMiB + 1))
	c.answer().wantProblem(t, http.StatusRequestEntityTooLarge, "too-large", "")
	d.wantNothingSent()
}

func TestLargestBody(t *testing.T) {
	for name, body := range map[string]io.Reader{
		"length known": strings.NewReader(padded(tenMiB)),
		"chunked":      chunked(padded(tenMiB)),
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t)
			d.do(d.request(http.MethodPost, "/v1/documents", body)).want(t, http.StatusOK, "by legacy")
			if got := d.legacy.all(); len(got) != 1 || got[0].body != padded(tenMiB) {
				t.Errorf("legacy got %d requests", len(got))
			}
			if record := d.observer.next(); record.BytesIn != tenMiB {
				t.Errorf("%d bytes in", record.BytesIn)
			}
		})
	}
}

// The first guess at a chunked body's size was larger than a small limit, so
// that every chunked body was too large.
func TestChunkedBodyUnderASmallLimit(t *testing.T) {
	d := openDoor(t, limits(func(l *router.BodyLimits) { l.Max = 64 }))
	for size, status := range map[int]int{14: 200, 63: 200, 64: 200, 65: 413, 5000: 413} {
		d.do(d.request(http.MethodPost, "/v1/documents", chunked(padded(size)))).want(t, status, "")
	}
}

// A chunked body was counted at up to twice its size, so that a budget that
// could hold it never took it.
func TestChunkedBodyFitsABudgetOfTheLimit(t *testing.T) {
	d := openDoor(t, limits(func(l *router.BodyLimits) { l.Max, l.Budget = 9000, 9000 }))
	for _, size := range []int{4095, 4096, 4097, 8192, 8193, 9000} {
		d.do(d.request(http.MethodPost, "/v1/documents", chunked(padded(size)))).want(t, http.StatusOK, "by legacy")
	}
}

func TestBudget(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	d := openDoor(t, limits(func(l *router.BodyLimits) { l.Max, l.Budget = 100, 100 }),
		answering(func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
			held <- struct{}{}
			<-release
			w.WriteHeader(http.StatusNoContent)
			return rollout.Result{Status: http.StatusNoContent}, nil
		}))
	first := make(chan answer)
	go func() { first <- d.post(padded(60)) }()
	<-held
	if got := d.router.BodyBytes(); got != 60 {
		t.Errorf("%d bytes are held, want 60", got)
	}
	unread := d.dial()
	unread.send("POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 41\r\n\r\n")
	for name, got := range map[string]answer{
		"length known": unread.answer(),
		"chunked":      d.do(d.request(http.MethodPost, "/v1/documents", chunked(padded(41)))),
	} {
		t.Run(name, func(t *testing.T) {
			got.wantProblem(t, http.StatusServiceUnavailable, "overload", "")
			got.wantFields(t, "Retry-After", "2")
			if record := d.observer.next(); record.Sent || record.Result.Outcome != rollout.OutcomeRefused {
				t.Errorf("record %+v", record)
			}
		})
	}
	close(release)
	(<-first).want(t, http.StatusNoContent, "")
	d.observer.next() // after which the bytes are given back
	go func() { <-held }()
	d.send(http.MethodPost, "/v1/documents", padded(40)).want(t, http.StatusNoContent, "")
	if got := len(d.legacy.all()); got != 2 {
		t.Errorf("legacy got %d requests, want 2", got)
	}
}

// Each body's bytes come back, however it ends.
func TestBudgetIsGivenBack(t *testing.T) {
	d := openDoor(t, limits(func(l *router.BodyLimits) { l.Max, l.Budget = 100, 100 }))
	for range 20 {
		d.post(padded(100)).want(t, http.StatusOK, "")
		d.post(padded(101)).want(t, http.StatusRequestEntityTooLarge, "")
		d.post("{").want(t, http.StatusOK, "by legacy")
		d.do(d.request(http.MethodPost, "/v1/documents", chunked(padded(101)))).want(t, http.StatusRequestEntityTooLarge, "")
	}
}
