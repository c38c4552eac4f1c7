package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/configs"
	"sluice/metrics"
	"sluice/rollout"
	"sluice/rollout/flags"
	"sluice/router"
	"sluice/router/unclaimed"
)

func (g *Gateway) openFlags(ctx context.Context) error {
	c := g.config.Rollout.Flags
	var err error
	g.flags, err = flags.New(ctx, flags.Config{
		Provider: g.source, Boot: g.boot,
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
	if g.statusKey == nil {
		key, err := makeStatusKey(g.config)
		if err != nil {
			return configs.At("temporal.status_key_file", err)
		}
		g.statusKey = key
	}
	c := g.config
	config := router.Config{
		Legacy: g.legacy, Temporal: g.temporal, Policy: g.ceilings.policy,
		Mirror: g.shadow.mirror, MirrorFields: c.Shadow.Compare.Headers,
		Claims: g.claims, Breaker: g.breaker, WorkersReady: g.workers.Ready, Horizon: c.Claims.Horizon.Std(),
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
		RetryAfter: c.Requests.RetryAfter.Std(), StatusKey: g.statusKey,
	}
	if c.Rollout.OnUnroutable == "reject" {
		config.OnUnroutable = router.Reject
	}
	config.Underscores, _ = router.ParseUnderscores(c.Requests.UnderscoreFields)
	config.Routes = slices.Clone(g.routes)
	var err error
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

// statusKeyPath is where the key is that signs status URLs.
func statusKeyPath(c configs.Config) string {
	if c.Temporal.StatusKeyFile != "" {
		return c.Temporal.StatusKeyFile
	}
	return filepath.Join(c.Data, "status.key")
}

// statusKey reads the key that signs status URLs; nil if it is still to be made.
func statusKey(c configs.Config) ([]byte, error) {
	path := statusKeyPath(c)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && c.Temporal.StatusKeyFile == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) < 16 {
		return nil, fmt.Errorf("%s must hold 32 or more hexadecimal digits (openssl rand -hex 32)", path)
	}
	return key, nil
}

// makeStatusKey makes the key, unless somebody else has made it meanwhile.
func makeStatusKey(c configs.Config) ([]byte, error) {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	path := statusKeyPath(c)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return statusKey(c)
	}
	if err != nil {
		return nil, err
	}
	_, err = file.WriteString(hex.EncodeToString(raw[:]) + "\n")
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(path)) // a part of a key would be refused for ever
	}
	return raw[:], nil
}
