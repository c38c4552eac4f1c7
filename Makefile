# Two commands do all the set-up: `make run` and `make test`.
#
#   make run                    everything on this machine, until Ctrl-C
#   make run FLAGS='...'        with flags of `sluice demo up` (-h lists them)
#   TEMPORAL=host:port make run with a Temporal server that you have already
#   make test                   the tests; installs what they need (Debian)
#   make check                  formatting, vet, linters, determinism, known flaws
#   make bench                  benchmarks, as ratios measured side by side
#   make chaos                  everything that can go wrong, for an hour
#   make build                  bin/sluice and bin/devstack
#   make typescript             the TypeScript worker that the tests run (npm)

SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help run build test check bench chaos packages typescript go clean

export GOTOOLCHAIN := local
export GOWORK := off

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -X sluice/cmd/internal/build.version=$(VERSION)
SOURCES := $(shell find cmd configs legacy metrics rollout router temporalpath -name '*.go' -not -name '*_test.go' -not -path 'cmd/devstack/*')

# Pinned here, so that none of them is in go.mod.
STATICCHECK   := honnef.co/go/tools/cmd/staticcheck@v0.8.2
WORKFLOWCHECK := go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# The first target: plain `make` says what there is.
help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile

# Legacy is served at once. The Temporal server, which takes minutes to build, is
# built beside it and joins.
run: bin/sluice
	@.ci/run-demo '$(TEMPORAL)' $(FLAGS)

build: bin/sluice bin/devstack

# CGO_ENABLED is the same everywhere, or nearly nothing of it would be found in
# the build cache.
bin/sluice: $(SOURCES) go.mod go.sum | go
	@CGO_ENABLED=0 go run ./cmd/compile -ldflags '$(LDFLAGS)' -o $@ ./cmd/sluice

# 2 GB of build cache, and 5 to 15 minutes of two cores, once.
bin/devstack: $(wildcard cmd/devstack/*.go) cmd/devstack/go.mod cmd/devstack/go.sum | go
	@CGO_ENABLED=0 go run ./cmd/compile -C cmd/devstack -o $@ .

go:
	@.ci/go

packages:
	@.ci/packages

# What npm installs comes from the lock file alone; the order keeps npm behind the
# packages, which may bring it.
TYPESCRIPT := docs/workers/typescript

typescript: $(TYPESCRIPT)/lib/.built

$(TYPESCRIPT)/node_modules/.installed: $(TYPESCRIPT)/package.json $(TYPESCRIPT)/package-lock.json | packages
	@.ci/npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(TYPESCRIPT)/lib/.built: $(TYPESCRIPT)/node_modules/.installed $(TYPESCRIPT)/tsconfig.json $(shell find docs/workers/typescript/src -name '*.ts')
	@rm -rf $(@D)
	@.ci/npm run --silent build
	@touch $@

test: packages typescript bin/devstack
	@.ci/test

check:
	@.ci/check '$(STATICCHECK)' '$(WORKFLOWCHECK)' '$(GOVULNCHECK)'

bench: bin/devstack
	@.ci/bench

# Seeded; FLAGS='-intents 3000 -kills 30' for a small one, -h for the rest.
chaos: bin/devstack
	@go run ./cmd/chaos -seed 1 -store postgres -gateways 3 -intents 100000 -kills 200 -parallel 64 -compare $(FLAGS)

clean:
	rm -rf bin $(TYPESCRIPT)/lib $(TYPESCRIPT)/node_modules
