# Every command of the project on a machine that has Python 3.11 and make. `make help` lists them.
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

# What the caller types is data: it reaches the command through its environment, never through the shell's words.
ifdef CHILD
override CHILD := $(value CHILD)
export CHILD
endif
ifdef WISH
override WISH := $(value WISH)
export WISH
endif
ifdef MINUTES
override MINUTES := $(value MINUTES)
export MINUTES
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo run test check bench bench-router fuzz fuzz-router explorer browser clean
.PHONY: check-format check-lint check-types check-contracts check-schema check-planner check-tests check-fuzz

help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Install the locked dependencies into .venv.

demo: $(READY) ## Make one book, from sign-up to the print shop: make demo CHILD="Mila" WISH="to sail to the moon"
	@exec $(BIN)/memorable demo

run: $(READY) ## Start everything and keep it running; prints the endpoint and the explorer's address.
	@exec $(BIN)/memorable run

test: $(READY) browser explorer ## Run all tests.
	@exec $(BIN)/memorable test

check: check-format check-lint check-types check-contracts check-schema check-planner check-tests check-fuzz ## What CI runs: format, lint, types, import contracts, schema drift, the planner's branches, tests with coverage, the fuzz harness.

check-format: $(READY)
	$(BIN)/ruff format --check .

check-lint: $(READY)
	$(BIN)/ruff check .

check-types: $(READY)
	$(BIN)/mypy

check-contracts: $(READY)
	$(BIN)/lint-imports

check-schema: $(READY)
	$(BIN)/memorable schema check

# Its own tests cover every branch of the planner; whatever else runs it does not count.
check-planner: $(READY)
	COVERAGE_FILE=.pytest_cache/planner.coverage $(BIN)/python -m pytest -q tests/router/planner tests/router/operation/test_normalize.py \
		--cov=router.planner --cov=router.operation.normalize --cov=router.operation.selections --cov=router.operation.conditions --cov-fail-under=100

# What others on the machine have spoilt passes by itself, and is named; what fails again has failed.
check-tests: $(READY) browser explorer
	$(BIN)/memorable test --coverage || $(BIN)/memorable test --again

# It measures what each request costs, so it waits for everything that would take the machine from it.
check-fuzz: $(READY) explorer | check-types check-planner check-tests
	$(BIN)/python -m pytest -q tests/fuzz

bench: $(READY) ## Measure: router CPU, SQL statements, time to a book, typesetting, memory, set-up.
	@exec $(BIN)/memorable bench

bench-router: $(READY) ## Measure the router alone: CPU, throughput, latency, fetches and memory for one wide query.
	@exec $(BIN)/memorable bench-router

fuzz: $(READY) explorer ## Attack a platform of its own, and tell what gave way: make fuzz MINUTES=60
	@exec $(BIN)/memorable fuzz

fuzz-router: $(READY) ## Compare the router with an oracle, on generated graphs and operations: a hundred thousand of them.
	@exec $(BIN)/python -m tests.router.oracle

explorer: $(READY) ## Build the explorer, once for each state of its sources.
	@$(BIN)/memorable explorer

browser: # Chromium, which one test drives: taken from Debian where that is allowed, asked for elsewhere.
	@infra/ensure-chromium

clean: ## Remove everything that can be made again; the platform's data in .memorable stays.
	rm -rf .venv .uv .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf infra/composition/node_modules router/server/explorer/node_modules router/server/explorer/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): .uv/bin/uv pyproject.toml uv.lock
	@echo "Installing the locked dependencies into .venv"
	@if test -e /etc/ssl/certs/ca-certificates.crt; then export UV_SYSTEM_CERTS=1; fi; \
		UV_PROJECT_ENVIRONMENT=.venv .uv/bin/uv sync --frozen --quiet --python "$(PYTHON)"
	@touch $@

.uv/bin/uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed; set PYTHON to where it is."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Python 3.11 is needed, and $(PYTHON) is another; set PYTHON to where it is."; exit 1; }
	@echo "Installing uv into .uv"
	@"$(PYTHON)" -m venv .uv || { echo "Python's venv module does not work here; on Debian: apt-get install python3-venv"; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check uv
