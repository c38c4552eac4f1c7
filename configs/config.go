// Package configs holds the configuration of the gateway and the worker: the
// documented structs, their defaults, and the strict reading of a YAML file.
//
// configs/gateway.yaml is the commented form of the defaults; a test holds the
// two together.
package configs

import "sluice/rollout"

// Config is a whole configuration file.
type Config struct {
	Listen   Listen   `yaml:"listen"`
	Data     string   `yaml:"data"`
	Log      Log      `yaml:"log"`
	Legacy   Legacy   `yaml:"legacy"`
	Temporal Temporal `yaml:"temporal"`
	Rollout  Rollout  `yaml:"rollout"`
	Claims   Claims   `yaml:"claims"`
	Operator Operator `yaml:"operator"`
	Shadow   Shadow   `yaml:"shadow"`
	// Gates are external checks.
	Gates []Gate `yaml:"gates"`
	// Guardrails are what rolls back, Plan what rises.
	Guardrails Guardrails `yaml:"guardrails"`
	Plan       Plan       `yaml:"plan"`
	Routes     []Route    `yaml:"routes"`
	Requests   Requests   `yaml:"requests"`
	Drain      Drain      `yaml:"drain"`
	Worker     Worker     `yaml:"worker"`
}

// Listen says where the gateway listens, as host:port; port 0 takes a free one.
type Listen struct {
	// Public is the door that clients use.
	Public string `yaml:"public"`
	// Operator serves metrics, health, profiles and the operator API; see
	// operator for who is let in.
	Operator string `yaml:"operator"`
}

// Log says what is logged.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level"`
	// Access writes one line for each request.
	Access bool `yaml:"access"`
}

// Legacy says where the legacy service is and how it is called.
type Legacy struct {
	URL string `yaml:"url"`
	// AnswerTimeout is how long legacy may take to begin its answer when the client
	// has left or sends no more; 0s is for ever. While the client is there its own
	// patience decides.
	AnswerTimeout Duration `yaml:"answer_timeout"`
	DialTimeout   Duration `yaml:"dial_timeout"`
	// IdleTimeout must be shorter than legacy's own keep-alive.
	IdleTimeout Duration `yaml:"idle_timeout"`
	// MaxIdle is how many unused connections are kept; 0 keeps none.
	MaxIdle int `yaml:"max_idle"`
	// PreserveHost sends the client's Host on; else that of URL is sent.
	PreserveHost   bool     `yaml:"preserve_host"`
	TrustedProxies []string `yaml:"trusted_proxies"`
	// Idempotency is pass (legacy gets every retry) or gateway (it gets a request
	// with an Idempotency-Key once).
	Idempotency string `yaml:"idempotency"`
	// AnswerLimit is the largest answer that is kept for retries, AnswerBudget
	// what all of them may take on the gateway's disk.
	AnswerLimit  Bytes `yaml:"answer_limit"`
	AnswerBudget Bytes `yaml:"answer_budget"`
	// DryRun is how legacy is asked for an answer without storing anything.
	DryRun DryRun `yaml:"dry_run"`
}

// DryRun is how legacy is asked for an answer without storing anything.
type DryRun struct {
	// Header is a field, "Name: value", that every such request carries; empty:
	// legacy has no dry run.
	Header string `yaml:"header"`
}

// Temporal says where Temporal is and how documents become workflows.
type Temporal struct {
	Address   string `yaml:"address"`
	Namespace string `yaml:"namespace"`
	TLS       TLS    `yaml:"tls"`
	// APIKeyFile names a file that holds an API key; empty for none.
	APIKeyFile string `yaml:"api_key_file"`
	// Prefix begins every workflow ID.
	Prefix string `yaml:"prefix"`
	// MaxWorkflowID is the longest workflow ID, in characters; longer ones are folded.
	MaxWorkflowID int `yaml:"max_workflow_id"`
	// StartTimeout bounds one attempt to start a workflow.
	StartTimeout Duration `yaml:"start_timeout"`
	// Wait is how long a client waits for a result before it is answered 202;
	// MaxWait is the most it may ask for.
	Wait    Duration `yaml:"wait"`
	MaxWait Duration `yaml:"max_wait"`
	// MaxWaiters bounds the requests that wait at one time.
	MaxWaiters int `yaml:"max_waiters"`
	// MaxInput is the largest workflow input, in bytes.
	MaxInput   int        `yaml:"max_input"`
	ClaimCheck ClaimCheck `yaml:"claim_check"`
	// StatusKeyFile holds the key that signs status URLs; made if absent.
	StatusKeyFile string `yaml:"status_key_file"`
}

