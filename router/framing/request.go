package framing

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/textproto"
	"time"
)

type connKey struct{}

// ConnContext is an http.Server's ConnContext: with it, Prepare and Broken find
// the connection of a request. Without it, Broken knows of nothing, and trailer
// sections of more than 4 KiB are lost.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if framed, ok := c.(*Conn); ok {
		return context.WithValue(ctx, connKey{}, framed)
	}
	return ctx
}

func connOf(r *http.Request) *Conn {
	c, _ := r.Context().Value(connKey{}).(*Conn)
	return c
}

// Prepare makes the trailers of a server's request reach its copies, those too
// that come without announcement: net/http puts them into the original's map, and
// copies share it only if it is there when they are made. It must be called before
// the first copy, and before the body is read. They are whole in r.Trailer when
// reading the body has returned io.EOF.
func Prepare(r *http.Request) {
	if r.ContentLength >= 0 {
		return
	}
	if r.Trailer == nil {
		r.Trailer = http.Header{}
	}
	if c := connOf(r); c != nil {
		r.Body = &trailedBody{ReadCloser: r.Body, trailer: r.Trailer, aside: &c.aside}
	}
}

// trailedBody fills in the trailers that net/http could not take.
type trailedBody struct {
	io.ReadCloser
	trailer http.Header
	aside   *asideSection
}

func (b *trailedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		if name := b.trailer.Get(asideField); name != "" {
			delete(b.trailer, asideField)
			section := bufio.NewReader(bytes.NewReader(b.aside.take(name)))
			// Every line was checked; an end of the bytes leaves what was read.
			fields, _ := textproto.NewReader(section).ReadMIMEHeader()
			maps.Copy(b.trailer, http.Header(fields))
		}
	}
	return n, err
}

// Broken reports whether it is known already that nothing more will come of the
// client's bytes: its framing was refused, in this request's body or in a later
// request, or it has ended the stream. Then reading the body waits for nobody, and
// tells whether this request is whole.
//
// Where a part of the body is still to come, Broken looks for it as long as wait
// allows, but for no more than a few KiB. It leaves the connection without a read
// deadline, and must be called before the body is read.
func Broken(r *http.Request, wait time.Duration) bool {
	c := connOf(r)
	return c != nil && r.ContentLength != 0 && c.look(wait)
}
