package legacy

import (
	"context"
	"net"
)

// WrapConns puts wrap around every connection to legacy from now on, just below
// the counting: so that a test decides when a write fails, and does not have to
// win a race for it. To be called before the first Forward.
func (f *Forwarder) WrapConns(wrap func(net.Conn) net.Conn) {
	f.transport.DialContext = wrapped(f.transport.DialContext, wrap)
	f.transport.DialTLSContext = wrapped(f.transport.DialTLSContext, wrap)
}

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func wrapped(dial dialer, wrap func(net.Conn) net.Conn) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if counted, ok := conn.(*countedConn); ok {
			counted.Conn = wrap(counted.Conn)
		}
		return conn, err
	}
}
