package configs

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"sluice/rollout"
)

// complain notes that a key's value is wrong.
type complain func(key, format string, args ...any)

// validate finds what is wrong with values that are well formed.
func validate(c *Config, wrong complain) {
	wrong.address("listen.public", c.Listen.Public)
	wrong.address("listen.operator", c.Listen.Operator)
	if clash(c.Listen.Public, c.Listen.Operator) {
		wrong("listen.operator", "%q is listen.public's too: give it a port of its own", c.Listen.Operator)
	}
	wrong.needed("data", c.Data)
	wrong.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	validateLegacy(&c.Legacy, wrong)
	validateTemporal(&c.Temporal, wrong)
	validateRollout(&c.Rollout, wrong)
	validateClaims(&c.Claims, wrong)
	if file := c.Operator.TokenFile; strings.TrimSpace(file) != file || strings.HasSuffix(file, "/") {
		wrong("operator.token_file", "%q is not the name of a file", file)
	}
	if len(c.Routes) == 0 {
		wrong("routes", "name at least one route, or nothing is ever ingested by Temporal")
	}
	names := map[string]bool{}
	for i := range c.Routes {
		key := fmt.Sprintf("routes[%d]", i)
		validateRoute(&c.Routes[i], key, wrong)
		if names[c.Routes[i].Name] {
			wrong(key+".name", "there are two routes named %q", c.Routes[i].Name)
		}
		names[c.Routes[i].Name] = true
	}
	validateRequests(&c.Requests, wrong)
	wrong.notNegative("drain.lame_duck", c.Drain.LameDuck)
	wrong.positive("drain.timeout", c.Drain.Timeout)
	validateWorker(&c.Worker, wrong)
	validateShadow(c, wrong)
	validateMirror(&c.Shadow, wrong)
	validateGates(c.Gates, wrong)
	validateGuardrails(&c.Guardrails, wrong)
	validatePlan(&c.Plan, c.Gates, wrong)
}

func validateLegacy(l *Legacy, wrong complain) {
	u, err := url.Parse(l.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		wrong("legacy.url", "%q is not a URL such as http://legacy:9000", l.URL)
	} else if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		wrong("legacy.url", "%s: a query, a fragment or a user cannot be kept", u.Redacted())
	}
	wrong.notNegative("legacy.answer_timeout", l.AnswerTimeout)
	wrong.positive("legacy.dial_timeout", l.DialTimeout)
	wrong.positive("legacy.idle_timeout", l.IdleTimeout)
	if l.MaxIdle < 0 {
		wrong("legacy.max_idle", "must be 0 (no connection is kept) or more")
	}
	wrong.oneOf("legacy.idempotency", l.Idempotency, "pass", "gateway")
	if l.AnswerLimit < 1024 || l.AnswerLimit > 16<<20 {
		wrong("legacy.answer_limit", "must be from 1KiB to 16MiB: that much of each answer under way is held in memory")
	}
	if l.AnswerBudget < 16*l.AnswerLimit {
		wrong("legacy.answer_budget", "must be 16 times legacy.answer_limit or more")
	}
	if name, value := l.DryRun.Field(); l.DryRun.Header != "" && (name == "" || value == "") {
		wrong("legacy.dry_run.header", "%q is not a field such as \"X-Dry-Run: true\"", l.DryRun.Header)
	}
	for i, text := range l.TrustedProxies {
		if _, err := netip.ParsePrefix(text); err != nil {
			wrong(fmt.Sprintf("legacy.trusted_proxies[%d]", i), "%q is not an address range such as 10.0.0.0/8", text)
		}
	}
}

