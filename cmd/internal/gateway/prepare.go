package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/open-feature/go-sdk/openfeature"
	"go.uber.org/zap"

	"sluice/cmd/internal/comparison"
	"sluice/cmd/internal/connect"
	"sluice/configs"
	"sluice/rollout"
	"sluice/rollout/flags"
	"sluice/rollout/flags/ofrep"
	"sluice/rollout/store/postgres"
	"sluice/router"
	"sluice/router/operator"
)

// prepared is what is read of the configuration, and of the files that it names, before
// anything is opened.
type prepared struct {
	source     openfeature.FeatureProvider
	boot       *rollout.Exposure // nil if there is none
	statusKey  []byte            // nil if it is to be made
	token      string            // of operators; empty for none
	dsn        string
	comparison comparison.Comparison
	routes     []router.Route
}

// Check finds all that Open would refuse of the configuration and of the files that it
// names. It uses no port, no lock and no network, and changes nothing on the disk.
func Check(ctx context.Context, config configs.Config, options Options) error {
	g := &Gateway{config: config, options: options}
	return errors.Join(g.prepare(ctx), g.Close())
}

// CheckFlags reads the flag file once, as a gateway does, and keeps nothing. It fails if
// a flag cannot be used. A start does not: it goes on with the last good policy or with
// 0 %, for a gateway must come back when its flag source does not. But nobody wants to
// begin so.
func CheckFlags(ctx context.Context, config configs.Config, options Options) error {
	if config.Rollout.Flags.Provider != flags.KindFile {
		return nil
	}
	g := &Gateway{config: config, options: options}
	if err := g.readFlagSource(ctx); err != nil {
		return nil // Check says so
	}
	reader, err := flags.New(ctx, flags.Config{Provider: g.source, Log: zap.NewNop()})
	if err != nil {
		return configs.At("rollout.flags.file", err)
	}
	wrong := ""
	for _, f := range reader.Status().Flags {
		if f.Rejected && !strings.Contains(wrong, f.Text) { // one cause may spoil all
			wrong += fmt.Sprintf("; %s cannot be used: %s", f.Flag, f.Text)
		}
	}
	if wrong != "" {
		err = configs.At("rollout.flags.file", errors.New(wrong[2:]))
	}
	return errors.Join(err, reader.Close())
}

// prepare makes all parts that need neither port, lock nor network, and leave the disk as
// it is. It is the beginning of Open, and all of Check: so what the one refuses the other
// does, in the same words. It finds everything that is wrong at once.
func (g *Gateway) prepare(ctx context.Context) error {
	var wrong []error
	for _, step := range []func(context.Context) error{
		g.openMetrics, g.findData, g.openLegacy, g.openTemporal, g.readFlagSource, g.readDSN,
		g.readStatusKey, g.readToken, g.readComparison, g.readRoutes, g.readWeakening,
	} {
		wrong = append(wrong, step(ctx))
	}
	return errors.Join(wrong...)
}

func (g *Gateway) findData(context.Context) error {
	return configs.At("data", connect.Directory(g.config.Data))
}

func (g *Gateway) readFlagSource(context.Context) error {
	c := g.config.Rollout.Flags
	source := flags.Source{Kind: c.Provider, File: c.File, Lookup: g.options.Lookup}
	if c.Provider == flags.KindOFREP {
		source.OFREP = ofrep.Config{URL: c.OFREP.URL, Timeout: c.Timeout.Std()}
		if c.OFREP.TokenFile != "" {
			token, err := os.ReadFile(c.OFREP.TokenFile)
			if err != nil {
				return configs.At("rollout.flags.ofrep.token_file", err)
			}
			source.OFREP.BearerToken = strings.TrimSpace(string(token))
		}
	}
	var err error
	g.source, g.boot, err = source.Open(g.options.Log)
	return configs.At("rollout.flags", err)
}

// readDSN reads where a shared store is.
func (g *Gateway) readDSN(context.Context) error {
	if g.config.Claims.Store != "postgres" {
		return nil
	}
	text, err := os.ReadFile(g.config.Claims.PostgresFile)
	if err == nil {
		g.dsn = strings.TrimSpace(string(text))
		err = g.sharedStore().Check()
	}
	return configs.At("claims.postgres_file", err)
}

// sharedStore is how the claims of several gateways are kept.
func (g *Gateway) sharedStore() postgres.Config {
	return postgres.Config{
		DSN: g.dsn, Migration: g.config.Rollout.Salt, Horizon: g.config.Claims.Horizon.Std(),
		KeepAnswers: keepAnswers(&g.config), Log: g.options.Log.Named("claims"),
	}
}

func (g *Gateway) readStatusKey(context.Context) (err error) {
	g.statusKey, err = statusKey(g.config)
	return configs.At("temporal.status_key_file", err)
}

func (g *Gateway) readToken(context.Context) (err error) {
	g.token, err = operatorToken(g.config.Operator.TokenFile)
	return configs.At(operator.TokenKey, err)
}

func (g *Gateway) readComparison(context.Context) (err error) {
	g.comparison, err = comparison.Read(g.config.Shadow)
	return err
}

// readRoutes reads the routes, each with what is wrong with it.
func (g *Gateway) readRoutes(context.Context) error {
	var wrong []error
	for i, r := range g.config.Routes {
		key := fmt.Sprintf("routes[%d]", i)
		route := router.Route{Name: r.Name, Method: r.Method, Pattern: r.Pattern, IDSpace: r.IDSpace, Headers: r.Headers, AnswerFields: r.AnswerFields()}
		var err error
		if route.DocID, err = router.ParseLocator(r.DocID); err != nil {
			wrong = append(wrong, configs.At(key+".doc_id", err))
		} else if r.IntegerIDs {
			if route.DocID, err = route.DocID.WithIntegers(); err != nil {
				wrong = append(wrong, configs.At(key+".integer_ids", err))
			}
		}
		for j, t := range r.Touches {
			at, err := router.ParseLocator(t.DocID)
			if err != nil {
				wrong = append(wrong, configs.At(fmt.Sprintf("%s.touches[%d].doc_id", key, j), err))
			}
			route.Touches = append(route.Touches, router.Touch{Method: t.Method, Pattern: t.Pattern, DocID: at})
		}
		if r.Auth == "check" {
			check, err := g.check(r.Check)
			if err != nil {
				wrong = append(wrong, configs.At(key+".check.url", err))
				continue
			}
			route.Authorise = check
		}
		g.routes = append(g.routes, route)
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	for i, err := range router.CheckRoutes(g.routes) {
		wrong = append(wrong, configs.At(fmt.Sprintf("routes[%d].pattern", i), err))
	}
	return errors.Join(wrong...)
}

// check makes an authorisation check of a URL, or of a path of the legacy service, which
// is asked on the client's own connection where it has one.
func (g *Gateway) check(c configs.Check) (*router.Check, error) {
	legacy, err := url.Parse(g.config.Legacy.URL)
	if err != nil {
		return nil, err
	}
	target, err := legacy.Parse(c.URL)
	if err != nil || g.legacy == nil { // what is wrong with legacy has been said
		return nil, err
	}
	config := router.CheckConfig{URL: target, Timeout: c.Timeout.Std(), Outbound: g.legacy.Outbound}
	if target.Scheme == legacy.Scheme && target.Host == legacy.Host {
		config.Ask = g.legacy.Ask
	}
	return router.NewCheck(config), nil
}

// readWeakening refuses what only a build for the chaos harness may be asked for.
func (g *Gateway) readWeakening(context.Context) error {
	_, err := g.weakened(nil)
	return err
}
