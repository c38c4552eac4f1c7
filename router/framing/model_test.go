package framing_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"sluice/router/framing"
)

const modelMaxHeaderBytes = 4 << 10

// message is what both parsers must see alike.
type message struct{ method, target, body, trailer string }

// reading is how the framer understands a stream.
type reading struct {
	messages []message
	handed   []byte // what it would hand on
	why      string // "" if nothing was refused
	probe    *framing.Probe
}

// read feeds the framer byte by byte and notes what it takes for heads, bodies and
// trailers. Nothing of heads and bodies may be altered, but for empty lines before
// a head.
func read(t testing.TB, stream []byte) reading {
	r := reading{probe: framing.NewProbe(modelMaxHeaderBytes)}
	var head, body, trailer []byte
	for i, c := range stream {
		inHead, inData, inTrailer, atStart := r.probe.InHead(), r.probe.InData(), r.probe.InTrailer(), r.probe.AtStart()
		emptyLine := atStart && !r.probe.InLine()
		handed, why := r.probe.Scan([]byte{c})
		r.handed = append(r.handed, handed...)
		if r.why = why; why != "" {
			break
		}
		if altered := !bytes.Equal(handed, stream[i:i+1]); altered && (inData || inHead && !(emptyLine && c == '\r')) {
			t.Fatalf("byte %d of %q became %q", i, stream, handed)
		}
		switch {
		case inData:
			body = append(body, c)
		case inTrailer:
			trailer = append(trailer, c)
		case inHead && len(handed) > 0:
			head = append(head, c)
		}
		if r.probe.AtStart() && !atStart {
			words := strings.Split(string(head[:bytes.IndexByte(head, '\r')]), " ")
			r.messages = append(r.messages, message{words[0], words[1], string(body), fieldsOf(trailer)})
			head, body, trailer = nil, nil, nil
		}
	}
	return r
}

// fieldsOf returns the fields of a trailer section in a comparable form.
func fieldsOf(section []byte) string {
	fields, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(section))).ReadMIMEHeader()
	return fmt.Sprint(map[string][]string(fields))
}

// wantSameReading gives what was handed on to net/http's parser: it must see the
// same messages, and after them no further whole one.
func wantSameReading(t *testing.T, r reading, handed []byte) {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(handed))
	for i, want := range r.messages {
		got, err := readMessage(in, r.probe)
		if err != nil || got != want {
			t.Fatalf("message %d: net/http reads %+v, %v\nthe framer %+v\nfrom %q", i, got, err, want, handed)
		}
	}
	if got, err := readMessage(in, r.probe); err == nil {
		t.Fatalf("net/http reads one message more: %+v\nfrom %q (%s)", got, handed, r.why)
	}
}

// readMessage reads like net/http's server, which would also take empty lines
// after a POST: none may come.
func readMessage(in *bufio.Reader, probe *framing.Probe) (message, error) {
	req, err := http.ReadRequest(in)
	if err != nil {
		return message{}, err
	}
	announced := make(map[string]bool)
	for name := range req.Trailer {
		announced[name] = true
	}
	body, err := io.ReadAll(req.Body)
	for name, values := range req.Trailer {
		if announced[name] && values == nil {
			delete(req.Trailer, name)
		}
	}
	trailer := fmt.Sprint(map[string][]string(req.Trailer))
	if req.Trailer.Get(framing.AsideField) != "" {
		trailer = fieldsOf(probe.Aside())
	}
	return message{req.Method, req.RequestURI, string(body), trailer}, err
}

// pieces is a connection that delivers a stream in pieces of one size, the last
// one together with io.EOF.
type pieces struct {
	net.Conn
	stream []byte
	size   int
}

func (p *pieces) Read(b []byte) (int, error) {
	n := copy(b[:min(len(b), p.size)], p.stream)
	p.stream = p.stream[n:]
	if len(p.stream) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// handedInPieces is what a Conn returns when the stream arrives in pieces of one
// size and is read with buffers of two others, in turns.
func handedInPieces(stream []byte, arrive, buffer int) (handed []byte, why string, err error) {
	listener := framing.NewListener(acceptor{&pieces{stream: stream, size: arrive}}, framing.Limits{
		MaxHeaderBytes: modelMaxHeaderBytes,
		Observer:       func(reason string) { why += reason },
	})
	conn, err := listener.Accept()
	if err != nil {
		return nil, "", err
	}
	p, next := make([]byte, buffer), make([]byte, buffer/3+1)
	answered := uint64(0)
	for {
		n, err := conn.Read(p)
		handed = append(handed, p[:n]...)
		for whole, _ := conn.(*framing.Conn).Messages(); answered < whole; answered++ {
			conn.(*framing.Conn).Answered() // as if a server did, or it would not see the end
		}
		if err != nil {
			return handed, why, err
		}
		p, next = next, p
	}
}

type acceptor struct{ conn net.Conn }

func (a acceptor) Accept() (net.Conn, error) { return a.conn, nil }
func (a acceptor) Close() error              { return nil }
func (a acceptor) Addr() net.Addr            { return nil }
