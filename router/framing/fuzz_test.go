package framing_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"sluice/router/framing"
)

// FuzzFraming compares the framer with net/http's own parser: net/http reads from
// what the framer hands on the messages that the framer read from what came, with
// the same bodies and trailers, and what it refuses net/http refuses too; for
// every way in which the stream can be cut into reads.
func FuzzFraming(f *testing.F) {
	var all []byte
	for _, row := range passingRows {
		f.Add([]byte(row.raw), uint8(1), uint8(1))
		all = append(all, row.raw...)
	}
	f.Add(all, uint8(0), uint8(0))
	for _, row := range refusedRows {
		f.Add([]byte(row.raw+smuggled), uint8(7), uint8(0))
	}
	for _, row := range brokenBodies {
		f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+row.body+smuggled), uint8(0), uint8(3))
	}
	f.Add([]byte("GET /u HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n"+smuggled), uint8(0), uint8(0))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\n"+smuggled), uint8(0), uint8(0))

	f.Fuzz(func(t *testing.T, stream []byte, arrive, buffer uint8) {
		checkStream(t, stream, arrive, buffer)
	})
}

// FuzzFragments does the same with streams put together from pieces of messages,
// one for each byte of the input: it gets further than bytes at random.
func FuzzFragments(f *testing.F) {
	f.Add([]byte{0, 10, 20, 30}, uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, picks []byte, arrive, buffer uint8) {
		var stream []byte
		for _, pick := range picks {
			stream = append(stream, fragments[int(pick)%len(fragments)]...)
		}
		checkStream(t, stream, arrive, buffer)
	})
}

// TestRandomFragments is a little of FuzzFragments in every run of the tests.
func TestRandomFragments(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	messages, refusals := 0, map[string]bool{}
	for range 20_000 {
		stream := []byte("POST / HTTP/1.1\r\nHost: a\r\n")
		for range random.IntN(24) {
			stream = append(stream, fragments[random.IntN(len(fragments))]...)
		}
		r := checkStream(t, stream, uint8(random.UintN(256)), uint8(random.UintN(256)))
		messages += len(r.messages)
		refusals[r.why] = true
	}
	if messages < 1000 || len(refusals) < 20 {
		t.Errorf("%d messages and %d reasons: the streams do not reach far enough", messages, len(refusals))
	}
}

// checkStream compares the two parsers on one stream.
func checkStream(t *testing.T, stream []byte, arrive, buffer uint8) reading {
	r := read(t, stream)
	handed := r.handed
	if r.why != "" {
		handed = append(handed[:len(handed):len(handed)], framing.Spoiler...)
	}
	wantSameReading(t, r, handed)

	inPieces, why, err := handedInPieces(stream, pieceSize(arrive), pieceSize(buffer))
	if why != r.why {
		t.Fatalf("in pieces refused as %q, byte by byte as %q: %q", why, r.why, stream)
	}
	good := inPieces
	if why != "" {
		if !errors.Is(err, framing.ErrRefused) {
			t.Fatalf("refused as %s, but Read says %v", why, err)
		}
		var spoiled bool
		if good, spoiled = bytes.CutSuffix(inPieces, []byte(framing.Spoiler)); !spoiled {
			t.Fatalf("refused as %s, but handed on %q", why, inPieces)
		}
	} else if err != io.EOF {
		t.Fatalf("Read says %v", err)
	}
	// Of a line that breaks a rule, more of the beginning goes out byte by byte.
	if !bytes.HasPrefix(r.handed, good) || why == "" && len(good) < len(r.handed) {
		t.Fatalf("of %q in pieces %q was handed on, byte by byte %q", stream, good, r.handed)
	}
	wantSameReading(t, r, inPieces)
	return r
}

// pieceSize spreads a byte over the sizes that matter: single bytes, and more
// than any stream of the corpus.
func pieceSize(b uint8) int {
	if b == 0 {
		return 64 << 10
	}
	return int(b)
}

// fragments are the pieces of messages, good and bad, that streams are made of.
var fragments = []string{
	"GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "POST / HTTP/1.0\r\n", "GET /a%20b?%00 HTTP/1.1\r\n",
	"GET http://a/ HTTP/1.1\r\n", "CONNECT a:1 HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "POST /", " HTTP/1.1", " HTTP/1.0",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	"Host: a\r\n", "Host: b\r\n", "host:a\r\n", "Host: ", "Content-Length: 2\r\n", "Content-Length: 0\r\n",
	"Content-Length: 10\r\n", "Content-Length:", "content-length : 2\r\n", "Content_Length: 7\r\n", "2, 2\r\n",
	"Transfer-Encoding: chunked\r\n", "Transfer-Encoding:", "transfer-encoding:\tCHUNKED \r\n", "identity", "chunked",
	"Trailer: X-A\r\n", "Trailer: ,content-length\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n",
	"Upgrade: echo\r\n", "Expect: 100-continue\r\n", "X-A: b\r\n", "X-A:\r\n", "X-A", ": b\r\n",
	"\r\n", "\r\n\r\n", "\r\n", "\r\n\r\n", "\n", "\r", "\x00", "\t", " ", "\x0b", "\x7f", "\xff", ":", ";", ",", "/", "%", "%00", "#", "@", "[", "]", "?",
	"0\r\nX-T: " + strings.Repeat("t", 5000) + "\r\n\r\n", "2;" + strings.Repeat("x", 4000) + "\r\nhi\r\n", "2 ;a=\"b\"\r\nhi\r\n", " \t", "gzip, chunked\r\n",
	"0\r\n", "0\r\n\r\n", "0\r\n\r\n", "2\r\nhi\r\n", "2\r\nhi\r\n", "2;a=b\r\nhi\r\n", "a\r\n0123456789\r\n", "2\nhi\r\n", "2\r\nhi\n",
	"ffffffffffffffff\r\n", "0000000000000002\r\n", "2", "hi", "hi\r\n", "0", "-", "+", "0x", "A", "z",
	"GET", "POST", "http://", "a:80", "[::1]", "HTTP/1.1", "HTTP/1.2",
}
