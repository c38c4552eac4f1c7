package gateway

import (
	"context"
	"net/netip"
	"net/url"
	"time"

	"sluice/cmd/internal/connect"
	"sluice/configs"
	"sluice/legacy"
	"sluice/router"
	"sluice/temporalpath"
)

// workersInterval is how often is looked who polls the task queues, real and shadow.
const workersInterval = 10 * time.Second

func (g *Gateway) openLegacy(context.Context) error {
	c := g.config.Legacy
	target, err := url.Parse(c.URL)
	if err != nil {
		return configs.At("legacy.url", err)
	}
	var trusted []netip.Prefix
	for _, text := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return configs.At("legacy.trusted_proxies", err)
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

		DropUnderscores: g.config.Requests.UnderscoreFields != router.PassUnderscores.String(),
	})
	if err != nil {
		return configs.At("legacy.url", err)
	}
	g.closers = append(g.closers, func() error { g.legacy.Close(); return nil })
	return nil
}

func (g *Gateway) openTemporal(context.Context) error {
	c := g.config.Temporal
	dialing, err := connect.Dialing(c)
	if err != nil {
		return err
	}
	dialing.Metrics = g.metrics.TemporalSDK()
	dialing.Logger = connect.TemporalLog(g.options.Log)
	client, err := temporalpath.Dial(dialing)
	if err != nil {
		return err
	}
	g.closers = append(g.closers, func() error { client.Close(); return nil })
	check, err := connect.ClaimCheck(c.ClaimCheck, g.options.Lookup)
	if err != nil {
		return err
	}
	config := connect.Path(&g.config, client, check)
	if g.temporal, err = temporalpath.New(config); err != nil {
		return err
	}
	g.workers = g.temporal.Workers()
	return nil
}
