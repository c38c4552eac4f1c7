package legacy

import (
	"maps"
	"net/http"
	"net/textproto"
	"sync"
)

// interim passes 1xx answers on to the client until the round trip returns. The
// transport calls got and proceed from goroutines of its own, perhaps later.
type interim struct {
	mute bool // HTTP/1.0 knows no 1xx

	mu    sync.Mutex
	w     http.ResponseWriter // guarded by mu
	ended bool                // guarded by mu
}

// end returns when w is the caller's alone.
func (i *interim) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
}

// got takes an interim answer of legacy's. A 100 is between us and legacy; the
// client gets one when its body is wanted.
func (i *interim) got(code int, header textproto.MIMEHeader) error {
	if code != http.StatusContinue {
		i.send(code, endToEnd(http.Header(header)))
	}
	return nil
}

// proceed asks the client for its body. The server would do it by itself, but
// not safely beside another interim answer.
func (i *interim) proceed() { i.send(http.StatusContinue, nil) }

func (i *interim) send(code int, header http.Header) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended || i.mute {
		return
	}
	own := i.w.Header()
	final := maps.Clone(own)
	clear(own)
	maps.Copy(own, header)
	i.w.WriteHeader(code)
	clear(own)
	maps.Copy(own, final)
}
