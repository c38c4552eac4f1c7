// Package legacy forwards requests to the legacy service and its answers back,
// byte for byte.
//
// Invariants:
//   - A request is written to legacy at most once. It is tried on a second
//     connection only if not one byte of it was written to the first.
//   - An error wraps rollout.ErrNotAccepted only if no byte was written.
//   - An answer that breaks off never reaches the client as a whole one: the
//     client's connection is cut.
//   - Hop-by-hop fields end here, in both directions (RFC 9110, 7.6.1); other
//     fields, their values and their order per name are kept.
package legacy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Config configures a Forwarder. URL is needed.
type Config struct {
	// URL is the legacy service's: scheme, host and perhaps a path that all
	// requests are put under.
	URL *url.URL
	// AnswerTimeout is the longest that legacy may take to begin its answer;
	// 0 is no limit.
	AnswerTimeout time.Duration
	// DialTimeout bounds the making of a connection, TLS included.
	DialTimeout time.Duration
	// IdleTimeout is how long an unused connection is kept. It must be shorter
	// than legacy's own, or legacy now and then closes a connection just as a
	// request is written to it.
	IdleTimeout time.Duration
	// MaxIdle is how many unused connections are kept.
	MaxIdle int
	// PreserveHost sends the client's Host on; else legacy's own is sent.
	PreserveHost bool
	// TrustedProxies are the peers whose Forwarded and X-Forwarded-* fields are
	// believed and extended; all others' are dropped.
	TrustedProxies []netip.Prefix
	// TLS is for an https URL; nil means the system's roots.
	TLS *tls.Config
}

// Forwarder forwards to one legacy service. It is safe for concurrent use.
type Forwarder struct {
	config    Config
	transport *http.Transport
	chunks    chunks
}

// New returns a forwarder. It makes no connection yet.
func New(config Config) (*Forwarder, error) {
	if config.URL == nil || config.URL.Host == "" || (config.URL.Scheme != "http" && config.URL.Scheme != "https") {
		return nil, errors.New("legacy needs a URL with scheme http or https and a host")
	}
	if config.URL.RawQuery != "" || config.URL.Fragment != "" || config.URL.User != nil {
		return nil, fmt.Errorf("legacy URL %s: a query, a fragment or a user cannot be kept", config.URL.Redacted())
	}
	dialer := &net.Dialer{Timeout: config.DialTimeout, KeepAlive: 15 * time.Second}
	return &Forwarder{
		config: config,
		transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dialer.DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return &countedConn{Conn: conn}, nil
			},
			TLSClientConfig:       config.TLS,
			TLSHandshakeTimeout:   config.DialTimeout,
			ResponseHeaderTimeout: config.AnswerTimeout,
			IdleConnTimeout:       config.IdleTimeout,
			MaxIdleConns:          config.MaxIdle,
			MaxIdleConnsPerHost:   config.MaxIdle,
			ExpectContinueTimeout: time.Second,
			DisableCompression:    true, // it would change the bytes
			ForceAttemptHTTP2:     false,
			Protocols:             http1Only(),
			WriteBufferSize:       16 << 10,
			ReadBufferSize:        16 << 10,
		},
	}, nil
}

func http1Only() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	return &p
}

// Close closes the connections that are not in use.
func (f *Forwarder) Close() { f.transport.CloseIdleConnections() }
