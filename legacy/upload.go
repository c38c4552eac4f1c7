package legacy

import (
	"io"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
)

// upload is a client's body that is sent on while it comes. The transport reads
// it from a goroutine of its own, perhaps longer than Forward runs; the server
// sees to it that such a late read gets nothing.
type upload struct {
	request *http.Request
	proceed func() // asks the client for its body
	asked   sync.Once
	begun   atomic.Bool        // something may have been read: it cannot be sent from the start again
	trailer http.Header        // sent behind the body; filled by the last Read
	came    func() http.Header // the trailers that may be sent on, as far as they came
	read    int64              // bytes of it, so far

	ended  atomic.Bool // the whole body came
	broken atomic.Bool // the client broke it off
	barred atomic.Bool // the connection that it would go out on is another client's
}

func (f *Forwarder) newUpload(r *http.Request, interim *interim) *upload {
	u := &upload{request: r, proceed: func() {}, came: func() http.Header { return f.requestTrailer(r) }}
	u.trailer = u.came()
	if expectsContinue(r) {
		u.proceed = interim.proceed
	}
	return u
}

// expectsContinue reports whether the client waits for a 100 before it sends
// its body.
func expectsContinue(r *http.Request) bool {
	return r.ProtoAtLeast(1, 1) && r.ContentLength != 0 && hasToken(r.Header["Expect"], "100-continue")
}

func (u *upload) Read(p []byte) (int, error) {
	if u.barred.Load() {
		return 0, errBarred // and nothing of the body is spent on it
	}
	u.begun.Store(true)
	u.asked.Do(u.proceed)
	n, err := u.request.Body.Read(p)
	u.read += int64(n)
	if u.read == u.request.ContentLength {
		u.ended.Store(true) // known now: legacy may answer before the next Read
	}
	switch {
	case err == io.EOF:
		maps.Copy(u.trailer, u.came())
		u.ended.Store(true)
	case err != nil:
		u.broken.Store(true)
	}
	return n, err
}

// Close leaves the client's body to the server, which closes it.
func (u *upload) Close() error { return nil }

// requestTrailer returns the trailers that may be sent on: before the end of
// the body those announced, without values.
func (f *Forwarder) requestTrailer(r *http.Request) http.Header {
	trailer := endToEnd(r.Trailer)
	for name := range trailer {
		// Some servers merge trailers into the header.
		if f.ambiguous(name) || isForwarding(name) || name == "Content-Length" || name == "Host" {
			delete(trailer, name)
		}
	}
	return trailer
}
