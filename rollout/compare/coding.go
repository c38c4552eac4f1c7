package compare

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"sluice/rollout"
)

const (
	// mostCodings bounds how many codings a body may be in, one around the other.
	mostCodings = 3
	// largestWindow is the most that a decoder of zstd may look back, in bytes (RFC 9659).
	largestWindow = 8 << 20
)

// Plain returns the answer with its Content-Encoding undone: gzip, deflate, br and zstd.
// It says why if it cannot be: WhyEncoded, WhyBroken, or WhyTooLong beyond Limits.Decoded.
func (c *Comparer) Plain(answer rollout.Answer) (rollout.Answer, Why) {
	names := codings(answer)
	if len(names) == 0 || len(answer.Body) == 0 {
		return answer, WhyNone
	}
	if len(names) > mostCodings {
		return answer, WhyEncoded
	}
	body := answer.Body
	for i := len(names) - 1; i >= 0; i-- { // the last one applied is undone first
		var why Why
		if body, why = undone(names[i], body, c.limits.Decoded); why != WhyNone {
			return answer, why
		}
	}
	answer.Body = body
	return answer, WhyNone
}

// codings returns the codings that the body is in, in the order in which they were
// applied. Most have none.
func codings(answer rollout.Answer) (names []string) {
	for _, line := range answer.Header["Content-Encoding"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.ToLower(strings.TrimSpace(name)); name != "" && name != "identity" {
				names = append(names, name)
			}
		}
	}
	return names
}

func undone(name string, body []byte, most int) ([]byte, Why) {
	from := bufio.NewReader(bytes.NewReader(body))
	decoder, known, err := decoderOf(name, from)
	switch {
	case !known:
		return nil, WhyEncoded
	case err != nil:
		return nil, WhyBroken
	}
	if closer, ok := decoder.(*zstd.Decoder); ok {
		defer closer.Close()
	}
	text, err := io.ReadAll(io.LimitReader(decoder, int64(most)+1))
	switch {
	case len(text) > most:
		return nil, WhyTooLong
	case err != nil:
		return nil, WhyBroken
	}
	return text, WhyNone
}

// decoderOf returns a decoder of one coding.
func decoderOf(name string, from *bufio.Reader) (decoder io.Reader, known bool, err error) {
	switch name {
	case "gzip", "x-gzip":
		decoder, err = gzip.NewReader(from)
	case "deflate":
		decoder, err = inflater(from)
	case "br":
		decoder = brotli.NewReader(from)
	case "zstd":
		decoder, err = zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(largestWindow))
	default:
		return nil, false, nil
	}
	return decoder, true, err
}

// inflater reads what servers call deflate: the zlib format, as RFC 9110, 8.4.1.2 has it,
// or the compressed data alone, as some send.
func inflater(from *bufio.Reader) (io.Reader, error) {
	head, err := from.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return zlib.NewReader(from)
	}
	return flate.NewReader(from), nil
}
