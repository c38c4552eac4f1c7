package router_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"sluice/rollout"
	"sluice/router"
)

// encoded returns the text in a coding; "raw" is deflate without zlib's frame.
func encoded(coding, text string) string {
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch coding {
	case "gzip", "x-gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "raw":
		w, err = flate.NewWriter(&out, flate.DefaultCompression)
	case "br":
		w = brotli.NewWriter(&out)
	case "zstd":
		w, err = zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	default:
		return text
	}
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return out.String()
}

// wordy is a document of about so many bytes that does not compress well.
func wordy(id string, size int) string {
	var b strings.Builder
	random := rand.New(rand.NewPCG(1, 2))
	fmt.Fprintf(&b, `{"words":"`)
	for b.Len() < size {
		fmt.Fprintf(&b, "%x ", random.Uint64())
	}
	fmt.Fprintf(&b, `","doc_id":%q}`, id)
	return b.String()
}

// The doc_id is read inside the coding, and what either path gets is what came.
func TestCodings(t *testing.T) {
	for _, row := range []struct{ name, field, body, told string }{
		{"gzip", "gzip", encoded("gzip", document("a")), "gzip"},
		{"by its old name", "x-gzip", encoded("gzip", document("a")), "x-gzip"},
		{"in capitals", "GZip", encoded("gzip", document("a")), "GZip"},
		{"gzip in two members", "gzip", encoded("gzip", `{"doc_id"`) + encoded("gzip", `:"a"}`), "gzip"},
		{"deflate", "deflate", encoded("deflate", document("a")), "deflate"},
		{"deflate without a frame", "deflate", encoded("raw", document("a")), "deflate"},
		{"br", "br", encoded("br", document("a")), "br"},
		{"zstd", "zstd", encoded("zstd", document("a")), "zstd"},
		{"zstd in two frames", "zstd", encoded("zstd", `{"doc_id"`) + encoded("zstd", `:"a"}`), "zstd"},
		{"two codings", "deflate, br", encoded("br", encoded("deflate", document("a"))), "deflate, br"},
		{"a byte order mark inside", "gzip", encoded("gzip", "\ufeff"+document("a")), "gzip"},
		{"identity", "identity", document("a"), "identity"},
		{"identity and gzip", "identity,, gzip", encoded("gzip", document("a")), "identity,, gzip"},
		{"a large one", "zstd", encoded("zstd", wordy("a", 300_000)), "zstd"},
		{"a large one in br", "br", encoded("br", wordy("a", 100_000)), "br"},
		{"one that compresses well", "br", encoded("br", `{"doc_id":"a","text":"`+strings.Repeat("a text ", 10_000)+`"}`), "br"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, at(100))
			d.post(row.body, "Content-Encoding", row.field).want(t, http.StatusOK, `{"by":"temporal"}`)
			got := d.temporal.all()
			if len(got) != 1 || got[0].doc.DocID != "a" || string(got[0].doc.Body) != row.body || got[0].doc.ContentEncoding != row.told {
				t.Errorf("Temporal got %d documents, of the first: %q in %q", len(got), got[0].doc.DocID, got[0].doc.ContentEncoding)
			}
			d = openDoor(t, at(0))
			d.post(row.body, "Content-Encoding", row.field).wantFields(t, "Rollout-Path", "legacy", "Rollout-Reason", "split")
			if f := d.legacy.all(); len(f) != 1 || f[0].body != row.body || f[0].header.Get("Content-Encoding") != row.field {
				t.Errorf("legacy got %d requests, and not what came", len(f))
			}
		})
	}
}

// A field of two lines is one list, and one that Connection names is not legacy's: to
// legacy such a body is not in a coding.
func TestCodingsAreThoseThatLegacyIsTold(t *testing.T) {
	d := openDoor(t, at(100))
	body := encoded("br", encoded("gzip", document("a")))
	d.post(body, "Content-Encoding", "gzip", "Content-Encoding", "br").want(t, http.StatusOK, `{"by":"temporal"}`)
	if got := d.temporal.all(); len(got) != 1 || got[0].doc.ContentEncoding != "gzip, br" {
		t.Errorf("Temporal got %+v", got)
	}
	d.post(encoded("gzip", document("a")), "Content-Encoding", "gzip", "Connection", "content-encoding").
		wantFields(t, "Rollout-Path", "legacy", "Rollout-Reason", "unroutable")
}

