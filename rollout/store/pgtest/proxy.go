package pgtest

import (
	"net"
	"sync"
)

// Proxy passes connections on to a server and can cut them.
type Proxy struct {
	listener net.Listener
	server   string
	running  sync.WaitGroup

	mu    sync.Mutex
	match func(answer []byte) bool // guarded by mu; see CutBefore
	conns map[net.Conn]bool        // guarded by mu
}

// NewProxy listens on a free port and passes what comes on to the server.
func NewProxy(server string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, server: server, conns: map[net.Conn]bool{}}
	p.running.Go(p.accept)
	return p, nil
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// CutBefore cuts a connection instead of passing on an answer of the server for
// which match returns true, which is called for one answer at a time; nil cuts
// nothing.
func (p *Proxy) CutBefore(match func(answer []byte) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.match = match
}

// Sever cuts the connections there are.
func (p *Proxy) Sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close() // the passing goroutine closes it again
	}
}

// Close cuts all connections.
func (p *Proxy) Close() {
	_ = p.listener.Close() // it is closed once
	p.Sever()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		p.running.Go(func() { p.pass(client, server, false) })
		p.running.Go(func() { p.pass(server, client, true) })
	}
}

// pass copies until one side ends, then ends the other.
func (p *Proxy) pass(from, to net.Conn, answers bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || answers && p.cuts(buffer[:n]) {
			break
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			break
		}
	}
	_, _ = from.Close(), to.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, from)
	delete(p.conns, to)
}

func (p *Proxy) cuts(answer []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.match != nil && p.match(answer)
}
