package legacy

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// line makes the connections to legacy, all of them counted.
type line struct {
	dialer  net.Dialer
	timeout time.Duration
	tls     *tls.Config
}

func newLine(config Config) *line {
	secure := &tls.Config{}
	if config.TLS != nil {
		secure = config.TLS.Clone()
	}
	secure.NextProtos = nil // legacy must not choose HTTP/2
	if secure.ServerName == "" {
		secure.ServerName = config.URL.Hostname()
	}
	return &line{
		dialer:  net.Dialer{KeepAlive: 15 * time.Second},
		timeout: config.DialTimeout,
		tls:     secure,
	}
}

func (l *line) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if l.timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, l.timeout)
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := l.limit(ctx)
	defer cancel()
	conn, err := l.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: conn}, nil
}

// dialTLS counts above the encryption: below it, the alert that ends an idle
// connection would pass for a part of a request.
func (l *line) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := l.limit(ctx)
	defer cancel()
	conn, err := l.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, l.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return &countedConn{Conn: secure, sealed: true}, nil
}
