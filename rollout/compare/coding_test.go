package compare

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"sluice/rollout"
)

// coders write each coding, by its name; "raw" is a deflate without its frame.
func coders(t *testing.T) map[string]func(io.Writer) io.WriteCloser {
	return map[string]func(io.Writer) io.WriteCloser{
		"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, "x-gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }, "br": func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
		"raw": func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 6); return f },
		"zstd": func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w, zstd.WithWindowSize(64<<10))
			if err != nil {
				t.Fatal(err)
			}
			return z
		},
	}
}

func coded(t *testing.T, answer rollout.Answer, name string) rollout.Answer {
	t.Helper()
	var b bytes.Buffer
	w := coders(t)[name](&b)
	if _, err := w.Write(answer.Body); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	if name == "raw" {
		name = "deflate"
	}
	lines := append([]string{}, answer.Header["Content-Encoding"]...)
	header := map[string][]string{"Content-Encoding": append(lines, name), "Content-Type": answer.Header["Content-Type"]}
	return rollout.Answer{Status: answer.Status, Header: header, Body: b.Bytes()}
}

func TestCodingsAreUndone(t *testing.T) {
	c := comparer(t, Limits{})
	plain, other := jsonAnswer(`{"a":1,"b":2}`), jsonAnswer(`{"b":2,"a":3}`)
	for name := range coders(t) {
		if got := c.Compare(coded(t, plain, name), jsonAnswer(`{"b":2,"a":1}`)); got.Class != ClassAgree {
			t.Errorf("%s: %+v", name, got)
		}
		if got := c.Compare(coded(t, plain, name), other); got.Class != ClassMismatch || len(got.Patterns) != 1 || got.Patterns[0] != "/a" {
			t.Errorf("%s, another: %+v", name, got)
		}
		for around := range coders(t) {
			if got := c.Compare(plain, coded(t, coded(t, plain, name), around)); got.Class != ClassAgree {
				t.Errorf("%s in %s: %+v", name, around, got)
			}
		}
	}
	empty := jsonAnswer("")
	empty.Header["Content-Encoding"] = []string{"br"}
	if got := c.Compare(empty, jsonAnswer("")); got.Class != ClassAgree {
		t.Errorf("nothing, coded: %+v", got)
	}
}

// What cannot be undone is not compared, and says why; what is the same byte for byte, or
// differs by its status all the same, is.
func TestCodingsThatCannotBeUndone(t *testing.T) {
	c := comparer(t, Limits{Decoded: 1000})
	plain := jsonAnswer(`{"a":1}`)
	broken, unknown, short := jsonAnswer("no gzip"), jsonAnswer("x"), coded(t, jsonAnswer(`{"text":"`+string(bytes.Repeat([]byte("abc"), 100))+`"}`), "gzip")
	broken.Header["Content-Encoding"], unknown.Header["Content-Encoding"] = []string{"gzip"}, []string{"exi"}
	short.Body = short.Body[:len(short.Body)/2]
	many := coded(t, coded(t, coded(t, coded(t, plain, "gzip"), "gzip"), "gzip"), "gzip")
	for name, row := range map[string]struct {
		answer rollout.Answer
		why    Why
	}{
		"broken": {broken, WhyBroken}, "unknown": {unknown, WhyEncoded}, "cut short": {short, WhyBroken}, "too many": {many, WhyEncoded},
	} {
		got := c.Compare(row.answer, plain)
		if got.Class != ClassSkipped || got.Why != row.why {
			t.Errorf("%s: %+v", name, got)
		}
		mirrored(t, got, c.Compare(plain, row.answer))
		if same := c.Compare(row.answer, row.answer); same.Class != ClassAgree {
			t.Errorf("%s, with itself: %+v", name, same)
		}
		created := plain
		created.Status = 201
		if got := c.Compare(row.answer, created); got.Class != ClassMismatch {
			t.Errorf("%s, with another status: %+v", name, got)
		}
	}
	for name := range coders(t) { // bombs
		bomb := coded(t, jsonAnswer(string(make([]byte, 1<<20))), name)
		if got := c.Compare(bomb, plain); got.Class != ClassSkipped || got.Why != WhyTooLong {
			t.Errorf("a bomb of %s: %+v", name, got)
		}
	}
}
