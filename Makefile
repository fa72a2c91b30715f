.DEFAULT_GOAL := help
.PHONY: help run build test check format torture fuzz abuse scan advisories bench bench-micro lint protocol screenshots clean

help: ## Say what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: node_modules/.package-lock.json ## Serve on http://localhost:8005, built in release mode.
	cargo run --locked --release -- serve

build: node_modules/.package-lock.json ## Build the server in release mode.
	cargo build --locked --release

test: ## Install what the tests need, and run all of them, or one step: make test STEP=browser.
	python3 tests/run.py $(STEP)

torture: export MINUTES ?= 3
torture: export MESSAGES ?= 100000
torture: export SCHEDULES ?= 100000
torture: ## Break everything for a while under load, and explore who hears a room: make torture SEED=7 MINUTES=5.
	python3 tests/run.py torture

fuzz: export FUZZ_SECONDS ?= 60
fuzz: ## Send hostile bytes of each kind for a minute.
	python3 tests/run.py fuzz

abuse: export SECONDS ?= 120
abuse: ## Let 200 hostile clients loose beside 50 good ones for two minutes: make abuse SECONDS=60.
	python3 tests/run.py abuse

scan: ## Let a web scanner look for holes.
	python3 tests/run.py scan

advisories: ## Ask which dependencies have known holes; needs the servers that know.
	python3 tests/run.py advisories

bench: ## Measure beside a peer and beside the limit: make bench QUICK=1, ONLY=W1,W2, ROUNDS=5.
	python3 tests/run.py bench

bench-micro: ## Measure what is done often, each alone.
	python3 tests/run.py bench-micro

check: node_modules/.package-lock.json ## Compile Rust and check the types of the scripts: the fast loop.
	cargo check --locked --workspace --all-targets
	npm run --silent check

format: ## Format Rust, scripts, styles and Python.
	python3 tests/run.py format

lint: ## Check format, lints, types and dependencies.
	python3 tests/run.py lint

protocol: node_modules/.package-lock.json ## Write what is made of the protocol: docs/asyncapi.yaml and openapi.yaml, the schemas of docs/gateway.md, the pages' constants and types.
	WRITE_PROTOCOL=1 cargo test --locked --test protocol
	npm run --silent protocol

screenshots: ## Take the screenshots of docs/ anew.
	python3 tests/run.py screenshots

clean: ## Remove what was built and installed here; rooms and files stay.
	cargo clean
	rm -rf node_modules .venv test-results playwright-report

node_modules/.package-lock.json: package-lock.json
	npm ci --no-audit --no-fund
	touch $@
