package invisible_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
)

func gzipped(s string) string { return coded(s, "gzip") }

// coded applies the content codings one after the other.
func coded(s, codings string) string {
	for coding := range strings.SplitSeq(codings, ", ") {
		var out bytes.Buffer
		switch coding {
		case "gzip":
			written(gzip.NewWriter(&out), s)
		case "deflate":
			written(zlib.NewWriter(&out), s)
		case "raw deflate": // what some clients call deflate
			w, _ := flate.NewWriter(&out, flate.DefaultCompression) // the level is a good one
			written(w, s)
		case "br":
			out.WriteString(brotli(s))
		case "zstd":
			out.WriteString(zstandard(s))
		}
		s = out.String()
	}
	return s
}

func written(w io.WriteCloser, s string) {
	_, _ = io.WriteString(w, s) // a buffer takes everything
	_ = w.Close()
}

// brotli writes a stream of one block that is not compressed (RFC 7932, 9.2), of 1 to
// 65,536 bytes.
func brotli(s string) string {
	head := (len(s)-1)<<4 | 1<<20
	return string([]byte{byte(head), byte(head >> 8), byte(head >> 16)}) + s + "\x03"
}

// zstandard writes a frame of one block that is not compressed (RFC 8878, 3.1.1), of
// at most 255 bytes.
func zstandard(s string) string {
	block := len(s)<<3 | 1
	return "\x28\xb5\x2f\xfd" + string([]byte{0x20, byte(len(s)), byte(block), byte(block >> 8), byte(block >> 16)}) + s
}
