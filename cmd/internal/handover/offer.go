package handover

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"sluice/rollout/store/layout"
)

// OfferConfig says what is offered.
type OfferConfig struct {
	// Path is the socket's.
	Path string
	// Listeners are handed to the successor.
	Listeners []*net.TCPListener
	// Patience is how long this process may take to end after it was asked to.
	Patience time.Duration
	Log      *zap.Logger
}

// Offer is a running gateway's readiness to be replaced.
type Offer struct {
	config OfferConfig
	socket *net.UnixListener
	taken  chan *Successor
	close  func() error
}

// NewOffer makes the socket; a file that a killed process left there goes. The
// caller owns the directory: nobody else offers anything there. Serve answers.
func NewOffer(config OfferConfig) (*Offer, error) {
	if err := os.Remove(config.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: config.Path})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(config.Path, 0o600); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	return &Offer{config: config, socket: socket, taken: make(chan *Successor, 1), close: sync.OnceValue(socket.Close)}, nil
}

// Taken gives the successor that asked this gateway to stop, once.
func (o *Offer) Taken() <-chan *Successor { return o.taken }

// Close takes the offer back and removes the socket.
func (o *Offer) Close() error { return o.close() }

// Serve makes the offer to all who come, until Close or ctx ends. The first who
// says stop is the successor.
func (o *Offer) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = o.Close() })() // Accept reports it
	var talks sync.WaitGroup
	defer talks.Wait()
	defer cancel()
	for {
		conn, err := o.socket.AcceptUnix()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		talks.Go(func() { o.talk(ctx, conn) })
	}
}

// talk makes the offer to one process.
func (o *Offer) talk(ctx context.Context, conn *net.UnixConn) {
	c, err := newChannel(conn)
	if err != nil {
		o.config.Log.Warn("somebody who must not asked for the gateway's listeners", zap.Error(err))
		return
	}
	leave := context.AfterFunc(ctx, func() { _ = c.close() }) // receive fails then
	if err := o.offerTo(c); err != nil {
		o.config.Log.Warn("the listeners could not be offered", zap.Error(err))
		_ = c.close() // nobody is there
		return
	}
	m, files, err := c.receive()
	if err != nil || m.Say != sayStop {
		_ = errors.Join(closeAll(files), c.close()) // it gave up: nothing has changed
		return
	}
	if m.Layout < layout.Least() { // 0 of builds that knew none
		o.refuse(c, m)
		return
	}
	if !leave() {
		return // too late, and closed
	}
	select {
	case o.taken <- &Successor{channel: c, Process: m.Process}:
	default: // another was first
		_ = c.close()
	}
}

// refuse sends a build away that must not use the directory as it is now. One that
// does not know the word ends all the same.
func (o *Offer) refuse(c *channel, m message) {
	why := fmt.Sprintf("its data directory has a layout that builds below %d must not use, and this build knows %d: run a newer one", layout.Least(), m.Layout)
	o.config.Log.Warn("an older build wanted to take over, and was refused", zap.Int("process", m.Process), zap.Int("layout", m.Layout), zap.Int("least", layout.Least()))
	_ = errors.Join(c.send(message{Say: sayRefused, Why: why}), c.close()) // it may be gone
}

// offerTo sends the offer. The listeners stay open here too.
func (o *Offer) offerTo(c *channel) error {
	m := message{Say: sayOffer, Process: os.Getpid(), Patience: o.config.Patience}
	var descriptors []int
	send := func() error { return c.send(m, descriptors...) }
	for _, listener := range o.config.Listeners {
		m.Listeners = append(m.Listeners, listener.Addr().String())
		inner := send
		send = func() error {
			return borrowed(listener, func(fd int) error { descriptors = append(descriptors, fd); return inner() })
		}
	}
	return send()
}

// borrowed calls use with the descriptor, which stays open meanwhile.
func borrowed(of syscall.Conn, use func(fd int) error) error {
	raw, err := of.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = use(int(fd)) })
	return errors.Join(err, failed)
}

// Successor is the gateway that takes this one's place.
type Successor struct {
	channel *channel
	// Process is its number.
	Process int
}

// Stopped tells it that this gateway accepts no more.
func (s *Successor) Stopped() error { return s.channel.send(message{Say: sayStopped}) }

// Give sends it a connection. The caller still has to close its own descriptor.
func (s *Successor) Give(conn *net.TCPConn) error {
	return borrowed(conn, func(fd int) error { return s.channel.send(message{Say: sayConnection}, fd) })
}

// Close ends the conversation: nothing more is given.
func (s *Successor) Close() error { return s.channel.close() }