func validateTemporal(t *Temporal, wrong complain) {
	wrong.address("temporal.address", t.Address)
	wrong.needed("temporal.namespace", t.Namespace)
	wrong.needed("temporal.prefix", t.Prefix)
	if len(t.Prefix) > 64 {
		wrong("temporal.prefix", "must be at most 64 bytes long, so that it leaves room in a workflow ID for the document")
	}
	if t.MaxWorkflowID < rollout.DefaultMaxWorkflowID || t.MaxWorkflowID > 1000 {
		wrong("temporal.max_workflow_id", "must be from 255, which every store of Temporal's holds, to 1000, which is what its API takes")
	}
	wrong.positive("temporal.start_timeout", t.StartTimeout)
	wrong.notNegative("temporal.wait", t.Wait)
	if t.MaxWait < t.Wait {
		wrong("temporal.max_wait", "must not be less than temporal.wait")
	}
	if t.MaxWaiters < 1 || t.MaxWaiters > 1200 {
		wrong("temporal.max_waiters", "must be from 1 to 1200, which is what Temporal allows a namespace and frontend")
	}
	if t.MaxInput < 1024 {
		wrong("temporal.max_input", "must be 1024 bytes or more")
	}
	if !t.TLS.Enabled && (t.TLS.CAFile != "" || t.TLS.CertFile != "" || t.TLS.KeyFile != "" || t.TLS.ServerName != "") {
		wrong("temporal.tls.enabled", "is false, and other keys of temporal.tls are set")
	}
	if (t.TLS.CertFile == "") != (t.TLS.KeyFile == "") {
		wrong("temporal.tls.cert_file", "cert_file and key_file belong together")
	}
	if t.ClaimCheck.Store != "off" && int(t.ClaimCheck.Threshold) > t.MaxInput {
		wrong("temporal.claim_check.threshold", "is above temporal.max_input, so what lies between would travel whole and be refused by Temporal")
	}
	validateClaimCheck(&t.ClaimCheck, wrong)
}

func validateClaimCheck(c *ClaimCheck, wrong complain) {
	wrong.oneOf("temporal.claim_check.store", c.Store, "off", "directory", "s3")
	if c.Threshold < 1 {
		wrong("temporal.claim_check.threshold", "must be 1 byte or more")
	}
	switch c.Store {
	case "directory":
		wrong.needed("temporal.claim_check.directory", c.Directory)
		wrong.oneOf("temporal.claim_check.shared_by", c.SharedBy, "owner", "group")
	case "s3":
		wrong.needed("temporal.claim_check.s3.bucket", c.S3.Bucket)
		wrong.needed("temporal.claim_check.s3.region", c.S3.Region)
	}
}

func validateRollout(r *Rollout, wrong complain) {
	wrong.needed("rollout.salt", r.Salt)
	wrong.oneOf("rollout.on_unroutable", r.OnUnroutable, "reject", "legacy")
	wrong.oneOf("rollout.flags.provider", r.Flags.Provider, "file", "ofrep", "env")
	switch r.Flags.Provider {
	case "file":
		wrong.needed("rollout.flags.file", r.Flags.File)
	case "ofrep":
		if u, err := url.Parse(r.Flags.OFREP.URL); err != nil || u.Host == "" {
			wrong("rollout.flags.ofrep.url", "%q is not a URL such as http://flagd:8016", r.Flags.OFREP.URL)
		}
	}
	wrong.positive("rollout.flags.interval", r.Flags.Interval)
	wrong.positive("rollout.flags.timeout", r.Flags.Timeout)
}

func validateClaims(c *Claims, wrong complain) {
	wrong.oneOf("claims.store", c.Store, "embedded", "postgres")
	if c.Store == "postgres" {
		wrong.needed("claims.postgres_file", c.PostgresFile)
	}
	if c.Horizon.Std() < time.Minute {
		wrong("claims.horizon", "must be 1m or longer: clients repeat a request for as long")
	}
	if c.Lease.Std() < 3*time.Second {
		wrong("claims.lease", "must be 3s or longer, or a gateway that is busy counts as dead")
	}
	wrong.positive("claims.timeout", c.Timeout)
	wrong.notNegative("claims.away", c.Away)
}

