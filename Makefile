# The commands that people and other tools rely on. Each is one line of cargo or npm or one script, so that
# nothing can be done here that cannot be done, and read, without make.

# debug or release: which build `make build` leaves as target/$(PROFILE)/wardroom.
PROFILE ?= debug
# How long each fuzz target runs.
FUZZ_SECONDS ?= 60
# Which of commands, streams, document, gate, history, alone and page to measure: all, unless some are named.
TABLES ?=
RUST_TABLES := $(if $(TABLES),$(filter-out page,$(TABLES)),all)
PAGE_TABLE := $(if $(TABLES),$(filter page,$(TABLES)),page)

profile_flag_debug :=
profile_flag_release := --release

.DEFAULT_GOAL := help
.PHONY: help run build test pictures lint bench fuzz page

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The page is part of the program. It is built where its sources are newer than what was built from them.
page: web/dist/index.html

PAGE_SOURCES := $(shell find web/src web/public -type f) \
  $(addprefix web/,index.html package.json package-lock.json vite.config.ts vite.worker.config.ts svelte.config.js tsconfig.json)

web/dist/index.html: $(PAGE_SOURCES) web/node_modules/.package-lock.json
	@scripts/need-node
	cd web && npm run --silent build
	@touch $@

web/node_modules/.package-lock.json: web/package-lock.json
	@scripts/need-node
	cd web && npm ci --no-audit --no-fund
	@touch $@

# Built first and apart, so that a first start shows its progress and the server's words stand alone.
run: page ## Build and start Wardroom on an embedded store in ./data
	@cargo build --locked
	@cargo run --quiet --locked -- serve --data ./data

build: page ## Leave target/PROFILE/wardroom (PROFILE=debug, or PROFILE=release)
	$(if $(filter debug release,$(PROFILE)),,$(error PROFILE is debug or release, not "$(PROFILE)"))
	cargo build --locked $(profile_flag_$(PROFILE))

# The page's stories click through the program that the tests before them have built.
test: page ## Run every test, with a private PostgreSQL that leaves nothing behind
	cd web && npm test --silent
	scripts/test
	scripts/with-faketime scripts/with-chromium scripts/with-postgres npm --prefix web run --silent stories

pictures: build ## Leave pictures of every page in target/pictures, to be looked at
	PICTURES="$(CURDIR)/target/pictures" scripts/with-faketime scripts/with-chromium npm --prefix web run --silent stories

lint: web/node_modules/.package-lock.json ## Check format, lints, house rules and, where cargo-deny is installed, dependencies
	cd web && npm run --silent lint
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo run --quiet --locked -p xtask -- tidy
	@if cargo deny --version >/dev/null 2>&1; then \
	  cargo deny --locked check bans licenses sources; \
	else \
	  echo 'skipped: cargo deny is not installed (cargo install --locked cargo-deny)'; \
	fi

# What the document is measured beside.
BENCH_PEER := crates/wardroom-bench/peer

$(BENCH_PEER)/node_modules/.package-lock.json: $(addprefix $(BENCH_PEER)/,package.json package-lock.json)
	@scripts/need-node
	cd $(BENCH_PEER) && npm ci --no-fund --no-audit
	@touch $@

# The program finds the server beside itself, so both are built together.
bench: page $(BENCH_PEER)/node_modules/.package-lock.json ## Measure, beside the machine's own limits (BENCH=quick for a look)
	cargo build --release --locked -p wardroom -p wardroom-bench
	$(if $(RUST_TABLES),WARDROOM_BENCH_PEER="$(CURDIR)/$(BENCH_PEER)" scripts/with-postgres --durable "$${CARGO_TARGET_DIR:-target}/release/wardroom-bench" $(filter-out all,$(RUST_TABLES)))
	$(if $(PAGE_TABLE),WARDROOM_TEST_PROGRAM="$$(realpath "$${CARGO_TARGET_DIR:-target}/release/wardroom")" MEASURE=page scripts/with-chromium npm --prefix web run --silent stories)

fuzz: ## Fuzz every parser for a bounded time (FUZZ_SECONDS=60 each)
	FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz
