package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"sluice/configs"
	"sluice/metrics"
	"sluice/rollout"
	"sluice/rollout/flags"
	"sluice/rollout/flags/ofrep"
	"sluice/router"
	"sluice/router/unclaimed"
)

func (g *Gateway) openFlags(ctx context.Context) error {
	c := g.config.Rollout.Flags
	source := flags.Source{Kind: c.Provider, File: c.File, Lookup: g.options.Lookup}
	if c.Provider == flags.KindOFREP {
		source.OFREP = ofrep.Config{URL: c.OFREP.URL, Timeout: c.Timeout.Std()}
		if c.OFREP.TokenFile != "" {
			token, err := os.ReadFile(c.OFREP.TokenFile)
			if err != nil {
				return fmt.Errorf("rollout.flags.ofrep.token_file: %w", err)
			}
			source.OFREP.BearerToken = strings.TrimSpace(string(token))
		}
	}
	provider, boot, err := source.Open(g.options.Log)
	if err != nil {
		return err
	}
	g.flags, err = flags.New(ctx, flags.Config{
		Provider: provider, Boot: boot,
		StateFile: filepath.Join(g.config.Data, "policy.json"),
		Poll:      c.Interval.Std(), Deadline: c.Timeout.Std(),
		Observer: flagObserver{g.metrics}, Log: g.options.Log,
	})
	if err != nil {
		return err
	}
	g.closers = append(g.closers, g.flags.Close)
	return nil
}

type flagObserver struct{ metrics *metrics.Gateway }

func (o flagObserver) FlagRejected(flag, reason string) { o.metrics.FlagReject(flag, reason) }

func (g *Gateway) openRouter(context.Context) error {
	key, err := statusKey(g.config)
	if err != nil {
		return err
	}
	c := g.config
	config := router.Config{
		Legacy: g.legacy, Temporal: g.temporal, Policy: g.ceilings.policy,
		Mirror: g.shadow.mirror, MirrorFields: c.Shadow.Compare.Headers,
		Claims: g.claims, Breaker: g.breaker, Horizon: c.Claims.Horizon.Std(),
		Answers: g.answers, AnswerLimit: int(c.Legacy.AnswerLimit),
		Splitter: rollout.NewSplitter(c.Rollout.Salt),
		Observer: recorded{g.metrics, &g.failed, &g.unclaimed}, Log: g.options.Log, AccessLog: c.Log.Access,
		CountUnderscores: g.metrics.UnderscoreField, LegacyOnly: g.quiet.Holds,
		TenantHeader: c.Requests.TenantHeader, RejectSpellings: c.Requests.OtherSpellings == "reject",
		Body: router.BodyLimits{
			Max: int64(c.Requests.MaxBody), Budget: int64(c.Requests.BodyBudget),
			Patience: c.Requests.BodyPatience.Std(), MinRate: int64(c.Requests.BodyMinRate),
		},
		Wait: c.Temporal.Wait.Std(), MaxWait: c.Temporal.MaxWait.Std(),
		RetryAfter: c.Requests.RetryAfter.Std(), StatusKey: key,
	}
	if c.Rollout.OnUnroutable == "reject" {
		config.OnUnroutable = router.Reject
	}
	config.Underscores, _ = router.ParseUnderscores(c.Requests.UnderscoreFields)
	for _, r := range c.Routes {
		route, err := g.route(r)
		if err != nil {
			return fmt.Errorf("route %q: %w", r.Name, err)
		}
		config.Routes = append(config.Routes, route)
	}
	g.router, err = router.New(config)
	return err
}

// recorded also remembers which documents failed, and what went without a claim.
type recorded struct {
	*metrics.Gateway
	failed    *failed
	unclaimed *unclaimed.Requests
}

// Observe takes the record of a request that was answered.
func (o recorded) Observe(r *rollout.Record) {
	o.Gateway.Observe(r)
	o.failed.observe(r)
	o.unclaimed.Observe(r)
}

func (g *Gateway) route(r configs.Route) (router.Route, error) {
	locator, err := router.ParseLocator(r.DocID)
	if err != nil {
		return router.Route{}, err
	}
	route := router.Route{Name: r.Name, Method: r.Method, Pattern: r.Pattern, DocID: locator, Headers: r.Headers, AnswerFields: r.AnswerFields()}
	for _, t := range r.Touches {
		at, err := router.ParseLocator(t.DocID)
		if err != nil {
			return route, fmt.Errorf("touches: %w", err)
		}
		route.Touches = append(route.Touches, router.Touch{Method: t.Method, Pattern: t.Pattern, DocID: at})
	}
	if r.Auth == "check" {
		legacy, err := url.Parse(g.config.Legacy.URL)
		if err != nil {
			return route, err
		}
		target, err := legacy.Parse(r.Check.URL)
		if err != nil {
			return route, err
		}
		check := router.CheckConfig{URL: target, Timeout: r.Check.Timeout.Std(), Outbound: g.legacy.Outbound}
		if target.Scheme == legacy.Scheme && target.Host == legacy.Host {
			check.Ask = g.legacy.Ask
		}
		route.Authorise = router.NewCheck(check)
	}
	return route, nil
}

// statusKey reads the key that signs status URLs, or makes it.
func statusKey(c configs.Config) ([]byte, error) {
	path := c.Temporal.StatusKeyFile
	if path == "" {
		path = filepath.Join(c.Data, "status.key")
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && c.Temporal.StatusKeyFile == "" {
		var raw [32]byte
		_, _ = rand.Read(raw[:]) // never fails
		text = []byte(hex.EncodeToString(raw[:]) + "\n")
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("temporal.status_key_file: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) < 16 {
		return nil, fmt.Errorf("temporal.status_key_file: %s must hold 32 or more hexadecimal digits (openssl rand -hex 32)", path)
	}
	return key, nil
}
