package metrics

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"sluice/rollout"
)

// GatewayConfig says what a gateway has to tell. The functions are called once
// for each scrape, from any goroutine: they must neither block nor do I/O. A
// metric whose function is nil is left out, and so is a limit of 0.
type GatewayConfig struct {
	// Version is the build's, for gateway_build_info.
	Version string
	// Routes are the names of the ingestion routes.
	Routes []string
	// FlagNames and FlagRejectReasons are the closed sets of FlagReject's words.
	FlagNames, FlagRejectReasons []string
	// RefusedReasons is the closed set of Refused's words.
	RefusedReasons []string
	// TaskQueues are the ones that the routes' workflows run on.
	TaskQueues []string

	// Policy returns what is in force; nil while nothing is yet.
	Policy func() *rollout.Policy
	// FlagAge returns the time since the flags were last read well.
	FlagAge func() time.Duration
	// BodyBytes returns the bytes of request bodies held in memory.
	BodyBytes func() int64
	// BodyBytesLimit is the budget of BodyBytes.
	BodyBytesLimit int64
	// TemporalWaiters returns the requests that wait for a workflow's result.
	TemporalWaiters func() int
	// TemporalWaitersLimit bounds TemporalWaiters.
	TemporalWaitersLimit int
	// TemporalPollers returns the workers last seen polling the task queue.
	TemporalPollers func(taskQueue string) int
	// TemporalUp returns whether Temporal answered when last asked.
	TemporalUp func() bool
	// BreakerOpen returns whether the Temporal path's breaker is open.
	BreakerOpen func() bool
	// Lacks is the closed set of Lacking's words; Lacking returns whether the route lacks
	// that of its workers.
	Lacks   []string
	Lacking func(route, lack string) bool
	// Unresolved returns the claims that the resolver looks after; Stalled those of them
	// whose run does not get on.
	Unresolved, Stalled func() int
	// AwayUnrecorded returns the documents that were sent without a claim, because
	// the claim store was away, and have none yet.
	AwayUnrecorded func() int
	// AwayFloor returns the exposure from which on documents are sent without a
	// claim if the store is away.
	AwayFloor func() rollout.Exposure
	// Books returns the books of claims as they were last read, and when; the zero
	// time until then.
	Books func() (rollout.Books, time.Time)
	// ShadowClasses is the closed set of ShadowCompared's words.
	ShadowClasses []string
	// ShadowWaiting and ShadowBytes return what the mirror holds.
	ShadowWaiting func() int
	ShadowBytes   func() int64
	// ShadowReady returns whether the route's documents may be mirrored.
	ShadowReady func(route string) bool
	// Guardrails and PlanActions are the closed sets of RolledBack's and
	// PlanDecision's words.
	Guardrails, PlanActions []string
	// Steering returns where the guardrails and the plan are; nil while this gateway
	// does not know.
	Steering func() *Steering
	// Draining returns whether the gateway is about to stop.
	Draining func() bool
	// LogDropped returns how many lines of the log were lost.
	LogDropped func() uint64

	// Log gets what goes wrong in a scrape; nil for slog.Default.
	Log *slog.Logger
}

// Gateway holds the metrics of one gateway. It is safe for concurrent use.
type Gateway struct {
	registry *prometheus.Registry
	log      *slog.Logger

	requests *requests
	inFlight []flight // by path

	unroutable, authChecks, refused, spellings, underscores vocabulary

	claims  claims
	shadow  shadow
	steered steered

	flagRejects map[string]vocabulary // by flag; never written after the start
	otherFlag   vocabulary

	sdk *sdk
}

// NewGateway returns the metrics, all of them at zero. It panics if a name in
// the configuration is not valid UTF-8.
func NewGateway(c GatewayConfig) *Gateway {
	g := &Gateway{registry: newRegistry(), log: c.Log, sdk: newSDK()}
	g.registry.MustRegister(g.sdk)
	g.requests = newRequests(g.registry, c.Routes)
	g.inFlight = newFlights(g.registry)

	g.unroutable = newVocabulary(g.counter("gateway_unroutable_total",
		"Requests on an ingestion route that no document can be told from, by reason: passed to legacy without a claim, or rejected.", "reason"),
		rollout.UnroutableReasons())
	g.spellings = newVocabulary(g.counter("rollout_other_spelling_total",
		"Requests for another spelling of an ingestion route's path (//, /., a slash at the end, capitals): passed to legacy without a claim, or rejected.", "route"),
		c.Routes)
	g.underscores = newVocabulary(g.counter("gateway_underscore_fields_total",
		"Requests that brought a field with an underscore in its name, by what became of it: pass, drop or reject.", "action"),
		[]string{"pass", "drop", "reject"})
	g.authChecks = newVocabulary(g.counter("gateway_auth_checks_total",
		"Authorisation checks, by result; an error is denied too.", "result"),
		[]string{AuthAllowed, AuthDenied, AuthError})
	g.refused = newVocabulary(g.counter("gateway_refused_requests_total",
		"Requests refused for their HTTP framing, by reason; no path saw them.", "reason"),
		c.RefusedReasons)

	rejects := g.counter("rollout_flag_rejects_total",
		"Flag values refused; the last good one stays in force.", "flag", "reason")
	g.flagRejects = make(map[string]vocabulary, len(c.FlagNames))
	for _, flag := range c.FlagNames {
		g.flagRejects[flag] = newVocabulary(rejects, c.FlagRejectReasons, flag)
	}
	g.otherFlag = newVocabulary(rejects, nil, other)

	g.claims = newClaims(g, c.Routes)
	g.shadow = newShadow(g, c.Routes, c.ShadowClasses)
	g.steered = newSteered(g, c)
	registerLive(g.registry, c)
	return g
}

func (g *Gateway) counter(name, help string, labels ...string) *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	g.registry.MustRegister(vec)
	return vec
}

// Handler serves the metrics.
func (g *Gateway) Handler() http.Handler { return exposition(g.registry, g.log) }

// TemporalSDK returns what a Temporal client reports its own metrics to.
func (g *Gateway) TemporalSDK() client.MetricsHandler { return g.sdk.handler() }

// What AuthCheck counts.
const (
	AuthAllowed = "allowed"
	AuthDenied  = "denied"
	AuthError   = "error"
)

// AuthCheck counts one authorisation check: allowed, denied or error.
func (g *Gateway) AuthCheck(result string) { g.authChecks.count(result) }

// UnderscoreField counts a request that brought a field with an underscore in its
// name: pass, drop or reject.
func (g *Gateway) UnderscoreField(action string) { g.underscores.count(action) }

// Refused counts a request that strict HTTP framing turned away.
func (g *Gateway) Refused(reason string) { g.refused.count(reason) }

// FlagReject counts one flag value that was not taken over.
func (g *Gateway) FlagReject(flag, reason string) {
	rejects, known := g.flagRejects[flag]
	if !known {
		rejects, reason = g.otherFlag, other
	}
	rejects.count(reason)
}
