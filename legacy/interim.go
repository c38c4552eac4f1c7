package legacy

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
)

// interim passes 1xx answers on to the client until the round trip returns. The
// transport calls got from a goroutine of its own, perhaps later than that.
type interim struct {
	mu    sync.Mutex
	w     http.ResponseWriter // guarded by mu
	ended bool                // guarded by mu
}

func (i *interim) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: i.got})
}

func (i *interim) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
}

func (i *interim) got(code int, header textproto.MIMEHeader) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended || code == http.StatusContinue || code == http.StatusSwitchingProtocols {
		return nil
	}
	own := i.w.Header()
	before := maps.Clone(own)
	maps.Copy(own, http.Header(header))
	i.w.WriteHeader(code)
	clear(own)
	maps.Copy(own, before)
	return nil
}