// A doc_id that is not in the body needs no coding undone.
func TestCodingsDoNotMatterElsewhere(t *testing.T) {
	d := openDoor(t, at(100), routes(route(t, "header:X-Doc-Id")))
	d.post("anything", "Content-Encoding", "compress", "X-Doc-Id", "a").want(t, http.StatusOK, `{"by":"temporal"}`)
	if got := d.temporal.all(); len(got) != 1 || got[0].doc.ContentEncoding != "compress" {
		t.Errorf("Temporal got %+v", got)
	}
}

// What cannot be undone, or not within bounds, tells no document.
func TestBrokenCodings(t *testing.T) {
	whole := encoded("gzip", document("a"))
	largest := limits(func(l *router.BodyLimits) { l.Max = 2_000_000 })
	bomb := `{"doc_id":"a","x":"` + strings.Repeat("0", 1_100_000) + `"}`
	for _, row := range []struct{ name, field, body, want string }{
		{"cut off", "gzip", whole[:len(whole)-9], "coding"},
		{"a wrong checksum", "gzip", whole[:len(whole)-8] + "\x00\x00\x00\x00" + whole[len(whole)-4:], "coding"},
		{"more behind it", "gzip", whole + "more", "coding"},
		{"more behind deflate", "deflate", encoded("deflate", document("a")) + "x", "coding"},
		{"more behind deflate without a frame", "deflate", encoded("raw", document("a")) + "x", "coding"},
		{"more behind br", "br", encoded("br", document("a")) + "x", "coding"},
		{"more behind zstd", "zstd", encoded("zstd", document("a")) + "x", "coding"},
		{"one byte of deflate", "deflate", "\x78", "coding"},
		{"br cut off", "br", encoded("br", document("a"))[:9], "coding"},
		{"zstd cut off", "zstd", encoded("zstd", document("a"))[:9], "coding"},
		{"in the wrong order", "gzip, br", encoded("gzip", encoded("br", document("a"))), "coding"},
		{"too many", "gzip, gzip, gzip, gzip", encoded("gzip", encoded("gzip", encoded("gzip", encoded("gzip", document("a"))))), "coding"},
		{"known and unknown", "gzip, aws-chunked", whole, "coding"},
		{"JSON as it stands", "deflate", document("a"), "coding"},
		{"not JSON inside", "gzip", encoded("gzip", "doc_id=a"), "not-json"},
		{"nothing inside", "gzip", encoded("gzip", ""), "not-json"},
		{"gzip bomb", "gzip", encoded("gzip", bomb), "expands"},
		{"deflate bomb", "deflate", encoded("deflate", bomb), "expands"},
		{"br bomb", "br", encoded("br", bomb), "expands"},
		{"zstd bomb", "zstd", encoded("zstd", bomb), "expands"},
		{"a bomb in a bomb", "gzip, gzip", encoded("gzip", encoded("gzip", bomb)), "expands"},
		{"over the largest document", "zstd", encoded("zstd", wordy("a", 2_100_000)), "expands"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, at(100), largest)
			d.post(row.body, "Content-Encoding", row.field).wantFields(t, "Rollout-Path", "legacy", "Rollout-Reason", "unroutable")
			if f := d.legacy.all(); len(f) != 1 || f[0].body != row.body {
				t.Errorf("legacy got %d requests, and not what came", len(f))
			}
			if record := d.observer.next(); record.Unroutable != row.want {
				t.Errorf("the reason is %q, want %q", record.Unroutable, row.want)
			}
			d = openDoor(t, at(100), rejecting, largest)
			d.post(row.body, "Content-Encoding", row.field).wantProblem(t, http.StatusBadRequest, "unroutable", row.want)
			d.wantNothingSent()
		})
	}
}

// FuzzCodings: whatever the bytes, there is a doc_id or a reason, and no more text is
// read than is allowed.
func FuzzCodings(f *testing.F) {
	for _, coding := range []string{"gzip", "deflate", "raw", "br", "zstd"} {
		f.Add(strings.Replace(coding, "raw", "deflate", 1), []byte(encoded(coding, document("a"))))
		f.Add(strings.Replace(coding, "raw", "deflate", 1), []byte(encoded(coding, padded(20_000))))
	}
	f.Fuzz(func(t *testing.T, coding string, body []byte) {
		id, err := router.FindInCoded(http.Header{"Content-Encoding": {coding}}, body, 10_000)
		if err == nil && id == "" || err != nil && rollout.UnroutableReason(err) == "" {
			t.Errorf("%q in %q: %q, %v", body, coding, id, err)
		}
	})
}
