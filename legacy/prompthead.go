package legacy

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// headPatience is how long the head of an answer of known length waits for the
// first part of its body, to go out in one piece with it.
const headPatience = 5 * time.Millisecond

// prompt is the body of an answer whose head goes out by itself if nothing follows
// it at once: legacy may have sent it so that its client knows, long before it has
// the body.
type prompt struct {
	body  io.Reader
	timer *time.Timer

	mu    sync.Mutex
	w     http.ResponseWriter // guarded by mu until the first Read has returned
	ended bool                // guarded by mu; w is the reader's alone
}

// promptHead returns the answer's body. Its head must have been written to w, which
// is the reader's again when the first Read has returned.
func promptHead(w http.ResponseWriter, response *http.Response) io.Reader {
	if response.ContentLength <= 0 || response.Body == http.NoBody {
		return response.Body
	}
	p := &prompt{body: response.Body, w: w}
	p.timer = time.AfterFunc(headPatience, p.send)
	return p
}

func (p *prompt) send() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		flush(p.w)
	}
}

func (p *prompt) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	if p.timer != nil {
		p.end()
	}
	return n, err
}

func (p *prompt) end() {
	p.timer.Stop()
	p.timer = nil
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}
