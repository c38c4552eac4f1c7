// Package ofrep makes the OpenFeature provider that asks a flag service over
// the OpenFeature Remote Evaluation Protocol, such as flagd or the
// go-feature-flag relay. The service sends no events: whoever evaluates must
// poll.
//
// Invariants: a redirect is not followed, so that credentials go to no other
// host; an answer is read up to a limit; an answer with an unexpected status is
// an error that says so.
package ofrep

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	contrib "github.com/open-feature/go-sdk-contrib/providers/ofrep"
	"github.com/open-feature/go-sdk/openfeature"
)

// DefaultTimeout bounds one request where Config.Timeout is 0.
const DefaultTimeout = 2 * time.Second

// Config says how to reach the service.
type Config struct {
	// URL is the service's base, such as http://flagd:8016; the protocol's
	// path is added to it.
	URL string
	// BearerToken is sent as Authorization where it is not empty.
	BearerToken string
	// Header is sent with every request.
	Header map[string]string
	// Timeout bounds one request; 0 means DefaultTimeout. A shorter deadline
	// of the caller wins.
	Timeout time.Duration
}

// Provider evaluates flags at the service.
type Provider struct {
	*contrib.Provider
	transport *http.Transport // owned by the provider
}

// New returns the provider. It does not contact the service. It fails with one
// line for each mistake in the configuration.
func New(cfg Config) (*Provider, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		MaxIdleConnsPerHost: 2,
		IdleConnTimeout:     time.Minute,
		ForceAttemptHTTP2:   true,
	}
	client := &http.Client{
		Transport:     bounded{transport},
		Timeout:       cfg.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	options := []contrib.Option{contrib.WithClient(client)}
	for name, value := range cfg.Header {
		options = append(options, contrib.WithHeader(name, value))
	}
	if cfg.BearerToken != "" {
		options = append(options, contrib.WithBearerToken(cfg.BearerToken))
	}
	return &Provider{Provider: contrib.NewProvider(cfg.URL, options...), transport: transport}, nil
}

// Metadata names the provider.
func (p *Provider) Metadata() openfeature.Metadata { return openfeature.Metadata{Name: "ofrep"} }

// Init does nothing: a service that is down is found out by each evaluation.
func (p *Provider) Init(openfeature.EvaluationContext) error { return nil }

// Shutdown closes idle connections.
func (p *Provider) Shutdown() { p.transport.CloseIdleConnections() }

func (cfg Config) check() error {
	return errors.Join(checkURL(cfg.URL), cfg.checkHeaders(), cfg.checkTimeout())
}

// checkURL keeps the URL itself out of its message where it may hold a secret.
func checkURL(text string) error {
	base, err := url.Parse(text)
	switch {
	case err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Hostname() == "":
		return errors.New("the OFREP URL must be absolute, such as http://flagd:8016")
	case base.User != nil:
		return errors.New("the OFREP URL must not hold a password: use a bearer token or a header")
	case base.RawQuery != "" || base.Fragment != "":
		return fmt.Errorf("the OFREP URL %s must end with its path: leave out ? and #", text)
	}
	return nil
}

func (cfg Config) checkHeaders() error {
	if !printable(cfg.BearerToken) {
		return errors.New("the OFREP bearer token holds white space or a control character: is there a line end at the end of its file?")
	}
	for name, value := range cfg.Header {
		if name == "" || !printable(name) || strings.Contains(name, ":") {
			return fmt.Errorf("the OFREP header name %q is not one", name)
		}
		if !printable(strings.ReplaceAll(value, " ", "")) {
			return fmt.Errorf("the value of the OFREP header %s holds a control character", name)
		}
		if strings.EqualFold(name, "Authorization") && cfg.BearerToken != "" {
			return errors.New("the OFREP bearer token and a header Authorization exclude each other")
		}
	}
	return nil
}

func (cfg Config) checkTimeout() error {
	if cfg.Timeout < 0 {
		return fmt.Errorf("the OFREP timeout %s must not be negative", cfg.Timeout)
	}
	return nil
}

// printable reports whether text is visible ASCII only.
func printable(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
