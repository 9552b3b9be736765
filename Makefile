# The project's commands; they need Python 3.11 and make. `make help` lists them.
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

# The caller's values are data: they reach the command through its environment, never through the shell.
ifdef CHILD
override CHILD := $(value CHILD)
export CHILD
endif
ifdef WISH
override WISH := $(value WISH)
export WISH
endif
ifdef FAULTS
override FAULTS := $(value FAULTS)
export FAULTS
endif
ifdef MINUTES
override MINUTES := $(value MINUTES)
export MINUTES
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo run test check bench bench-router bench-streams fuzz fuzz-router soak explorer browser clean
.PHONY: check-format check-lint check-types check-explorer check-contracts check-schema check-planner check-oracle check-tests check-fuzz

help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Install the locked dependencies into .venv.

demo: $(READY) ## Make one book, from sign-up to the print shop: make demo CHILD="Mila" WISH="to sail to the moon"
	@exec $(BIN)/memorable demo

run: $(READY) ## Start everything and keep it running; prints the URL of the endpoint and the explorer.
	@exec $(BIN)/memorable run

test: $(READY) browser explorer ## Run all tests.
	@exec $(BIN)/memorable test

check: check-format check-lint check-types check-explorer check-contracts check-schema check-planner check-oracle check-tests check-fuzz ## What CI runs: format, lint, types, import contracts, schema drift, the planner's branches, generated operations, tests with coverage, the fuzz harness.

check-format: $(READY)
	$(BIN)/ruff format --check .

check-lint: $(READY)
	$(BIN)/ruff check .

check-types: $(READY)
	$(BIN)/mypy

check-explorer: $(READY)
	$(BIN)/memorable explorer --check

check-contracts: $(READY)
	$(BIN)/lint-imports

check-schema: $(READY)
	$(BIN)/memorable schema check

# The planner's own tests cover each of its branches; other tests do not count.
check-planner: $(READY)
	COVERAGE_FILE=.pytest_cache/planner.coverage $(BIN)/python -m pytest -q tests/router/planner tests/router/operation/test_normalize.py \
		--cov=router.planner --cov=router.operation.normalize --cov=router.operation.selections --cov=router.operation.conditions --cov-fail-under=100

# `check-tests` leaves them out, because measuring coverage would triple their time.
check-oracle: $(READY)
	$(BIN)/python -m pytest -q tests/router/oracle

# Tests that failed only because the machine was busy pass when rerun by themselves; each rerun is named.
# Any other end of the run (exit code 1 says that tests failed) is final.
check-tests: $(READY) browser explorer
	$(BIN)/memorable test --coverage || { test $$? -eq 1 && $(BIN)/memorable test --again; }

# It measures CPU time per request, so it runs after the checks that load the machine.
check-fuzz: $(READY) explorer | check-types check-planner check-oracle check-tests
	$(BIN)/python -m pytest -q tests/fuzz

bench: $(READY) ## Measure set-up, time to a book and to its print files, router CPU, SQL statements and memory.
	@exec $(BIN)/memorable bench

bench-router: $(READY) ## Measure the router alone on one wide query: CPU, throughput, latency, fetches and memory.
	@exec $(BIN)/memorable bench-router

bench-streams: $(READY) ## Measure live streams: what idle ones cost, how late many of one book are, and refusals.
	@exec $(BIN)/memorable bench-streams

fuzz: $(READY) explorer ## Start a separate platform, attack it and report findings: make fuzz MINUTES=60
	@exec $(BIN)/memorable fuzz

soak: $(READY) ## Cause faults while books are made and orders printed, and report what was lost or done twice: make soak FAULTS=200
	@exec $(BIN)/python -m tests.workers.soak --faults "$${FAULTS:-200}"

fuzz-router: $(READY) ## Compare the router with an oracle on a hundred thousand generated operations.
	@exec $(BIN)/python -m tests.router.oracle

explorer: $(READY) ## Build the explorer, if its sources changed.
	@$(BIN)/memorable explorer

browser: # Chromium for the browser test: installed as root on Debian, asked for elsewhere.
	@infra/ensure-chromium

clean: ## Remove everything that can be rebuilt; keeps the platform's data in .memorable.
	rm -rf .venv .uv .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf infra/composition/node_modules router/server/explorer/node_modules router/server/explorer/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): .uv/bin/uv pyproject.toml uv.lock
	@echo "Installing the locked dependencies into .venv"
	@if test -e /etc/ssl/certs/ca-certificates.crt; then export UV_SYSTEM_CERTS=1; fi; \
		UV_PROJECT_ENVIRONMENT=.venv .uv/bin/uv sync --frozen --quiet --python "$(PYTHON)"
	@touch $@

.uv/bin/uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is required; set PYTHON to its path."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Python 3.11 is required, but $(PYTHON) is another version; set PYTHON to its path."; exit 1; }
	@echo "Installing uv into .uv"
	@"$(PYTHON)" -m venv .uv || { echo "Python's venv module does not work; on Debian: apt-get install python3-venv"; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check uv
