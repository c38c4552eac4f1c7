package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"sluice/configs"
	"sluice/legacy"
	"sluice/temporalpath"
	"sluice/temporalpath/claimcheck"
)

// pollersInterval is how often Temporal is asked who polls the task queues.
const pollersInterval = 10 * time.Second

func (g *Gateway) openLegacy(context.Context) error {
	c := g.config.Legacy
	target, err := url.Parse(c.URL)
	if err != nil {
		return fmt.Errorf("legacy.url: %w", err)
	}
	var trusted []netip.Prefix
	for _, text := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("legacy.trusted_proxies: %w", err)
		}
		trusted = append(trusted, prefix)
	}
	g.legacy, err = legacy.New(legacy.Config{
		URL:            target,
		AnswerTimeout:  c.AnswerTimeout.Std(),
		DialTimeout:    c.DialTimeout.Std(),
		IdleTimeout:    c.IdleTimeout.Std(),
		MaxIdle:        c.MaxIdle,
		PreserveHost:   c.PreserveHost,
		TrustedProxies: trusted,
	})
	if err != nil {
		return err
	}
	g.closers = append(g.closers, func() error { g.legacy.Close(); return nil })
	return nil
}

func (g *Gateway) openTemporal(context.Context) error {
	c := g.config.Temporal
	dialing, err := Dialing(c)
	if err != nil {
		return err
	}
	client, err := temporalpath.Dial(dialing)
	if err != nil {
		return err
	}
	g.closers = append(g.closers, func() error { client.Close(); return nil })
	check, err := ClaimCheck(c.ClaimCheck, g.options.Lookup)
	if err != nil {
		return err
	}
	config := temporalpath.Config{
		Service:      client.WorkflowService(),
		Namespace:    c.Namespace,
		Prefix:       c.Prefix,
		Routes:       map[string]temporalpath.Route{},
		StartTimeout: c.StartTimeout.Std(),
		MaxWaiters:   c.MaxWaiters,
		MaxInput:     c.MaxInput,
	}
	if check != nil {
		config.Codec = check
		config.MaxInput = 2 * int(g.config.Requests.MaxBody) // nothing is too large
	}
	for _, r := range g.config.Routes {
		config.Routes[r.Name] = temporalpath.Route{
			WorkflowType: r.Workflow.Type, TaskQueue: r.Workflow.TaskQueue,
			Update: r.Workflow.Result == "update", Status: r.Workflow.Status,
			Failures: r.Failures, ExecutionTimeout: r.Workflow.ExecutionTimeout.Std(),
		}
	}
	if g.temporal, err = temporalpath.New(config); err != nil {
		return err
	}
	g.health = temporalpath.NewHealth(g.temporal)
	return nil
}

// Dialing reads how Temporal is reached from the configuration and the files
// that it names.
func Dialing(c configs.Temporal) (temporalpath.Dialing, error) {
	d := temporalpath.Dialing{Address: c.Address, Namespace: c.Namespace}
	if c.APIKeyFile != "" {
		key, err := os.ReadFile(c.APIKeyFile)
		if err != nil {
			return d, fmt.Errorf("temporal.api_key_file: %w", err)
		}
		d.APIKey = strings.TrimSpace(string(key))
	}
	if !c.TLS.Enabled {
		return d, nil
	}
	d.TLS = &tls.Config{ServerName: c.TLS.ServerName, MinVersion: tls.VersionTLS12}
	if c.TLS.CAFile != "" {
		pem, err := os.ReadFile(c.TLS.CAFile)
		if err != nil {
			return d, fmt.Errorf("temporal.tls.ca_file: %w", err)
		}
		d.TLS.RootCAs = x509.NewCertPool()
		if !d.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return d, fmt.Errorf("temporal.tls.ca_file: %s holds no PEM certificate", c.TLS.CAFile)
		}
	}
	if c.TLS.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile)
		if err != nil {
			return d, fmt.Errorf("temporal.tls.cert_file: %w", err)
		}
		d.TLS.Certificates = []tls.Certificate{pair}
	}
	return d, nil
}

// ClaimCheck opens the store of large payloads; nil if it is off.
func ClaimCheck(c configs.ClaimCheck, lookup func(string) (string, bool)) (*claimcheck.Check, error) {
	switch c.Store {
	case "directory":
		driver, err := claimcheck.Directory(c.Directory)
		if err != nil {
			return nil, err
		}
		return claimcheck.New(driver, c.Threshold)
	case "s3":
		access, _ := lookup("AWS_ACCESS_KEY_ID")
		secret, _ := lookup("AWS_SECRET_ACCESS_KEY")
		driver, err := claimcheck.S3(claimcheck.Bucket{
			Name: c.S3.Bucket, Region: c.S3.Region, Endpoint: c.S3.Endpoint, AccessKey: access, SecretKey: secret,
		})
		if err != nil {
			return nil, errors.Join(err, errors.New("the keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"))
		}
		return claimcheck.New(driver, c.Threshold)
	}
	return nil, nil
}
