package framing_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/router/framing"
)

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

// refusedRows are messages that must be refused with 400, and the reason.
// plain is what net/http alone answers to the same bytes where it does not
// refuse them: the hole that the row closes.
var refusedRows = []struct {
	name, raw string
	reason    string
	plain     int
}{
	{"content-length and chunked", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "cl_and_te", 200},
	{"chunked and content-length", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", "cl_and_te", 200},
	{"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "http10_chunked", 200},
	{"chunked in HTTP/1.0 with keep-alive", "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "http10_chunked", 200},
	{"same content-length twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", "duplicate_content_length", 200},
	{"two content-lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", "duplicate_content_length", 0},
	{"content-length list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\nhi", "bad_content_length", 0},
	{"content-length +2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nhi", "bad_content_length", 0},
	{"content-length -1", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nhi", "bad_content_length", 0},
	{"content-length 0x2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\nhi", "bad_content_length", 0},
	{"content-length empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\nhi", "bad_content_length", 0},
	{"content-length overflow", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551618\r\n\r\nhi", "bad_content_length", 0},
	{"obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n", "obs_fold", 200},
	{"obs-fold hiding an encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "bad_transfer_encoding", 200},
	{"space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "obs_fold", 0},
	{"bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n", "bare_lf", 200},
	{"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\n\r\n", "bare_lf", 200},
	{"bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", "bare_lf", 200},
	{"bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n", "bare_cr", 0},
	{"bare CR in the request line", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", "bare_cr", 0},
	{"NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\x00c\r\n\r\n", "nul_in_header", 0},
	{"control character in a long value", "GET / HTTP/1.1\r\nHost: a\r\nX-A: 0123\t4567 89abcd\x0bef\r\n\r\n", "control_in_header", 0},
	{"DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX-A: \x7f\r\n\r\n", "control_in_header", 0},
	{"xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "bad_transfer_encoding", 0},
	{"identity, chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", "bad_transfer_encoding", 0},
	{"two transfer-encodings", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad_transfer_encoding", 0},
	{"chunked, gzip", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", "bad_transfer_encoding", 0},
	{"gzip", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "bad_transfer_encoding", 0},
	{"gzip, chunked and a length", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", "cl_and_te", 0},
	{"gzip, chunked twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad_transfer_encoding", 0},
	{"identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", "bad_transfer_encoding", 0},
	{"space before the colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "space_before_colon", 0},
	{"field without a colon", "GET / HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n", "bad_header_name", 0},
	{"field without a name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", "bad_header_name", 0},
	{"field name is no token", "GET / HTTP/1.1\r\nHost: a\r\nX(A): b\r\n\r\n", "bad_header_name", 0},
	{"absolute-form, other host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "absolute_form_host", 200},
	{"absolute-form, other port", "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", "absolute_form_host", 200},
	{"absolute-form, other scheme's port", "GET http://a:443/ HTTP/1.1\r\nHost: a\r\n\r\n", "absolute_form_host", 200},
	{"absolute-form, https and port 80", "GET https://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "absolute_form_host", 200},
	{"absolute-form, empty Host", "GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n", "absolute_form_host", 200},
	{"absolute-form, other host in HTTP/1.0", "GET http://b/ HTTP/1.0\r\nHost: a\r\n\r\n", "absolute_form_host", 200},
	{"absolute-form with user information", "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n", "bad_target", 200},
	{"other scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target", 200},
	{"opaque target", "GET http:a HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target", 200},
	{"relative target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target", 0},
	{"fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target", 200},
	{"NUL in the target", "GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target", 0},
	{"tab in the target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target", 0},
	{"zone in the authority", "GET http://[fe80::1%eth0]/ HTTP/1.1\r\nHost: [fe80::1%eth0]\r\n\r\n", "bad_target", 0},
	{"IPv4 in brackets", "GET http://[127.0.0.1]/ HTTP/1.1\r\nHost: [127.0.0.1]\r\n\r\n", "bad_target", 0},
	{"half a percent sign in the path", "GET /%a HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target", 0},
	{"bad percent sign in the path", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target", 0},
	{"asterisk without OPTIONS", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target", 200},
	{"CONNECT to a path", "CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target", 405},
	{"CONNECT without a port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target", 405},
	{"overlong slash in the path", "GET /a/..\xc0\xafb HTTP/1.1\r\nHost: a\r\n\r\n", "overlong_in_path", 200},
	{"overlong slash in percent signs", "GET /a/..%C0%afb HTTP/1.1\r\nHost: a\r\n\r\n", "overlong_in_path", 200},
	{"overlong slash of three bytes", "GET /a%e0\x80%AFb HTTP/1.1\r\nHost: a\r\n\r\n", "overlong_in_path", 200},
	{"overlong slash of four bytes", "GET /a\xf0\x80\x80\xaf HTTP/1.1\r\nHost: a\r\n\r\n", "overlong_in_path", 200},
	{"%00 in the path", "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n", "nul_in_path", 200},
	{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "duplicate_host", 0},
	{"no Host", "GET / HTTP/1.1\r\nX-A: b\r\n\r\n", "missing_host", 0},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2_preface", 200},
	{"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "bad_version", 200},
	{"HTTP/0.9", "GET /\r\n\r\n", "bad_request_line", 0},
	{"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_version", 0},
	{"method is no token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line", 0},
	{"long method", strings.Repeat("A", 1100) + " / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line", 200},
	{"endless method", strings.Repeat("A", 100_000), "bad_request_line", 0},
	{"three empty lines first", "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "empty_line", 0},
	{"CR first", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "bare_cr", 0},
	{"bare LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "bare_lf", 0},
	{"announced trailer content-length", "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-A, Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 2\r\n\r\n", "bad_trailer", 0},
	{"head over the limit", "GET / HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat("a", 32<<10) + "\r\n\r\n", "head_too_large", 200},
}

func TestRefusedHead(t *testing.T) {
	for _, row := range refusedRows {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, doorConfig{limits: framing.Limits{MaxHeaderBytes: 16 << 10}})
			c := d.dial(t)
			c.send(row.raw + smuggled)
			c.wantAnswer(400, "400 Bad Request")
			c.wantClosed()
			if got := d.forwarded(); len(got) > 0 {
				t.Errorf("the handler saw %+v", got)
			}
			if got := d.refusals(); !slices.Equal(got, []string{row.reason}) {
				t.Errorf("reasons %q, want %q once", got, row.reason)
			}
		})
	}
}

// Without the framer the same bytes pass: the protection matters.
func TestPlainServerLetsThrough(t *testing.T) {
	for _, row := range refusedRows {
		if row.plain == 0 {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, doorConfig{plain: true})
			c := d.dial(t)
			c.send(row.raw)
			c.wantAnswer(row.plain, "")
		})
	}
	t.Run("and serves what follows", func(t *testing.T) {
		d := openDoor(t, doorConfig{plain: true})
		c := d.dial(t)
		c.send(refusedRows[0].raw + smuggled)
		c.wantAnswer(200, "/ 0")
		c.wantAnswer(200, "/smuggled 0")
	})
	t.Run("and loses the body of HTTP/1.0 chunked", func(t *testing.T) {
		d := openDoor(t, doorConfig{plain: true})
		c := d.dial(t)
		c.send("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
		c.wantAnswer(200, "/ 0")
	})
}

// brokenBodies are chunked bodies after a good head: the handler runs, and its
// reading must fail.
var brokenBodies = []struct{ name, body, reason string }{
	{"bare LF after the size", "2\nhi\r\n0\r\n\r\n", "chunk_bare_lf"},
	{"bare LF after the data", "2\r\nhi\n0\r\n\r\n", "chunk_bare_lf"},
	{"bare LF after the last size", "2\r\nhi\r\n0\n\r\n", "chunk_bare_lf"},
	{"bare LF ends the body", "2\r\nhi\r\n0\r\n\n", "bare_lf"},
	{"CR alone after the data", "2\r\nhi\r0\r\n\r\n", "bad_chunk_end"},
	{"more data than the size says", "2\r\nhi!\r\n0\r\n\r\n", "bad_chunk_end"},
	{"no size", "\r\nhi\r\n0\r\n\r\n", "bad_chunk_size"},
	{"space after the size", "2 \r\nhi\r\n0\r\n\r\n", "bad_chunk_size"},
	{"space before the size", " 2\r\nhi\r\n0\r\n\r\n", "bad_chunk_size"},
	{"size +2", "+2\r\nhi\r\n0\r\n\r\n", "bad_chunk_size"},
	{"size -2", "-2\r\nhi\r\n0\r\n\r\n", "bad_chunk_size"},
	{"size 0x2", "0x2\r\nhi\r\n0\r\n\r\n", "bad_chunk_size"},
	{"size with a CR", "2\r\r\nhi\r\n0\r\n\r\n", "bare_cr"},
	{"CR alone after the size", "2\rhi\r\n0\r\n\r\n", "bare_cr"},
	{"size 1_0", "1_0\r\n0123456789abcdef\r\n0\r\n\r\n", "bad_chunk_size"},
	{"size overflows to 2", "10000000000000002\r\nhi\r\n0\r\n\r\n", "bad_chunk_size"},
	{"size over 63 bits", "ffffffffffffffff\r\nhi\r\n0\r\n\r\n", "bad_chunk_size"},
	{"size over 60 bits", "1000000000000000\r\nhi\r\n0\r\n\r\n", "bad_chunk_size"},
	{"endless zeros", strings.Repeat("0", 5000) + "2\r\nhi\r\n0\r\n\r\n", "chunk_line_too_long"},
	{"NUL in an extension", "2;a=\x00\r\nhi\r\n0\r\n\r\n", "bad_chunk_extension"},
	{"CR in an extension", "2;a\rb\r\nhi\r\n0\r\n\r\n", "bare_cr"},
	{"bare LF after an extension", "2;a\nhi\r\n0\r\n\r\n", "chunk_bare_lf"},
	{"extension without a name", "2;\r\nhi\r\n0\r\n\r\n", "bad_chunk_extension"},
	{"extension without a value", "2;a=\r\nhi\r\n0\r\n\r\n", "bad_chunk_extension"},
	{"extension that is no token", "2;bad[=x\r\nhi\r\n0\r\n\r\n", "bad_chunk_extension"},
	{"extension that does not end", "2;a=\"b\r\nhi\r\n0\r\n\r\n", "bad_chunk_extension"},
	{"control character in quotes", "2;a=\"\\\x01\"\r\nhi\r\n0\r\n\r\n", "bad_chunk_extension"},
	{"blank behind an extension", "2;a \r\nhi\r\n0\r\n\r\n", "bad_chunk_extension"},
	{"long extension", "2;" + strings.Repeat("a", 4100) + "\r\nhi\r\n0\r\n\r\n", "chunk_line_too_long"},
	{"many long extensions", strings.Repeat("2;"+strings.Repeat("a", 4000)+"\r\nhi\r\n", 5) + "0\r\n\r\n", "chunk_overhead"},
	{"content-length in the trailer", "2\r\nhi\r\n0\r\nContent-Length: 2\r\n\r\n", "bad_trailer"},
	{"transfer-encoding in the trailer", "2\r\nhi\r\n0\r\nX-A: b\r\ntransfer-encoding: chunked\r\n\r\n", "bad_trailer"},
	{"folded trailer", "2\r\nhi\r\n0\r\nX-A: b\r\n c\r\n\r\n", "obs_fold"},
	{"NUL in the trailer", "2\r\nhi\r\n0\r\nX-A: \x00\r\n\r\n", "nul_in_header"},
	{"our own field in the trailer", "2\r\nhi\r\n0\r\nSluice-Trailer-Section: 1\r\n\r\n", "bad_trailer"},
	{"CR at the end of the body", "2\r\nhi\r\n0\r\n\rX", "bare_cr"},
	{"trailer over the head's limit", "2\r\nhi\r\n0\r\nX-A: b\r\nX-B: " + strings.Repeat("a", 32<<10) + "\r\n\r\n", "trailer_too_large"},
}

func TestRefusedBody(t *testing.T) {
	for _, row := range brokenBodies {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, doorConfig{limits: framing.Limits{MaxHeaderBytes: 16 << 10}})
			c := d.dial(t)
			c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + row.body + smuggled)
			c.wantAnswer(400, "body\n")
			c.wantClosed()
			if got := d.forwarded(); len(got) > 0 {
				t.Errorf("the gateway would forward %+v", got)
			}
			if got := d.refusals(); !slices.Equal(got, []string{row.reason}) {
				t.Errorf("reasons %q, want %q once", got, row.reason)
			}
		})
	}
}

// A handler that does not read the body must not bring the rest of a broken one
// to be read as a request.
func TestRefusedBodyThatNobodyReads(t *testing.T) {
	for _, row := range brokenBodies {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, doorConfig{handler: noContent(), limits: framing.Limits{MaxHeaderBytes: 16 << 10}})
			c := d.dial(t)
			c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + row.body + smuggled)
			c.wantAnswer(204, "")
			c.wantClosed()
		})
	}
}

// What is understood, but cannot be undone here, is 501 (RFC 9112, section 6.1).
func TestOtherCodings(t *testing.T) {
	for _, codings := range []string{"gzip, chunked", "deflate,CHUNKED", "x-gzip , Compress, chunked"} {
		d := openDoor(t, doorConfig{})
		c := d.dial(t)
		c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " + codings + "\r\n\r\n2\r\nhi\r\n0\r\n\r\n" + smuggled)
		c.wantAnswer(501, "")
		c.wantClosed()
		if got := d.forwarded(); len(got) > 0 {
			t.Errorf("%s: the handler saw %+v", codings, got)
		}
		if got := d.refusals(); !slices.Equal(got, []string{"unsupported_transfer_encoding"}) {
			t.Errorf("%s: reasons %q", codings, got)
		}
	}
}

func TestEveryReasonHasARow(t *testing.T) {
	var rows []string
	for _, row := range refusedRows {
		rows = append(rows, row.reason)
	}
	for _, row := range brokenBodies {
		rows = append(rows, row.reason)
	}
	rows = append(rows, "unsupported_transfer_encoding") // TestOtherCodings
	slices.Sort(rows)
	want := framing.Reasons()
	slices.Sort(want)
	if got := slices.Compact(rows); !slices.Equal(got, want) {
		t.Errorf("rows cover %q, Reasons says %q", got, want)
	}
}