// IDs makes the workflow IDs that the configuration describes.
func (t *Temporal) IDs() rollout.WorkflowIDs {
	return rollout.WorkflowIDs{Prefix: t.Prefix, Max: t.MaxWorkflowID}
}

// TLS says how a connection is encrypted.
type TLS struct {
	Enabled    bool   `yaml:"enabled"`
	CAFile     string `yaml:"ca_file"`
	CertFile   string `yaml:"cert_file"`
	KeyFile    string `yaml:"key_file"`
	ServerName string `yaml:"server_name"`
}

// ClaimCheck says where payloads are kept that are too large for Temporal.
type ClaimCheck struct {
	// Store is off, directory or s3.
	Store string `yaml:"store"`
	// Threshold is the size from which a payload is kept apart, in bytes.
	Threshold int    `yaml:"threshold"`
	Directory string `yaml:"directory"`
	// SharedBy is owner or group: who may use what is in Directory.
	SharedBy string `yaml:"shared_by"`
	S3       S3     `yaml:"s3"`
}

// S3 names an S3-compatible store. The keys come from the environment:
// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
type S3 struct {
	Bucket   string `yaml:"bucket"`
	Region   string `yaml:"region"`
	Endpoint string `yaml:"endpoint"`
}

// Rollout says how documents are split and where the flags come from.
type Rollout struct {
	// Salt sets the migration's cohort apart; to change it moves everyone.
	Salt string `yaml:"salt"`
	// OnUnroutable is legacy or reject.
	OnUnroutable string `yaml:"on_unroutable"`
	Flags        Flags  `yaml:"flags"`
}

// Flags says where the flags are read.
type Flags struct {
	// Provider is file, ofrep or env.
	Provider string `yaml:"provider"`
	// File is the flag file, in flagd's JSON format.
	File  string `yaml:"file"`
	OFREP OFREP  `yaml:"ofrep"`
	// Interval is the time between two readings; a change wakes the reader too.
	Interval Duration `yaml:"interval"`
	// Timeout bounds one reading.
	Timeout Duration `yaml:"timeout"`
}

// Claims says where it is kept which path holds a document in flight.
type Claims struct {
	// Store is embedded (a directory, one gateway) or postgres (several).
	Store string `yaml:"store"`
	// PostgresFile names a file that holds a postgres:// DSN.
	PostgresFile string `yaml:"postgres_file"`
	// Horizon is how long a settled claim holds its own retries.
	Horizon Duration `yaml:"horizon"`
	// Sync makes the embedded store wait for the disk.
	Sync bool `yaml:"sync"`
	// Timeout bounds one use of the store.
	Timeout Duration `yaml:"timeout"`
	// Lease is how long a gateway counts as alive after its last sign.
	Lease Duration `yaml:"lease"`
	// Away is how long a gateway that cannot reach PostgreSQL sends documents to
	// legacy that no exposure ever included; 0 for not at all. With the embedded store
	// any other value lets them pass while its disk is full or cannot be used.
	Away Duration `yaml:"away"`
}

// Operator says who may operate the gateway, besides whoever asks from its own
// machine.
type Operator struct {
	// TokenFile names a file that holds the bearer token; empty for nobody else.
	TokenFile string `yaml:"token_file"`
}

// OFREP names a flag service that speaks the OpenFeature remote protocol.
type OFREP struct {
	URL       string `yaml:"url"`
	TokenFile string `yaml:"token_file"`
}

// Route is a kind of request that brings documents.
type Route struct {
	Name    string `yaml:"name"`
	Method  string `yaml:"method"`
	Pattern string `yaml:"pattern"`
	// DocID is body:/pointer, header:Name, path:name or query:name.
	DocID string `yaml:"doc_id"`
	// IntegerIDs: an integer of JSON is a doc_id too, by its decimal text.
	IntegerIDs bool `yaml:"integer_ids"`
	// IDSpace names the space of ids that the route shares documents in.
	IDSpace string `yaml:"id_space"`
	// Auth is check or none; there is no default.
	Auth  string `yaml:"auth"`
	Check Check  `yaml:"check"`
	// Headers are the request's fields that the workflow gets, and part of the intent.
	Headers []string `yaml:"headers"`
	// Touches are the other requests that change the route's documents.
	Touches []Touch `yaml:"touches"`
	// AnswerHeaders are added to the answers that are the gateway's own.
	AnswerHeaders map[string]string `yaml:"answer_headers"`
	Workflow      RouteWorkflow     `yaml:"workflow"`
	Failures      map[string]int    `yaml:"failures"`
}

