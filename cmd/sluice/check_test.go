package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A route by itself, but for what a case says of it.
const oneRoute = "routes:\n  - {name: a, pattern: /v1, doc_id: 'body:/id', auth: none, workflow: {type: W, task_queue: q}}\n"

// refusals are configurations that no gateway starts with, each with what is said of it.
func refusals(t *testing.T) map[string]struct{ file, want string } {
	t.Helper()
	short := write(t, "short", "abc\n")
	route := func(old, new string) string { return strings.Replace(oneRoute, old, new, 1) }
	return map[string]struct{ file, want string }{
		"locator":             {route("body:/id", "body:id"), `line 2: routes[0].doc_id: JSON Pointer "id" must begin with a slash`},
		"locator's kind":      {route("body:/id", "cookie:id"), `line 2: routes[0].doc_id: doc_id "cookie:id": "cookie" is not one of body, header, path and query`},
		"integers elsewhere":  {route("'body:/id'", "'header:Id', integer_ids: true"), "line 2: routes[0].integer_ids: the doc_id is at header:Id, where all is text: only a body has integers"},
		"space of ids":        {route("name: a", "name: a, id_space: a/b"), `line 2: routes[0].id_space: "a/b": must be letters, digits, - and _, at most 64 of them`},
		"pattern":             {route("/v1,", "'/v1/{id',"), `line 2: routes[0].pattern: pattern "/v1/{id" cannot be read`},
		"pattern's star":      {route("/v1,", "'/v1/*/a',"), `line 2: routes[0].pattern: pattern "/v1/*/a" cannot be read`},
		"own prefix":          {route("/v1,", "/_sluice/a,"), "line 2: routes[0].pattern: pattern \"/_sluice/a\": paths under /_sluice are the gateway's own"},
		"no such part":        {route("'body:/id'", "'path:id'"), "line 2: routes[0].pattern: the doc_id is to be at path:id"},
		"two routes":          {oneRoute + strings.TrimPrefix(route("name: a", "name: b"), "routes:\n"), `line 3: routes[1].pattern: pattern "/v1" matches the same requests as route "a" does`},
		"legacy.url's query":  {"legacy: {url: 'http://h:1/?a=b'}", "line 1: legacy.url: http://h:1/?a=b: a query, a fragment or a user cannot be kept"},
		"legacy.url's user":   {"legacy: {url: 'http://u:hunter2@h:1'}", "line 1: legacy.url: http://u:xxxxx@h:1: a query, a fragment or a user cannot be kept"},
		"proxies":             {"legacy: {trusted_proxies: [10.0.0.1]}", `line 1: legacy.trusted_proxies[0]: "10.0.0.1" is not an address range`},
		"second document":     {"log: {level: info}\n---\nlog: {level: debug}\n", "line 2: a second YAML document begins here"},
		"a key twice":         {"log:\n  level: info\n  level: debug\n", `line 3: log.level: mapping key "level" already defined at line 2`},
		"unknown key":         {"log: {levle: info}", "line 1: log.levle: there is no such key"},
		"port":                {"listen: {public: '127.0.0.1:99999'}", `line 1: listen.public: "127.0.0.1:99999" is not an address`},
		"one port for two":    {"listen: {public: '127.0.0.1:8080', operator: ':8080'}", `line 1: listen.operator: ":8080" is listen.public's too`},
		"no DSN file":         {"claims: {store: postgres, postgres_file: /nowhere/dsn}", "line 1: claims.postgres_file: open /nowhere/dsn: no such file or directory"},
		"no DSN":              {"claims: {store: postgres, postgres_file: " + write(t, "dsn", "postgres://a b/c") + "}", "line 1: claims.postgres_file: the DSN cannot be read"},
		"operator's token":    {"operator: {token_file: " + short + "}", "line 1: operator.token_file: " + short + " must hold one word of 16 or more characters"},
		"status key":          {"temporal: {status_key_file: " + short + "}", "line 1: temporal.status_key_file: " + short + " must hold 32 or more hexadecimal digits"},
		"API key":             {"temporal: {api_key_file: /nowhere/key}", "line 1: temporal.api_key_file: open /nowhere/key"},
		"CA":                  {"temporal: {tls: {enabled: true, ca_file: " + short + "}}", "line 1: temporal.tls.ca_file: " + short + " holds no PEM certificate"},
		"certificate":         {"temporal: {tls: {enabled: true, cert_file: " + short + ", key_file: " + short + "}}", "line 1: temporal.tls.cert_file: tls: failed to find any PEM data"},
		"OFREP's token":       {"rollout: {flags: {provider: ofrep, ofrep: {url: 'http://h:1', token_file: /nowhere/token}}}", "line 1: rollout.flags.ofrep.token_file: open /nowhere/token"},
		"OFREP's scheme":      {"rollout: {flags: {provider: ofrep, ofrep: {url: 'ftp://h:1'}}}", "rollout.flags"},
		"claim check's keys":  {"temporal: {claim_check: {store: s3, s3: {bucket: b, region: r}}}", "line 1: temporal.claim_check.s3: claim check: s3 needs a bucket"},
		"claim check's place": {"temporal: {claim_check: {store: directory, directory: " + short + "/in}}", "line 1: temporal.claim_check.directory: stat " + short + "/in: not a directory"},
		"data":                {"data: " + short + "/in", "line 1: data: stat " + short + "/in: not a directory"},
		"guardrails":          {"guardrails: {limits: {mismatch: {alpha: 0}}}", "guardrails.limits.mismatch: alpha is 0"},
		"plan":                {"plan: {steps: [{exposure: 5, dwell: 1h}, {exposure: 1}]}", "line 1: plan.steps[1].exposure: 1 is not above the 5"},
		"comparison":          {"shadow: {compare: {ignore: ['a']}}", `line 1: shadow.compare.ignore[0]: "a" is not a JSON Pointer`},
	}
}

