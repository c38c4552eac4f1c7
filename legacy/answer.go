package legacy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

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
func (f *Forwarder) answer(w http.ResponseWriter, response *http.Response) rollout.Result {
	copyHeader(w.Header(), endToEnd(response.Header))
	announceTrailers(w.Header(), response.Trailer)
	w.WriteHeader(response.StatusCode)
	result := rollout.Result{Status: response.StatusCode, Outcome: rollout.OutcomeOfStatus(response.StatusCode)}
	streamed := response.ContentLength < 0
	if streamed {
		flush(w) // the head, before the first part comes
	}
	n, err := f.copyBody(w, response.Body, streamed)
	result.BytesOut = n
	if err != nil {
		result.Err = err
		result.Outcome = rollout.OutcomeTruncated
		if errors.Is(err, errClientLeft) {
			result.Outcome = rollout.OutcomeCanceled
		}
		return result
	}
	copyTrailers(w, response.Trailer)
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
		if slices.Contains(strings.Split(w.Header().Get("Trailer"), ", "), name) {
			w.Header()[name] = values
			continue
		}
		w.Header()[http.TrailerPrefix+name] = values
	}
}

// errClientLeft says that it was the client who broke the answer off.
var errClientLeft = errors.New("the client left in the middle of the answer")

func (f *Forwarder) copyBody(w http.ResponseWriter, body io.Reader, streamed bool) (int64, error) {
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
			if streamed {
				flush(w)
			}
		}
		switch {
		case err == io.EOF:
			return total, nil
		case err != nil:
			return total, fmt.Errorf("the legacy service's answer broke off: %w", err)
		}
	}
}

func flush(w http.ResponseWriter) {
	// A writer that cannot flush still gets every byte at the end.
	_ = http.NewResponseController(w).Flush()
}