func validateRoute(r *Route, key string, wrong complain) {
	wrong.needed(key+".name", r.Name)
	wrong.needed(key+".pattern", r.Pattern)
	wrong.needed(key+".doc_id", r.DocID)
	wrong.oneOf(key+".method", r.Method, "POST", "PUT", "PATCH")
	if err := rollout.CheckIDSpace(r.IDSpace); err != nil {
		wrong(key+".id_space", "%q: %v", r.IDSpace, err)
	}
	switch r.Auth {
	case "none":
	case "check":
		if u, err := url.Parse(r.Check.URL); err != nil || r.Check.URL == "" || (u.Host == "" && !strings.HasPrefix(r.Check.URL, "/")) {
			wrong(key+".check.url", "%q is neither a URL nor a path of the legacy service, such as /auth", r.Check.URL)
		}
	case "":
		wrong(key+".auth", "say how a document that goes to Temporal is authorised: check, with check.url, or none")
	default:
		wrong(key+".auth", "%q is neither check nor none", r.Auth)
	}
	for i, t := range r.Touches {
		at := fmt.Sprintf("%s.touches[%d]", key, i)
		wrong.needed(at+".method", t.Method)
		wrong.needed(at+".pattern", t.Pattern)
		wrong.needed(at+".doc_id", t.DocID)
	}
	validateAnswerHeaders(r.AnswerHeaders, key+".answer_headers", wrong)
	wrong.needed(key+".workflow.type", r.Workflow.Type)
	wrong.needed(key+".workflow.task_queue", r.Workflow.TaskQueue)
	wrong.oneOf(key+".workflow.result", r.Workflow.Result, "update", "close")
	wrong.oneOf(key+".workflow.body", r.Workflow.Body, "auto", "json", "bytes")
	wrong.status(key+".workflow.status", r.Workflow.Status, 200)
	wrong.notNegative(key+".workflow.execution_timeout", r.Workflow.ExecutionTimeout)
	validateHandedOn(r.Headers, key+".headers", wrong)
	for kind, status := range r.Failures {
		wrong.status(key+".failures."+kind, status, 400)
	}
}

func validateRequests(r *Requests, wrong complain) {
	if r.MaxBody < 1 {
		wrong("requests.max_body", "must be 1 byte or more")
	}
	if r.BodyBudget < r.MaxBody {
		wrong("requests.body_budget", "must not be less than requests.max_body")
	}
	if r.MaxHeader < 4096 {
		wrong("requests.max_header", "must be 4 KiB or more")
	}
	wrong.positive("requests.body_patience", r.BodyPatience)
	wrong.positive("requests.header_timeout", r.HeaderTimeout)
	wrong.positive("requests.idle_timeout", r.IdleTimeout)
	wrong.positive("requests.retry_after", r.RetryAfter)
	wrong.oneOf("requests.underscore_fields", r.UnderscoreFields, "pass", "drop", "reject")
	wrong.oneOf("requests.other_spellings", r.OtherSpellings, "pass", "reject")
}

func validateWorker(w *Worker, wrong complain) {
	wrong.needed("worker.task_queue", w.TaskQueue)
	wrong.address("worker.listen", w.Listen)
	wrong.needed("worker.deployment.name", w.Deployment.Name)
	wrong.oneOf("worker.deployment.behavior", w.Deployment.Behavior, "pinned", "auto-upgrade")
	for _, store := range []struct{ name, dsn string }{
		{"document", w.Stores.Document}, {"vector", w.Stores.Vector}, {"graph", w.Stores.Graph}, {"cache", w.Stores.Cache},
	} {
		wrong.needed("worker.stores."+store.name, store.dsn)
	}
}

func (wrong complain) needed(key, value string) {
	if value == "" {
		wrong(key, "must not be empty")
	}
}

func (wrong complain) address(key, value string) {
	_, port, err := net.SplitHostPort(value)
	if err == nil && port != "" {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		wrong(key, "%q is not an address such as 127.0.0.1:8080", value)
	}
}

// clash reports whether nobody can listen at both addresses. What is no address is
// complained of elsewhere.
func clash(one, other string) bool {
	host, port, err := net.SplitHostPort(one)
	otherHost, otherPort, otherErr := net.SplitHostPort(other)
	anywhere := func(host string) bool {
		ip := net.ParseIP(host)
		return host == "" || ip != nil && ip.IsUnspecified()
	}
	return err == nil && otherErr == nil && port == otherPort && port != "0" &&
		(host == otherHost || anywhere(host) || anywhere(otherHost))
}

func (wrong complain) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		wrong(key, "%q is not one of %s", value, strings.Join(allowed, ", "))
	}
}

func (wrong complain) positive(key string, d Duration) {
	if d <= 0 {
		wrong(key, "must be longer than 0s")
	}
}

func (wrong complain) notNegative(key string, d Duration) {
	if d < 0 {
		wrong(key, "must not be negative")
	}
}

func (wrong complain) status(key string, status, least int) {
	if status < least || status > 599 {
		wrong(key, "%d is not an HTTP status from %d to 599", status, least)
	}
}