// What a start refuses, -check refuses, in the same words; what -check lets pass, a
// start does not refuse. None of them leaves anything on the disk.
func TestCheckRefusesWhatAStartRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range refusals(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, "gateway.yaml", c.file)
			said := func(more ...string) string {
				args := []string{"gateway", "-config", file}
				if !strings.Contains(c.file, "provider") {
					args = append(args, "-set", "rollout.flags.file="+shipped(t, "flags.json"))
				}
				p := finish(t, 1, append(args, more...)...)
				if entries, err := os.ReadDir(p.cmd.Dir); err != nil || len(entries) > 0 {
					t.Errorf("it left %v behind, %v", entries, err)
				}
				_, text, found := strings.Cut("\n"+p.stderr.String(), "\nsluice gateway: ")
				if !found || strings.Contains(text, "panic") {
					t.Errorf("it ends without a word: %s", p.stderr.String())
				}
				return text
			}
			checked, started := said("-check"), said()
			contains(t, "-check", checked, c.want, "hint: ")
			if checked != started {
				t.Errorf("-check says\n%s\nand a start\n%s", checked, started)
			}
			if strings.Contains(checked, "hunter2") {
				t.Error("a password is printed")
			}
		})
	}
}

// All that is wrong is said at once, in the order of the file.
func TestCheckFindsAllAtOnce(t *testing.T) {
	t.Parallel()
	file := write(t, "gateway.yaml", "operator:\n  token_file: /nowhere/token\ntemporal:\n  api_key_file: /nowhere/key\n"+
		strings.Replace(oneRoute, "/v1,", "'/v1/{id',", 1))
	p := finish(t, 1, "gateway", "-check", "-config", file, "-set", "rollout.flags.file=/nowhere/flags.json")
	contains(t, "stderr", p.stderr.String(), "gateway.yaml has 4 problems:", "line 2: operator.token_file", "line 4: temporal.api_key_file",
		"line 6: routes[0].pattern", "rollout.flags.file: ", "/nowhere/flags.json")
}

// The flag file is looked into, and a check that finds nothing leaves nothing behind.
func TestCheckLooksIntoTheFlagFile(t *testing.T) {
	t.Parallel()
	flags := flagFile(t)
	args := []string{"gateway", "-check", "-config", shipped(t, "gateway.yaml"), "-set", "rollout.flags.file=" + flags, "-set", "temporal.claim_check.store=directory"}
	good := finish(t, 0, args...)
	if entries, err := os.ReadDir(good.cmd.Dir); err != nil || len(entries) > 0 {
		t.Errorf("it left %v behind, %v", entries, err)
	}
	turn(t, flags, "p500")
	contains(t, "stderr", finish(t, 1, args...).stderr.String(), "rollout.flags.file: temporal-rollout-percentage cannot be used", `"p500" is none of its variants`)
}

// A worker's check is a worker's.
func TestWorkerCheckRefusesWhatAStartRefuses(t *testing.T) {
	t.Parallel()
	inFile := write(t, "file", "") + "/documents.db"
	for name, c := range map[string]struct{ file, want string }{
		"scheme":      {"worker: {stores: {cache: 'mysql://h/d'}}", "line 1: worker.stores.cache: the DSN must begin with sqlite:"},
		"DSN":         {"worker: {stores: {cache: 'redis://h/words'}}", "line 1: worker.stores.cache: the redis:// DSN cannot be read"},
		"directory":   {"worker: {stores: {vector: 'sqlite:" + inFile + "'}}", "line 1: worker.stores.vector: "},
		"same stores": {"worker: {shadow_stores: {graph: 'sqlite:./data/stores/documents.db'}}", "line 1: worker.shadow_stores.graph: is the store of worker.stores.graph"},
		"API key":     {"temporal: {api_key_file: /nowhere/key}", "line 1: temporal.api_key_file: open /nowhere/key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, "gateway.yaml", c.file)
			checked := finish(t, 1, "worker", "-config", file, "-check").stderr.String()
			started := finish(t, 1, "worker", "-config", file)
			contains(t, "-check", checked, c.want, "hint: ")
			if checked != started.stderr.String() {
				t.Errorf("-check says\n%s\nand a start\n%s", checked, started.stderr.String())
			}
			if _, err := os.Stat(filepath.Join(started.cmd.Dir, "data")); err == nil {
				t.Error("it left something behind")
			}
		})
	}
}
