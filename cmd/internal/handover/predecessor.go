package handover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"sluice/rollout/store/layout"
)

// Predecessor is the gateway whose place this process takes. Its methods are for
// one goroutine, but for those of what Inherited returns.
type Predecessor struct {
	channel   *channel
	offer     message
	listeners []net.Listener // those that were taken are nil
	inherited *Inherited
}

const (
	// findAgain and findLimit are how often, and for how long, a gateway is asked
	// again that ended before it made its offer.
	findAgain = 20 * time.Millisecond
	findLimit = 2 * time.Second
)

// Find returns the gateway that offers itself on the socket, nil if there is none.
// It fails if one is there that makes no offer.
func Find(ctx context.Context, path string) (*Predecessor, error) {
	ctx, cancel := context.WithTimeout(ctx, findLimit)
	defer cancel()
	for {
		p, err := ask(path)
		if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			return p, err
		}
		select { // it is about to end: soon nobody is there, or its successor
		case <-ctx.Done():
			return nil, fmt.Errorf("the gateway that runs does not hand over: %w", err)
		case <-time.After(findAgain):
		}
	}
}

func ask(path string) (*Predecessor, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Net: "unix", Name: path})
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EINVAL):
		return nil, nil // no socket; one that a killed process left; a path that no socket can have
	case err != nil:
		return nil, err
	}
	c, err := newChannel(conn)
	if err != nil {
		return nil, err
	}
	p := &Predecessor{channel: c}
	if err := p.take(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// take receives the offer.
func (p *Predecessor) take() error {
	m, files, err := p.answer(sayOffer)
	if err != nil {
		return err
	}
	p.offer = m
	for _, f := range files {
		listener, err := net.FileListener(f)
		if err != nil {
			return errors.Join(err, closeAll(files))
		}
		p.listeners = append(p.listeners, listener)
	}
	return closeAll(files) // FileListener has made copies
}

// answer waits for what the predecessor says at once.
func (p *Predecessor) answer(want string) (message, []*os.File, error) {
	if err := p.channel.conn.SetReadDeadline(time.Now().Add(sayLimit)); err != nil {
		return message{}, nil, err
	}
	m, files, err := p.channel.receive()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return m, nil, fmt.Errorf("the gateway that runs does not answer (is it frozen?): %w", err)
	case err != nil:
		return m, nil, err
	case m.Say == sayRefused:
		return m, nil, errors.Join(fmt.Errorf("the gateway that runs refuses: %s", m.Why), closeAll(files))
	case m.Say != want:
		return m, nil, errors.Join(unexpected(m), closeAll(files))
	}
	return m, files, p.channel.conn.SetReadDeadline(time.Time{})
}

// Process returns the predecessor's number.
func (p *Predecessor) Process() int { return p.offer.Process }

// Patience returns how long it may take to end after Stop.
func (p *Predecessor) Patience() time.Duration { return p.offer.Patience }

// Addresses returns where its listeners listen, host:port.
func (p *Predecessor) Addresses() []string { return p.offer.Listeners }

// At reports whether its listeners listen, one by one, where the settings say: whether
// a change of processes is all that its clients would see.
func (p *Predecessor) At(settings ...string) bool {
	return slices.EqualFunc(p.offer.Listeners, settings, same)
}

// Listener returns a listener that listens where the setting says; nil if the
// predecessor had none, or it was taken. It is the caller's to close.
func (p *Predecessor) Listener(setting string) net.Listener {
	for i, l := range p.listeners {
		if l != nil && same(l.Addr().String(), setting) {
			p.listeners[i] = nil
			return l
		}
	}
	return nil
}

// Stop asks the predecessor to end, and returns once it accepts no more. From then
// on only this process serves, and what the predecessor gives is in what Inherited
// returns; first is how long a connection may wait there for its first request.
//
// That it died meanwhile is no error: its listeners are here.
func (p *Predecessor) Stop(first time.Duration) error {
	p.inherited = newInherited(first)
	err := p.channel.send(message{Say: sayStop, Process: os.Getpid(), Layout: layout.Number()})
	if err == nil {
		_, _, err = p.answer(sayStopped)
	}
	if gone(err) {
		return errors.Join(p.inherited.Close(), p.drop())
	}
	if err != nil {
		return fmt.Errorf("the gateway that runs was asked to stop: %w", err)
	}
	go p.inherit()
	return p.drop()
}

// drop closes the listeners that were not taken.
func (p *Predecessor) drop() error {
	var errs []error
	for _, l := range p.listeners {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	p.listeners = nil
	return errors.Join(errs...)
}

// gone reports whether the error says that the other process is no more.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// Inherited returns the predecessor's connections. Only after Stop.
func (p *Predecessor) Inherited() *Inherited { return p.inherited }

// inherit takes what the predecessor gives until it ends.
func (p *Predecessor) inherit() {
	defer p.inherited.Close()
	for {
		m, files, err := p.channel.receive()
		if err != nil {
			return // it has ended, or this process does
		}
		for _, f := range files {
			conn, err := net.FileConn(f)
			_ = f.Close() // FileConn has made a copy
			if err != nil {
				continue
			}
			if tcp, ok := conn.(*net.TCPConn); !ok || m.Say != sayConnection || !p.inherited.add(tcp) {
				_ = conn.Close() // nobody serves it any more
			}
		}
	}
}

// Close ends the conversation and closes what was not taken. Before Stop it leaves
// the predecessor in service.
func (p *Predecessor) Close() error {
	errs := []error{p.channel.close(), p.drop()}
	if p.inherited != nil {
		errs = append(errs, p.inherited.Close())
	}
	return errors.Join(errs...)
}
