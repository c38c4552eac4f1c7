package router

import (
	"context"
	"errors"
	"net/http"
	"time"

	"sluice/rollout"
)

// keptFields are those of an answer that are kept with it: what describes the body
// and what the client does next. Cookies, trailers and the connection's own fields
// are the first client's alone.
func keptFields() [13]string {
	return [...]string{
		"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Location", "Content-Type",
		"Etag", "Expires", "Last-Modified", "Link", "Location", "Retry-After", "Vary",
	}
}

// capture writes an answer to the client and remembers it, as far as there is room.
// It changes nothing of what the client gets. Once the client has left, it goes on to
// take the answer for whoever repeats the request, as long as there is room for it.
type capture struct {
	http.ResponseWriter
	room  func(kept *rollout.Answer, more int) bool
	begun func()   // called when the final answer begins
	more  []string // fields that are kept besides, in any letter case

	answer rollout.Answer // Status is 0 until then
	over   bool           // there was no room, and nothing of the answer is kept
	left   bool           // the client has left
}

// newCapture remembers an answer while room says that there is room for so many bytes
// more of its body.
func newCapture(w http.ResponseWriter, room func(kept *rollout.Answer, more int) bool) *capture {
	return &capture{ResponseWriter: w, room: room, begun: func() {}}
}

// within is room for answers up to a limit, in bytes.
func within(limit int) func(*rollout.Answer, int) bool {
	return func(kept *rollout.Answer, more int) bool { return kept.Size()+more <= limit }
}

// Unwrap is for http.ResponseController.
func (c *capture) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader passes interim answers on, which may come from other goroutines.
func (c *capture) WriteHeader(status int) {
	if status >= http.StatusOK && c.answer.Status == 0 {
		c.begin(status)
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *capture) begin(status int) {
	c.answer = rollout.Answer{Status: status, Header: map[string][]string{}}
	kept := keptFields()
	for _, name := range append(kept[:], c.more...) {
		name = http.CanonicalHeaderKey(name)
		if values := c.Header()[name]; len(values) > 0 {
			c.answer.Header[name] = values
		}
	}
	c.over = !c.room(&c.answer, 0)
	c.begun()
}

var errNotKept = errors.New("the client left, and its answer is too large to be kept")

func (c *capture) Write(p []byte) (int, error) {
	if c.answer.Status == 0 {
		c.begin(http.StatusOK)
	}
	if !c.over && !c.room(&c.answer, len(p)) {
		c.over, c.answer.Body = true, nil
	}
	if !c.over {
		c.answer.Body = append(c.answer.Body, p...)
	}
	if !c.left {
		n, err := c.ResponseWriter.Write(p)
		if err == nil {
			return n, nil
		}
		c.left = true
	}
	if c.over {
		return 0, errNotKept
	}
	return len(p), nil
}

// clientless is how long the rest of an answer is waited for whose client has left.
const clientless = 30 * time.Second

// afterClient calls cancel that long after the client's context has ended, unless
// it is stopped before that.
func afterClient(client context.Context, cancel func()) (stop func() bool) {
	return context.AfterFunc(client, func() { time.AfterFunc(clientless, cancel) })
}
