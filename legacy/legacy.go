// Package legacy forwards requests to the legacy service and its answers back,
// byte for byte.
//
// Invariants:
//   - A request is written to legacy at most once. It is tried on a second
//     connection only if not one byte of it was written to the first. The one
//     exception is what RFC 9110, 9.2.2 allows a proxy: GET, HEAD, OPTIONS and
//     TRACE without a body go out again if a kept connection broke before the
//     first byte of an answer.
//   - An error wraps rollout.ErrNotAccepted only if no byte was written.
//   - An answer that breaks off never reaches the client as a whole one: the
//     client's connection is cut.
//   - Hop-by-hop fields end here, in both directions (RFC 9110, 7.6.1); other
//     fields, their values and their order per name are kept. Nothing is added
//     to an answer, not even Via, which RFC 9110, 7.6.3 leaves open to a gateway.
//   - No client can make the connection to legacy speak HTTP/2 or TLS, under
//     which it would send requests that nobody here reads.
//   - What legacy binds to a connection is one client connection's; see private.
//   - A client that waits is waited for: only a call whose client sends no more is
//     given up.
//
// What net/http does not let through: the reason phrase (the standard one is
// sent), the letter case of names, Content-Length of a 204 (forbidden by RFC
// 9110, 8.6). A client of HTTP/1.0 cannot tell a cut answer of unknown length
// from a whole one.
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
	// AnswerTimeout is the longest that legacy may take to begin its answer after
	// the client has left or shut down its sending side; 0 is no limit. While the
	// client is there nothing is given up.
	AnswerTimeout time.Duration
	// DialTimeout bounds the making of a connection, TLS included; 0 is no
	// limit but the system's.
	DialTimeout time.Duration
	// IdleTimeout is how long an unused connection is kept; 0 is for ever. It
	// must be shorter than legacy's own, or legacy now and then closes a
	// connection just as a request is written to it.
	IdleTimeout time.Duration
	// MaxIdle is how many unused connections are kept; with 0 none is.
	MaxIdle int
	// PreserveHost sends the client's Host on; else legacy's own is sent.
	PreserveHost bool
	// TrustedProxies are the peers whose Forwarded and X-Forwarded-* fields are
	// believed and extended; all others' are dropped.
	TrustedProxies []netip.Prefix
	// DropUnderscores drops fields and trailers with an underscore in their names.
	// Else only those are dropped that CGI-like servers would take for a field that
	// this proxy sets: X_Forwarded_For and the like, whoever sent them, and what
	// looks like Content-Length or Transfer-Encoding.
	DropUnderscores bool
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
	line := newLine(config)
	f := &Forwarder{config: config, transport: newTransport(line.dial, line.dialTLS)}
	f.transport.IdleConnTimeout = config.IdleTimeout
	f.transport.MaxIdleConns, f.transport.MaxIdleConnsPerHost = config.MaxIdle, config.MaxIdle
	f.transport.DisableKeepAlives = config.MaxIdle <= 0 // 0 would mean the default, 2
	return f, nil
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// newTransport returns what is common to all ways to legacy.
func newTransport(dial, dialTLS dialFunc) *http.Transport {
	return &http.Transport{
		DialContext:           dial,
		DialTLSContext:        dialTLS,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true, // it would change the bytes
		Protocols:             http1Only(),
		WriteBufferSize:       16 << 10,
		ReadBufferSize:        16 << 10,
	}
}

func http1Only() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	return &p
}

// Close closes the connections that are not in use.
func (f *Forwarder) Close() { f.transport.CloseIdleConnections() }
