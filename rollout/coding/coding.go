// Package coding undoes the content codings of HTTP bodies (RFC 9110, 8.4): gzip,
// deflate, br and zstd. It is pure: it reads what it is given and starts nothing.
//
// A decoder's memory is bounded by the coding, but what comes out of it is not: whoever
// reads has to stop.
package coding

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// Most bounds how many codings a body may be in, one around the other.
const Most = 3

// largestWindow is the most that a decoder of zstd may look back, in bytes (RFC 9659).
const largestWindow = 8 << 20

// ErrUnknown says that a coding is none of those that can be undone.
var ErrUnknown = errors.New("it is not one of gzip, deflate, br and zstd")

// Names returns the codings that the lines of a Content-Encoding field name, in small
// letters and in the order in which they were applied. Most bodies have none.
func Names(lines []string) (names []string) {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.ToLower(strings.Trim(name, " \t")); name != "" && name != "identity" {
				names = append(names, name)
			}
		}
	}
	return names
}

// NewReader returns a reader of what is in one coding; it is to be closed. It fails with
// ErrUnknown, or if what comes first from the body is not in that coding.
func NewReader(name string, from *bufio.Reader) (io.ReadCloser, error) {
	switch name {
	case "gzip", "x-gzip":
		return gzip.NewReader(from)
	case "deflate":
		return inflate(from)
	case "br":
		return io.NopCloser(brotli.NewReader(from)), nil
	case "zstd":
		decoder, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(largestWindow))
		if err != nil {
			return nil, err
		}
		return decoder.IOReadCloser(), nil
	}
	return nil, ErrUnknown
}

// inflate reads what is called deflate: the zlib format, as RFC 9110, 8.4.1.2 has it, or
// the compressed data alone, as some send. No encoder begins the latter with what can
// be taken for the former's first two bytes.
func inflate(from *bufio.Reader) (io.ReadCloser, error) {
	head, err := from.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return zlib.NewReader(from)
	}
	return flate.NewReader(from), nil
}
