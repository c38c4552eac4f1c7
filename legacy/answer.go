package legacy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/rollout"
)

// chunks are the buffers that answers are copied through.
type chunks struct{ pool sync.Pool }

const chunkSize = 32 << 10

func (c *chunks) get() *[]byte {
	if b, ok := c.pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, chunkSize)
	return &b
}

// answer writes legacy's answer to the client.
func (f *Forwarder) answer(w http.ResponseWriter, r *http.Request, response *http.Response) rollout.Result {
	copyHeader(w.Header(), endToEnd(response.Header))
	announceTrailers(w.Header(), answerTrailer(response.Trailer))
	if response.StatusCode == http.StatusNotModified {
		keepDescription(w.Header())
	}
	if response.StatusCode == http.StatusUpgradeRequired {
		nameProtocols(w.Header(), response.Header["Upgrade"])
	}
	w.WriteHeader(response.StatusCode)
	if response.ContentLength < 0 {
		flush(w) // the head, before the first part comes
	}
	result := rollout.Result{Status: response.StatusCode, Outcome: rollout.OutcomeOfStatus(response.StatusCode)}
	result.BytesOut, result.Err = f.copyBody(w, promptHead(w, response))
	switch {
	case result.Err == nil:
		copyTrailers(w, answerTrailer(response.Trailer))
		return result
	case errors.Is(result.Err, errClientLeft), r.Context().Err() != nil:
		result.Outcome = rollout.OutcomeCanceled
	default:
		result.Outcome = rollout.OutcomeTruncated
	}
	cut(w)
	return result
}

// copyHeader adds the fields that own does not hold yet.
func copyHeader(own, from http.Header) {
	for name, values := range from {
		if _, taken := own[name]; !taken {
			own[name] = values
		}
	}
	if _, ok := own["Date"]; !ok {
		own["Date"] = nil // legacy sent none, so the server must not either
	}
	if _, ok := own["Content-Type"]; !ok {
		own["Content-Type"] = nil // likewise: it would be guessed
	}
}

// keepDescription hides from the server the fields that it takes out of a 304,
// though RFC 9110, 15.4.5 leaves them to legacy.
func keepDescription(own http.Header) {
	for _, name := range [...]string{"Content-Type", "Content-Length"} {
		if values := own[name]; len(values) > 0 {
			delete(own, name)
			own[strings.ToLower(name)] = values
		}
	}
}

// nameProtocols keeps what a 426 has to say: which protocols the client may ask to
// change to (RFC 9110, 15.5.22).
func nameProtocols(own http.Header, protocols []string) {
	if len(protocols) > 0 {
		own["Upgrade"] = protocols
		own["Connection"] = append(slices.Clip(own["Connection"]), "Upgrade")
	}
}

// answerTrailer returns the trailers that may be sent on. Those that frame a
// message are dropped: some clients merge trailers into the header.
func answerTrailer(trailer http.Header) http.Header {
	trailer = endToEnd(trailer)
	delete(trailer, "Content-Length")
	return trailer
}

func announceTrailers(own, trailer http.Header) {
	if len(trailer) == 0 {
		return
	}
	names := make([]string, 0, len(trailer))
	for name := range trailer {
		names = append(names, name)
	}
	slices.Sort(names)
	own["Trailer"] = []string{strings.Join(names, ", ")}
}

// copyTrailers sets the trailers, those too that came without announcement.
func copyTrailers(w http.ResponseWriter, trailer http.Header) {
	for name, values := range trailer {
		if hasToken(w.Header()["Trailer"], name) {
			w.Header()[name] = values
			continue
		}
		w.Header()[http.TrailerPrefix+name] = values
	}
}

// errClientLeft says that it was the client who broke the answer off.
var errClientLeft = errors.New("the client left in the middle of the answer")

// copyBody sends each part on as it comes. The last one is left to the end of
// the answer, which the server sends in the same piece; where the answer breaks
// off there is none, and what came before goes out by itself.
func (f *Forwarder) copyBody(w http.ResponseWriter, body io.Reader) (int64, error) {
	chunk := f.chunks.get()
	defer f.chunks.pool.Put(chunk)
	var total int64
	for {
		n, err := body.Read(*chunk)
		if n > 0 {
			written, werr := w.Write((*chunk)[:n])
			total += int64(written)
			if werr != nil {
				return total, fmt.Errorf("%w: %w", errClientLeft, werr)
			}
		}
		switch {
		case err == io.EOF:
			return total, nil
		case err != nil:
			flush(w)
			return total, fmt.Errorf("the legacy service's answer broke off: %w", err)
		}
		flush(w)
	}
}

func flush(w http.ResponseWriter) {
	// A writer that cannot flush still gets every byte at the end.
	_ = http.NewResponseController(w).Flush()
}

// cut makes sure that the server cannot end a broken answer as if it were
// whole, whatever the caller does next, nor wait for the rest of an upload.
func cut(w http.ResponseWriter) {
	control := http.NewResponseController(w)
	past := time.Unix(1, 0)
	// A writer without deadlines leaves it to the caller's abort.
	_ = errors.Join(control.SetWriteDeadline(past), control.SetReadDeadline(past))
}
