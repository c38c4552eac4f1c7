package configs

import (
	"time"

	"sluice/rollout"
)

// DefaultExecutionTimeout ends a workflow of a route that names no time itself: some
// failures, such as an exception that a worker's SDK takes for a fault of its code, are
// tried for ever, and would hold their document as long.
const DefaultExecutionTimeout = Duration(24 * time.Hour)

// Default returns the configuration that `make run` uses.
func Default() Config {
	return Config{
		Listen: Listen{Public: "127.0.0.1:8080", Operator: "127.0.0.1:8081"},
		Data:   "data/gateway",
		Log:    Log{Level: "info", Access: true},
		Legacy: Legacy{
			URL:            "http://127.0.0.1:9000",
			AnswerTimeout:  Duration(time.Minute),
			DialTimeout:    Duration(2 * time.Second),
			IdleTimeout:    Duration(1500 * time.Millisecond),
			MaxIdle:        256,
			PreserveHost:   true,
			TrustedProxies: []string{},
			Idempotency:    "pass", AnswerLimit: 64 * binary, AnswerBudget: 1 << 30,
		},
		Temporal: defaultTemporal(),
		Rollout: Rollout{
			Salt: "temporal-rollout/v1", OnUnroutable: "legacy",
			Flags: Flags{Provider: "file", File: "configs/flags.json",
				Interval: Duration(time.Second), Timeout: Duration(500 * time.Millisecond)},
		},
		Claims: Claims{Store: "embedded", Horizon: Duration(15 * time.Minute),
			Timeout: Duration(2 * time.Second), Lease: Duration(15 * time.Second), Away: Duration(15 * time.Minute)},
		Shadow:     defaultShadow(),
		Gates:      []Gate{},
		Guardrails: defaultGuardrails(),
		Plan:       defaultPlan(),
		Routes:     []Route{defaultRoute()},
		Requests:   defaultRequests(),
		Drain:      Drain{LameDuck: Duration(5 * time.Second), Timeout: Duration(30 * time.Second)},
		Worker:     defaultWorker(),
	}
}

func defaultTemporal() Temporal {
	return Temporal{
		Address: "127.0.0.1:7233", Namespace: "default", Prefix: "ingest", MaxWorkflowID: rollout.DefaultMaxWorkflowID,
		StartTimeout: Duration(3 * time.Second),
		Wait:         Duration(20 * time.Second),
		MaxWait:      Duration(time.Minute),
		MaxWaiters:   1000,
		MaxInput:     2<<20 - 16<<10,
		ClaimCheck:   ClaimCheck{Store: "off", Threshold: 256 * binary, Directory: "data/payloads", SharedBy: "owner"},
	}
}

func defaultRoute() Route {
	return Route{
		Name: "documents", Method: "POST", Pattern: "/v1/documents", DocID: "body:/doc_id",
		Auth:    "check",
		Check:   Check{URL: "/auth", Timeout: Duration(2 * time.Second)},
		Headers: []string{}, Touches: []Touch{}, AnswerHeaders: map[string]string{},
		Workflow: RouteWorkflow{Type: "IngestionWorkflow", TaskQueue: "ingestion", ShadowTaskQueue: "ingestion-shadow",
			Result: "update", Body: "auto", Status: 200, ExecutionTimeout: DefaultExecutionTimeout, DeadLetters: []string{"DeadLetter"}},
		Failures: map[string]int{"InvalidDocument": 422, "IngestionFailed": 500, "DeadLetter": 500},
	}
}

func defaultRequests() Requests {
	return Requests{
		MaxBody: 10 << 20, BodyBudget: 256 << 20,
		BodyPatience: Duration(10 * time.Second), BodyMinRate: 64 * binary,
		MaxHeader: 64 * binary, HeaderTimeout: Duration(10 * time.Second),
		IdleTimeout: Duration(2 * time.Minute), RetryAfter: Duration(2 * time.Second),
		UnderscoreFields: "pass", OtherSpellings: "pass",
	}
}

func defaultWorker() Worker {
	return Worker{
		TaskQueue: "ingestion", ShadowTaskQueue: "ingestion-shadow", Listen: "127.0.0.1:8082",
		Deployment:   Deployment{Name: "ingestion", Behavior: "pinned", SetCurrent: true},
		Stores:       everywhere("sqlite:data/stores/documents.db"),
		ShadowStores: everywhere("sqlite:data/stores/shadow.db"),
	}
}

func everywhere(dsn string) Stores {
	return Stores{Document: dsn, Vector: dsn, Graph: dsn, Cache: dsn}
}

// complete fills in what a route leaves out; only its auth has no default.
func (r *Route) complete() {
	if r.Method == "" {
		r.Method = "POST"
	}
	if r.Workflow.Result == "" {
		r.Workflow.Result = "close"
	}
	if r.Workflow.Body == "" {
		r.Workflow.Body = "auto"
	}
	if r.Workflow.ExecutionTimeout == 0 {
		r.Workflow.ExecutionTimeout = DefaultExecutionTimeout
	}
	if r.Workflow.Status == 0 {
		r.Workflow.Status = 200
	}
	if r.Check.Timeout == 0 {
		r.Check.Timeout = Duration(2 * time.Second)
	}
}
