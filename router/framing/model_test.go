package framing_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"sluice/router/framing"
)

const modelMaxHeaderBytes = 4 << 10

// message is what both parsers must see alike.
type message struct{ method, target, body string }

// reading is how the framer understands a stream.
type reading struct {
	messages []message
	handed   []byte // what it would hand on
	why      string // "" if nothing was refused
}

// read feeds the framer byte by byte and notes what it takes for heads and bodies.
func read(stream []byte) reading {
	var r reading
	var head, body []byte
	probe := framing.NewProbe(modelMaxHeaderBytes)
	for i := range stream {
		inHead, inData, atStart := probe.InHead(), probe.InData(), probe.AtStart()
		n, why := probe.Scan(stream[i : i+1])
		r.handed = append(r.handed, stream[i:i+n]...)
		if why != "" {
			r.why = why
			break
		}
		if inData {
			body = append(body, stream[i])
		} else if inHead {
			head = append(head, stream[i])
		}
		if probe.AtStart() && !atStart {
			line, _, _ := strings.Cut(strings.TrimLeft(string(head), "\r\n"), "\r\n")
			words := strings.Split(line, " ")
			r.messages = append(r.messages, message{words[0], words[1], string(body)})
			head, body = nil, nil
		}
	}
	return r
}

// wantSameReading gives what was handed on to net/http's parser: it must see the
// same messages, and after them no further whole one.
func wantSameReading(t *testing.T, r reading, handed []byte) {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(handed))
	lastMethod := ""
	for i, want := range r.messages {
		got, err := readMessage(in, lastMethod)
		if err != nil && strings.Contains(err.Error(), "too much non-data") {
			return // net/http is stricter, and closes
		}
		if err != nil || got != want {
			t.Fatalf("message %d: net/http reads %+v, %v\nthe framer %+v\nfrom %q", i, got, err, want, handed)
		}
		lastMethod = got.method
	}
	if got, err := readMessage(in, lastMethod); err == nil {
		t.Fatalf("net/http reads one message more: %+v\nfrom %q (%s)", got, handed, r.why)
	}
}

// readMessage reads like net/http's server.
func readMessage(in *bufio.Reader, lastMethod string) (message, error) {
	if lastMethod == "POST" {
		peek, _ := in.Peek(4)
		in.Discard(len(peek) - len(bytes.TrimLeft(peek, "\r\n")))
	}
	req, err := http.ReadRequest(in)
	if err != nil {
		return message{}, err
	}
	body, err := io.ReadAll(req.Body)
	return message{req.Method, req.RequestURI, string(body)}, err
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
