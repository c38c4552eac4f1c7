// Package faultproxy passes TCP connections on and does to them what networks
// do. It knows no protocol: what a sender writes in one piece it takes for a
// request, which for small HTTP requests and single gRPC calls it is.
package faultproxy

import (
	"bytes"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Config configures a Proxy.
type Config struct {
	// Listen is where the proxy listens; empty for any free port.
	Listen string
	// Target is where it connects to.
	Target string
	// Rate is the share of requests that a fault happens to, 0..1.
	Rate float64
	// Marker, if set, is what a piece must hold to count as a request.
	Marker []byte
	// MaxStall bounds how long anything is held up.
	MaxStall time.Duration
	Seed     uint64
}

// Proxy is one link between two parties. It is safe for concurrent use.
type Proxy struct {
	config   Config
	listener net.Listener
	running  sync.WaitGroup
	calm     chan struct{} // closed by Calm
	quiet    sync.Once
	counts   [len(faults)]atomic.Int64

	mu    sync.Mutex
	rng   *rand.Rand        // guarded by mu
	conns map[net.Conn]bool // guarded by mu
	ended bool              // guarded by mu
}

// New listens and passes on until Close.
func New(config Config) (*Proxy, error) {
	if config.Listen == "" {
		config.Listen = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		config: config, listener: listener, calm: make(chan struct{}),
		rng: rand.New(rand.NewPCG(config.Seed, 0x5106ce)), conns: map[net.Conn]bool{},
	}
	p.running.Go(p.accept)
	return p, nil
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Calm ends the faults: what stalls goes on, and what comes passes.
func (p *Proxy) Calm() { p.quiet.Do(func() { close(p.calm) }) }

// Count returns how often a fault happened.
func (p *Proxy) Count(f Fault) int64 { return p.counts[f].Load() }

// Close cuts all connections.
func (p *Proxy) Close() {
	p.Calm()
	_ = p.listener.Close() // it is closed once
	p.mu.Lock()
	p.ended = true
	for conn := range p.conns {
		_ = conn.Close() // its goroutine closes it again
	}
	p.mu.Unlock()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.connect(client) })
	}
}

// connect passes one connection on. Where the target cannot be reached, the
// client is reset, as it would be by a host without a listener, but later.
func (p *Proxy) connect(client net.Conn) {
	server, err := net.DialTimeout("tcp", p.config.Target, 2*time.Second)
	if err != nil {
		reset(client)
		return
	}
	if !p.keep(client, server) {
		return
	}
	l := &link{proxy: p, client: client, server: server}
	p.running.Go(func() { l.requests(); l.cut() })
	l.answers()
	l.cut()
}

// keep notes the pair, unless the proxy has been closed.
func (p *Proxy) keep(pair ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range pair {
		if p.ended {
			_ = conn.Close() // nobody uses it
			continue
		}
		p.conns[conn] = true
	}
	return !p.ended
}

func (p *Proxy) drop(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// draw decides what happens to a piece. luck is for the details, 0..1.
func (p *Proxy) draw(piece []byte) (f Fault, luck float64) {
	if !bytes.Contains(piece, p.config.Marker) {
		return None, 0
	}
	select {
	case <-p.calm:
		return None, 0
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rng.Float64() >= p.config.Rate {
		return None, 0
	}
	f = Fault(1 + p.rng.IntN(len(faults)-1))
	p.counts[f].Add(1)
	return f, p.rng.Float64()
}

// hold waits for a part of MaxStall, or until the faults end.
func (p *Proxy) hold(part float64) {
	timer := time.NewTimer(time.Duration(part * float64(p.config.MaxStall)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.calm:
	}
}
