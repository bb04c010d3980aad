# Needs make and Python 3.11 or later, and nothing else: everything more is obtained at the first run.

PYTHON ?= python3
BIN := .venv/bin
SEED ?= 1
EXAMPLES ?= 500

# Whatever the environment says: each worker of the tests would compile all of it anew, every time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run stop status logs setup test test-all entries matrix check sbom audit licences fmt lint types style imports bench faults clean schemathesis

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-18s %s\n' "$$name" "$$text"; done

run:  ## Set up what is missing and start everything; Ctrl-C stops it
	@$(PYTHON) -m embedded run

stop:  ## Stop what runs in this checkout, from another terminal
	@$(PYTHON) -m embedded stop

status:  ## Show each process: up or down, ready or not, memory, age
	@$(PYTHON) -m embedded status || true

logs:  ## Follow all logs, or one: make logs NAME=intake-serve
	@$(PYTHON) -m embedded logs $(NAME)

setup:  ## Get what is missing for development and tests, and start nothing
	@$(PYTHON) -m embedded setup --dev

# The system tests have one worker to themselves, from the start: they take longest, and mostly wait.
test: setup  ## Run the tests against PostgreSQL and RabbitMQ of their own
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder -m "not slow" \
	  tests/system tests/matrix tests/integration tests/contracts tests/unit

test-all: setup  ## Run every test, also those that take long
	$(BIN)/python -m pytest

entries: setup  ## Count what a clerk fills in for a visit
	@$(BIN)/python -m services.intake count-entries

matrix: setup  ## Ask every route as every role about an object in every place: who may do what
	$(BIN)/python -m pytest tests/matrix

lint: types style imports  ## Look for faults of style, type and structure (-j2: side by side)

types: setup
	$(BIN)/python -m mypy

style: setup
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .

imports: setup
	$(BIN)/lint-imports

check: lint sbom audit test  ## Everything that must pass before a commit

sbom: setup  ## Write build/sbom.json: what the product is made of, in CycloneDX
	@$(BIN)/python -m deploy.supply sbom

audit: setup  ## Look for known vulnerabilities of the packages; STRICT=1 also fails where they cannot be looked up
	@STRICT=$(STRICT) $(BIN)/python -m deploy.supply audit

licences: setup  ## List the packages with their licences
	@$(BIN)/python -m deploy.supply licences

fmt: setup  ## Put the sources into their one format
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

faults: setup  ## Kill everything at random during a load, deliveries and an import (SEED=n), and count what is lost
	$(BIN)/python -m tests.harness.campaign --records 20000 --kills 36 --seed $(SEED)
	$(BIN)/python -m tests.harness.campaign --telling --records 20000 --kills 36 --rate 50 --seed $(SEED)
	$(BIN)/python -m tests.harness.campaign --boston --kills 16
	$(BIN)/python -m tests.harness.campaign --points

schemathesis: setup  ## Try every service against its own OpenAPI document, as every role (EXAMPLES=n TABLE=file)
	$(BIN)/python -m tests.conformance --examples $(EXAMPLES) $(if $(TABLE),--table $(TABLE))

hooks: setup  ## Let git run the checks before every commit
	$(BIN)/pre-commit install

bench: setup  ## Measure throughput and latency as ratios
	$(BIN)/python -m bench

asyncapi: setup  ## Write docs/asyncapi.json anew from the contracts
	$(BIN)/python -m shared.asyncapi docs/asyncapi.json

clean:  ## Stop, and remove .run (data, servers, logs) and .venv
	@$(PYTHON) -m embedded clean
