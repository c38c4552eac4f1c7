package router

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"sluice/rollout"
)

const (
	// mostCodings bounds how many codings a body may be in, one around the other.
	mostCodings = 3
	// mostRatio is how many times its size a body may become, and anySize the size that
	// any may: a body of a few kilobytes must not cost the work of megabytes.
	mostRatio = 100
	anySize   = 1 << 20
	// largestWindow is the most that a decoder of zstd may look back (RFC 9659).
	largestWindow = 8 << 20
)

// codings undoes the Content-Encoding of bodies, only to find the doc_id in them: what
// is sent on stays as it came. Their text is never held whole. As many bodies are at
// work at one time as there are processors, so what decoders take is bounded
// without being counted.
type codings struct {
	most  int64 // bytes of a body's text
	turns chan struct{}
}

func newCodings(most int64) *codings {
	return &codings{most: most, turns: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// coded returns the codings that the body is in, in the order in which they were
// applied. Most have none.
func coded(fields http.Header) (names []string) {
	for _, line := range fields["Content-Encoding"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.ToLower(strings.Trim(name, " \t")); name != "" && name != "identity" {
				names = append(names, name)
			}
		}
	}
	return names
}

// open returns the text of a body in these codings; the caller calls done when it
// has read what it wants. Reading fails with rollout.ErrBodyCoding or
// rollout.ErrBodyExpands.
func (c *codings) open(names []string, body []byte) (text io.Reader, done func(), err error) {
	// A legacy service that does not know codings reads the body as it stands.
	if len(names) > mostCodings || json.Valid(body) {
		return nil, nil, fmt.Errorf("%w: %s", rollout.ErrBodyCoding, strings.Join(names, ", "))
	}
	c.turns <- struct{}{}
	closers := []func(){func() { <-c.turns }}
	done = func() {
		for _, closer := range closers {
			closer()
		}
	}
	bound := bounded{most: min(c.most, max(anySize, mostRatio*int64(len(body))))}
	text = bytes.NewReader(body)
	for i := len(names) - 1; i >= 0; i-- { // the last one applied is undone first
		inner := bufio.NewReader(text)
		decoder, closer, err := undo(names[i], inner)
		if err != nil {
			done()
			return nil, nil, fmt.Errorf("%w: %s: %w", rollout.ErrBodyCoding, names[i], err)
		}
		closers = append(closers, closer)
		step := bound
		step.decoder, step.rest = decoder, inner
		text = &step
	}
	return text, done, nil
}

var errUnknownCoding = errors.New("it is not one of gzip, deflate, br and zstd")

// undo returns a decoder of one coding.
func undo(name string, from *bufio.Reader) (decoder io.Reader, closer func(), err error) {
	closer = func() {}
	switch name {
	case "gzip", "x-gzip":
		decoder, err = gzip.NewReader(from)
	case "deflate":
		decoder, err = inflate(from)
	case "br":
		decoder = brotli.NewReader(from)
	case "zstd":
		var z *zstd.Decoder
		z, err = zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(largestWindow))
		if err == nil {
			decoder, closer = z, z.Close
		}
	default:
		err = errUnknownCoding
	}
	return decoder, closer, err
}

// inflate reads what clients call deflate: the zlib format, as RFC 9110, 8.4.1.2 has
// it, or the compressed data alone, as some send. No encoder begins the latter
// with what can be taken for the former's first two bytes.
func inflate(from *bufio.Reader) (io.Reader, error) {
	head, err := from.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return zlib.NewReader(from)
	}
	return flate.NewReader(from), nil
}

// bounded reads one decoder's text, and no more than most bytes of it.
type bounded struct {
	decoder io.Reader
	rest    *bufio.Reader // what the decoder reads from
	most    int64
	read    int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.decoder.Read(p)
	b.read += int64(n)
	switch {
	case b.read > b.most:
		return 0, fmt.Errorf("%w: it has more than %d bytes", rollout.ErrBodyExpands, b.most)
	case err == io.EOF:
		if _, more := b.rest.Peek(1); more == nil {
			return 0, fmt.Errorf("%w: something stands behind it", rollout.ErrBodyCoding)
		}
		return n, io.EOF
	case err == nil, errors.Is(err, rollout.ErrBodyCoding), errors.Is(err, rollout.ErrBodyExpands):
		return n, err
	}
	return n, fmt.Errorf("%w: %w", rollout.ErrBodyCoding, err)
}
