package faultproxy

import (
	"net"
	"sync/atomic"
)

// link is one connection that is passed on.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	// reply is what happens to the next answer, a Fault.
	reply atomic.Uint32
	// silent: no answer passes any more.
	silent atomic.Bool
}

const pieceSize = 64 << 10

// requests passes on what the client sends.
func (l *link) requests() {
	buffer := make([]byte, pieceSize)
	for {
		n, err := l.client.Read(buffer)
		if err != nil || !l.request(buffer[:n]) {
			return
		}
	}
}

// request passes one piece on. It reports whether the connection goes on.
func (l *link) request(piece []byte) bool {
	fault, luck := l.proxy.draw(piece)
	ofAnswer := luck < 0.5
	switch fault {
	case BeforeSend:
		return false
	case Truncate:
		if !ofAnswer {
			_, _ = l.server.Write(piece[:len(piece)/2]) // it is cut either way
			return false
		}
		l.reply.Store(uint32(Truncate))
	case Stall:
		if ofAnswer {
			l.reply.Store(uint32(Stall))
			break
		}
		l.proxy.hold(2*luck - 1)
	case BeforeReply:
		l.reply.Store(uint32(BeforeReply))
	case AfterCommit:
		l.silent.Store(true)
	}
	if _, err := l.server.Write(piece); err != nil {
		return false
	}
	switch fault {
	case AfterSend:
		reset(l.client) // the server's side is closed in order, or it might lose the request
		return false
	case Reset:
		reset(l.client)
		reset(l.server)
		return false
	case AfterCommit:
		l.proxy.hold(1)
		return false
	}
	return true
}

// answers passes on what the server sends.
func (l *link) answers() {
	buffer := make([]byte, pieceSize)
	for {
		n, err := l.server.Read(buffer)
		if err != nil {
			return
		}
		piece := buffer[:n]
		if l.silent.Load() {
			continue
		}
		switch Fault(l.reply.Swap(uint32(None))) {
		case BeforeReply:
			return
		case Truncate:
			_, _ = l.client.Write(piece[:n/2]) // it is cut either way
			return
		case Stall:
			l.proxy.hold(0.5)
		}
		if _, err := l.client.Write(piece); err != nil {
			return
		}
	}
}

// cut ends both sides.
func (l *link) cut() {
	for _, conn := range [...]net.Conn{l.client, l.server} {
		_ = conn.Close() // twice, and after a reset
		l.proxy.drop(conn)
	}
}

// reset ends a connection without the usual farewell.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // else it is merely closed
	}
	_ = conn.Close() // it may be closed
}
