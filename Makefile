# make run    start the service (the database is timelog.db in this folder, or TIMELOG_DATABASE_URL)
# make test   run every test
# make check  what CI runs: format, lints, documentation, dependency policy, tests
# make help   list the rest

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# For example: make run ARGS="--listen 127.0.0.1:9000"
ARGS ?=

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what building and testing need
	@scripts/setup build test

.PHONY: setup-build
setup-build:
	@scripts/setup build

.PHONY: run
run: setup-build ## Start the service
	cargo run --release --locked --bin timelog -- serve $(ARGS)

.PHONY: build
build: setup-build ## Build the program into target/release
	cargo build --release --locked --bin timelog

.PHONY: test
test: setup ## Run every test
	cargo test --workspace --locked $(ARGS)

# TIMELOG_TEST_SEED=… repeats a run. SOAK_KINDS=kill,power, SOAK_CYCLES=100 and
# SOAK_DATABASES=SQLite choose what is run.
SOAK = TIMELOG_TEST_PROGRAM=$(CURDIR)/target/release/timelog \
	cargo test --locked -p timelog-api --test http -- --ignored --exact soak::soak --nocapture

.PHONY: soak
soak: build ## Disturb the program from outside for many minutes (docs/soak.md)
	@scripts/setup soak
	$(SOAK)

.PHONY: schemathesis
schemathesis: export SOAK_KINDS = schemathesis
schemathesis: soak ## Test a service of its own with Schemathesis

.PHONY: soak-sabotage
soak-sabotage: build ## Show that the soak finds each broken promise
	@scripts/setup soak
	SOAK_SABOTAGE=1 $(SOAK)

# ARGS="--only logging" measures a part, and prints it.
BENCH = cargo build --release --locked --bin timelog --bin timelog-bench && \
	target/release/timelog-bench

.PHONY: bench
bench: ## Measure the service beside its baselines, and write docs/benchmarks.md
	@scripts/setup bench
	$(BENCH) run $(ARGS)

.PHONY: bench-quick
bench-quick: ## Measure about a tenth of that, and print it
	@scripts/setup bench
	$(BENCH) run --quick $(ARGS)

.PHONY: bench-instructions
bench-instructions: ## Count instructions, compare with docs/benchmarks.md, and write them there
	@scripts/setup count
	cargo run --quiet --locked --package timelog-bench -- instructions

.PHONY: check
check: fmt lint doc policy test ## What CI runs

.PHONY: fmt
fmt: setup-build ## Check the format
	cargo fmt --all --check

.PHONY: lint
lint: setup-build ## Check the lints
	cargo clippy --workspace --all-targets --locked -- -D warnings

.PHONY: doc
doc: setup-build ## Build the documentation of the crates
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

.PHONY: policy
policy: ## Check licences, sources and duplicates of the dependencies
	@scripts/setup policy
	cargo deny --locked check bans licenses sources

.PHONY: advisories
advisories: ## Check the dependencies for known vulnerabilities (fetches the advisory database)
	@scripts/setup policy
	cargo deny --locked check advisories

.PHONY: clean
clean: ## Remove what was built
	cargo clean
