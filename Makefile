# The project's commands. The work is in `cargo xtask` and in the `flotilla` program; each target
# starts on a fresh machine and does its own set-up.

UP_FLAGS ?=
BENCH_FLAGS ?=
FLOTILLA := target/debug/flotilla

.PHONY: help up down status test test-all bench setup build console gen fmt lint

help: ## Lists the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/'

up: setup build ## Starts the local management cluster, the platform and a first tenant; UP_FLAGS adds flags.
	$(FLOTILLA) up $(UP_FLAGS)

down: ## Stops and removes what `up` made; UP_FLAGS=--purge removes data too.
	@if [ -x $(FLOTILLA) ]; then $(FLOTILLA) down $(UP_FLAGS); else echo "nothing to stop: $(FLOTILLA) has not been built"; fi

status: ## Says what runs.
	$(FLOTILLA) status

test: ## Runs everything that CI runs.
	cargo xtask test

test-all: ## Runs that, and the stories that take long.
	cargo xtask test --all

bench: ## Measures the local management cluster; BENCH_FLAGS adds flags; writes target/bench/latest.json.
	cargo xtask bench -- $(BENCH_FLAGS)

setup: ## Installs what the machine lacks.
	cargo xtask setup

build: ## Builds Kubernetes, the tools and the programs into target/dist.
	cargo xtask build

console: ## Serves the console while you work on it, with a played hub, or the one of FLOTILLA_HUB.
	cargo xtask console

gen: ## Writes the generated files.
	cargo xtask gen

fmt: ## Formats the sources.
	cargo fmt --all

lint: ## Runs the checks that need no cluster.
	cargo xtask test --only format --only tidy --only clippy
