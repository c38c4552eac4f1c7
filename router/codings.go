package router

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"sluice/rollout"
	"sluice/rollout/coding"
)

const (
	// mostRatio is how many times its size a body may become, and anySize the size that
	// any may: a body of a few kilobytes must not cost the work of megabytes.
	mostRatio = 100
	anySize   = 1 << 20
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

// open returns the text of a body in these codings; the caller calls done when it
// has read what it wants. Reading fails with rollout.ErrBodyCoding or
// rollout.ErrBodyExpands.
func (c *codings) open(names []string, body []byte) (text io.Reader, done func(), err error) {
	// A legacy service that does not know codings reads the body as it stands.
	if len(names) > coding.Most || json.Valid(body) {
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
		decoder, err := coding.NewReader(names[i], inner)
		if err != nil {
			done()
			return nil, nil, fmt.Errorf("%w: %s: %w", rollout.ErrBodyCoding, names[i], err)
		}
		closers = append(closers, func() { _ = decoder.Close() }) // nothing is kept of it
		step := bound
		step.decoder, step.rest = decoder, inner
		text = &step
	}
	return text, done, nil
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