// Touch is a kind of request that changes a route's documents by another way.
type Touch struct {
	Method  string `yaml:"method"`
	Pattern string `yaml:"pattern"`
	// DocID is path:name, header:Name or query:name.
	DocID string `yaml:"doc_id"`
}

// Check is what a route with auth: check asks before a document goes to
// Temporal.
type Check struct {
	// URL gets the request's head; a path alone is one of the legacy service.
	URL     string   `yaml:"url"`
	Timeout Duration `yaml:"timeout"`
}

// RouteWorkflow says what a route's documents start.
type RouteWorkflow struct {
	Type      string `yaml:"type"`
	TaskQueue string `yaml:"task_queue"`
	// ShadowTaskQueue is where mirrored runs go; empty: the route is not
	// mirrored.
	ShadowTaskQueue string `yaml:"shadow_task_queue"`
	// Result is update (the type offers the update "result") or close.
	Result string `yaml:"result"`
	// Body is auto, json or bytes: how the workflow gets the document.
	Body string `yaml:"body"`
	// Status is the HTTP status of a result that names none.
	Status int `yaml:"status"`
	// ExecutionTimeout ends a workflow that takes longer; 0s is
	// DefaultExecutionTimeout.
	ExecutionTimeout Duration `yaml:"execution_timeout"`
	// RequireSupport starts nothing until the workers have declared Type.
	RequireSupport bool `yaml:"require_support"`
	// DeadLetters are the types of failures that leave something behind: they are
	// not tried again by a client's retry.
	DeadLetters []string `yaml:"dead_letters"`
}

// Requests bounds what clients can make the gateway hold.
type Requests struct {
	MaxBody       Bytes    `yaml:"max_body"`
	BodyBudget    Bytes    `yaml:"body_budget"`
	BodyPatience  Duration `yaml:"body_patience"`
	BodyMinRate   Bytes    `yaml:"body_min_rate"`
	MaxHeader     Bytes    `yaml:"max_header"`
	HeaderTimeout Duration `yaml:"header_timeout"`
	IdleTimeout   Duration `yaml:"idle_timeout"`
	RetryAfter    Duration `yaml:"retry_after"`
	TenantHeader  string   `yaml:"tenant_header"`
	// UnderscoreFields is pass, drop or reject.
	UnderscoreFields string `yaml:"underscore_fields"`
	// OtherSpellings is pass or reject.
	OtherSpellings string `yaml:"other_spellings"`
}

// Drain says how the gateway stops.
type Drain struct {
	// LameDuck is how long it still serves, telling clients to go elsewhere.
	LameDuck Duration `yaml:"lame_duck"`
	// Timeout is how long requests on their way are waited for after that.
	Timeout Duration `yaml:"timeout"`
}

// Worker configures `sluice worker`.
type Worker struct {
	TaskQueue string `yaml:"task_queue"`
	// ShadowTaskQueue is polled for mirrored runs; empty for no shadow support.
	ShadowTaskQueue string `yaml:"shadow_task_queue"`
	// Listen serves metrics and health.
	Listen     string     `yaml:"listen"`
	Deployment Deployment `yaml:"deployment"`
	Stores     Stores     `yaml:"stores"`
	// ShadowStores get what mirrored runs write. They are needed, and must not be
	// the real ones, where ShadowTaskQueue is set.
	ShadowStores Stores `yaml:"shadow_stores"`
	// Faults lets /faults make the worker fail; for demonstrations only.
	Faults bool `yaml:"faults"`
}

// Deployment says as which worker version the worker runs.
type Deployment struct {
	Name string `yaml:"name"`
	// BuildID is empty for the build's own.
	BuildID string `yaml:"build_id"`
	// Behavior is pinned or auto-upgrade.
	Behavior string `yaml:"behavior"`
	// SetCurrent makes the version current once it polls.
	SetCurrent bool `yaml:"set_current"`
}

// Stores are DSNs: sqlite:PATH, postgres://... or redis://...
type Stores struct {
	Document string `yaml:"document"`
	Vector   string `yaml:"vector"`
	Graph    string `yaml:"graph"`
	Cache    string `yaml:"cache"`
}
