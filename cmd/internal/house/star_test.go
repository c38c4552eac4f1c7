package house

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	module = "sluice/"
	hub    = "rollout"
	server = "go.temporal.io/server"
)

// strangers are what tests import beyond the star, and why they must. Nothing
// else may, and an exception that nobody uses any more is a complaint.
func strangers() map[string][]string {
	return map[string][]string{
		// The dashboards ask for metrics that exist; the worker's metrics
		// satisfy the interfaces of those that report to them.
		"metrics": {"configs/grafana", "router", "temporalpath/ingestion", "temporalpath/ingestion/stores"},
		// What is passed on is compared, byte for byte, with what legacy gets.
		"router": {"legacy"},
		// What operators did is read back from a real audit.
		"router/operator": {"rollout/audit"},
		// The rules are read by a real Prometheus, in the hub's words.
		"configs/prometheus": {"metrics/promtest"},
	}
}

// pure are the packages below the hub that everybody may import: they do no I/O, start
// nothing and read no clock.
func pure() []string { return []string{"rollout/coding"} }

// star complains of each import across the star: outside cmd a package imports
// the hub, pure packages and what is below its own top-level directory. The hub itself
// leans on nothing but the standard library and xxhash.
func star(files []source, strangers map[string][]string) (complaints []string) {
	used := map[string]bool{}
	for _, file := range files {
		for _, imported := range file.imports() {
			target, ours := strings.CutPrefix(imported, module)
			switch {
			case file.dir() == hub && !hubMay(imported):
				complaints = append(complaints, fmt.Sprintf("%s: the hub imports %s", file.path, imported))
			case !ours || top(file.path) == "cmd" || target == hub || slices.Contains(pure(), target) || top(target) == top(file.path):
			case forTests(file) && slices.Contains(strangers[file.dir()], target):
				used[file.dir()+" "+target] = true
			default:
				complaints = append(complaints, fmt.Sprintf("%s: only cmd joins siblings, and this imports %s", file.path, imported))
			}
		}
	}
	for dir, targets := range strangers {
		for _, target := range targets {
			if !used[dir+" "+target] {
				complaints = append(complaints, fmt.Sprintf("%s: no test needs %s any more: take it off the list", dir, target))
			}
		}
	}
	return complaints
}

// hubMay reports whether the hub may import the path; its tests import itself.
func hubMay(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	standard := !strings.Contains(first, ".") && first != "sluice"
	return standard || imported == "github.com/cespare/xxhash/v2" || imported == module+hub
}

// top returns the first element of a path in the module.
func top(name string) string {
	first, _, _ := strings.Cut(name, "/")
	return first
}

// forTests reports whether the file is part of no program: a test, or a package
// such as temporaltest.
func forTests(file source) bool { return file.test() || strings.HasSuffix(file.dir(), "test") }

// serverless complains of each package of the root module that imports the
// Temporal server, which is for the nested module alone.
func serverless(files []source) (complaints []string) {
	for _, file := range files {
		for _, imported := range file.imports() {
			if !file.nested() && (imported == server || strings.HasPrefix(imported, server+"/")) {
				complaints = append(complaints, fmt.Sprintf("%s imports %s", file.path, imported))
			}
		}
	}
	return complaints
}

func TestStarComplains(t *testing.T) {
	files := sources(t, example(map[string]string{
		"rollout/a.go":            `package rollout; import ("math/bits"; "github.com/cespare/xxhash/v2")`,
		"rollout/clock.go":        `package rollout; import "go.uber.org/zap"`,
		"rollout/child.go":        `package rollout; import "sluice/rollout/flags"`,
		"rollout/a_test.go":       `package rollout_test; import "sluice/rollout"`,
		"rollout/flags/f.go":      `package flags; import ("go.uber.org/zap"; "sluice/rollout"; "sluice/rollout/flags/env")`,
		"router/sibling.go":       `package router; import "sluice/legacy"`,
		"router/hubschild.go":     `package router; import "sluice/rollout/flags"`,
		"router/wiring.go":        `package router; import "sluice/cmd/internal/connect"`,
		"router/claim/up.go":      `package claim; import ("sluice/router"; "sluice/router/shadow")`,
		"routerlike/prefix.go":    `package routerlike; import "sluice/router"`,
		"metrics/worker_test.go":  `package metrics; import "sluice/router"`,
		"metrics/worker.go":       `package metrics; import "sluice/router"`,
		"metrics/promtest/run.go": `package promtest; import "sluice/router"`,
		"cmd/sluice/main.go":      `package main; import ("sluice/router"; "sluice/legacy")`,
	}))
	only(t, star(files, map[string][]string{"metrics": {"router", "legacy"}, "metrics/promtest": {"router"}}),
		"rollout/clock.go: the hub imports go.uber.org/zap",
		"rollout/child.go: the hub imports sluice/rollout/flags",
		"router/sibling.go", "router/hubschild.go", "router/wiring.go", "routerlike/prefix.go",
		"metrics/worker.go: only cmd joins siblings",
		"metrics: no test needs legacy any more",
	)
}

func TestServerlessComplains(t *testing.T) {
	files := sources(t, example(map[string]string{
		"cmd/devstack/main.go":      `package main; import "go.temporal.io/server/temporal"`,
		"cmd/devstackish/main.go":   `package main; import "go.temporal.io/server"`,
		"temporalpath/dial_test.go": "package temporalpath; import `go.temporal.io/server/common/log`",
		"temporalpath/dial.go":      `package temporalpath; import ("go.temporal.io/sdk/client"; "go.temporal.io/serverless")`,
	}))
	only(t, serverless(files), "cmd/devstackish/main.go", "temporalpath/dial_test.go")
}
