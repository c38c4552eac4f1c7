package router_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"

	"sluice/router"
)

// odd are bodies that legacy services take and that tell no document, or tell it in
// another way than most.
func odd() map[string]string {
	wide := func(text string) string {
		var b strings.Builder
		b.WriteString("\xff\xfe")
		for _, unit := range utf16.Encode([]rune(text)) {
			b.WriteByte(byte(unit))
			b.WriteByte(byte(unit >> 8))
		}
		return b.String()
	}
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	parts.SetBoundary("boundary")
	parts.WriteField("doc_id", "a")
	parts.Close()
	return map[string]string{
		"a document":          document("a"),
		"nothing":             "",
		"a byte order mark":   "\ufeff" + document("a"),
		"not a number":        `{"doc_id":"a","score":NaN}`,
		"an integer":          `{"doc_id":7}`,
		"UTF-16":              wide(document("a")),
		"a form":              "doc_id=a&text=b",
		"multipart":           form.String(),
		"NDJSON":              document("a") + "\n" + document("b") + "\n",
		"a batch":             "[" + document("a") + "," + document("b") + "]",
		"gzip":                encoded("gzip", document("a")),
		"zstd, unknown to us": encoded("zstd", "not JSON"),
		"bytes":               "\x00\r\n0\r\n\r\n\xff",
	}
}

// codingOf says what coding an odd body is in.
func codingOf(name string) string {
	for _, coding := range []string{"gzip", "zstd"} {
		if strings.HasPrefix(name, coding) {
			return "Content-Encoding: " + coding + "\r\n"
		}
	}
	return ""
}

// inChunks writes a body in chunks, with a trailer that was not announced.
func inChunks(body string) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(len(body), 7)
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\nX-Sum: 7\r\n\r\n"
}

// At 0 % whatever comes on an ingestion route reaches legacy as it came, and its client
// gets what legacy says.
func TestOddBodiesAreLegacysAffair(t *testing.T) {
	l := openRawLegacy(t)
	d := openDoor(t, at(0), l.forwarding)
	for name, body := range odd() {
		for _, chunks := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, chunks %v", name, chunks), func(t *testing.T) {
				length, sent, framing := int64(len(body)), body, fmt.Sprintf("Content-Length: %d", len(body))
				if chunks {
					length, sent, framing = -1, inChunks(body), "Transfer-Encoding: chunked"
				}
				c := d.dial()
				c.send("POST /v1/documents?a=%zz HTTP/1.1\r\nHost: front.test\r\n" + codingOf(name) + framing + "\r\n\r\n" + sent)
				got := c.answer()
				got.want(t, http.StatusOK, "by legacy")
				got.wantFields(t, "X-From", "legacy", "Rollout-Path", "legacy")
				f := l.next()
				if f.body != body || f.length != length || !strings.HasPrefix(f.head, "POST /v1/documents?a=%zz HTTP/1.1\r\n") {
					t.Errorf("legacy got %q, a body of %d bytes: %q", f.head, f.length, f.body)
				}
				if chunks && f.trailer.Get("X-Sum") != "7" {
					t.Errorf("legacy got the trailer %v", f.trailer)
				}
			})
		}
	}
}

// FuzzPassedAsItCame: whatever the body and its coding, legacy gets what was sent,
// whether or not it is over a limit.
func FuzzPassedAsItCame(f *testing.F) {
	for name, body := range odd() {
		f.Add([]byte(body), strings.TrimSuffix(strings.TrimPrefix(codingOf(name), "Content-Encoding: "), "\r\n"), len(body)%2 == 0)
	}
	f.Add([]byte(padded(5000)), "", true)
	f.Add([]byte(padded(5000)), "", false)
	l := openRawLegacy(f)
	d := openDoor(f, at(0), l.forwarding, legacyOnly, limits(func(limits *router.BodyLimits) { limits.Max = 4500 }))
	f.Fuzz(func(t *testing.T, body []byte, coding string, chunks bool) {
		framing, sent := fmt.Sprintf("Content-Length: %d", len(body)), string(body)
		if chunks {
			framing, sent = "Transfer-Encoding: chunked", inChunks(string(body))
		}
		if len(coding) > 0 && strings.Trim(coding, "abcdefghijklmnopqrstuvwxyz, ") == "" {
			framing += "\r\nContent-Encoding: " + coding
		}
		d := *d
		d.t = t
		c := d.dial()
		defer c.Close()
		c.send("POST /v1/documents HTTP/1.1\r\nHost: front.test\r\n" + framing + "\r\n\r\n" + sent)
		c.answer().want(t, http.StatusOK, "by legacy")
		if got := <-l.seen; got.body != string(body) || (got.length < 0) != chunks {
			t.Errorf("legacy got a body of %d bytes, %q; sent were %q", got.length, got.body, body)
		}
		<-d.observer.records
	})
}

// legacyOnly says that nothing can be on Temporal.
func legacyOnly(s *setup) { s.LegacyOnly = func() bool { return true } }
