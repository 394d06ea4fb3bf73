# One entry point for people and for the build server. `make` lists the commands.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PORT ?= 8000
# Test processes side by side; the tests of one file stay together and share what was made for them. The files keep the
# order that tests/conftest.py gives them: by the number of their tests the long journeys would all come last.
WORKERS ?= 2
SIDE_BY_SIDE := --quiet --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
# Compiled once and kept, whatever the shell says: the suite starts hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
# Written last, so an interrupted setup is taken up again; older than the locks means out of date.
STAMP := $(VENV)/.set-up
LOCK_OPTIONS := --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --quiet

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## Make .venv with everything the project needs, from the locked versions

$(STAMP): requirements/runtime.txt requirements/dev.txt requirements/pdf.txt
	@echo "setup: looking for Python 3.11 or later"
	@python=""; \
	for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python="$$candidate"; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "setup: Python 3.11 or later is needed (Debian: apt-get install python3 python3-venv)" >&2; exit 1; fi; \
	if ! $(BIN)/python -c 'import pip' 2>/dev/null; then \
	  echo "setup: making $(VENV) with $$("$$python" --version)"; \
	  "$$python" -m venv --clear $(VENV) || { echo "setup: venv failed (Debian: apt-get install python3-venv)" >&2; exit 1; }; \
	fi
	@echo "setup: installing the locked packages, each checked against its hash"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@if $(BIN)/python -c 'import ctypes.util as find, sys; sys.exit(not all(map(find.find_library, ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset"))))'; then \
	  echo "setup: installing what makes a PDF"; \
	  $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/pdf.txt; \
	else \
	  echo "setup: no PDF without pango (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)"; \
	fi
	@echo "setup: installing the project itself"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $(STAMP)
	@echo "setup: done"

.PHONY: lock
lock: $(STAMP) ## Choose versions anew within pyproject.toml and write requirements/*.txt
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --upgrade pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --upgrade pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --upgrade pyproject.toml --extra pdf -c requirements/dev.txt -o requirements/pdf.txt
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --upgrade --group audit -o requirements/audit.txt

.PHONY: run
run: $(STAMP) ## Start the demonstration clinic on http://localhost:8000 (PORT=…)
	$(BIN)/clinic serve --demo --port $(PORT)

.PHONY: test
test: lint test-sqlite test-postgres test-browser ## Everything the build server checks
	@echo "test: all passed"

.PHONY: format
format: $(STAMP) ## Format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

.PHONY: lint
lint: $(STAMP) ## Format, lint, types, import contracts, templates, dependencies
	@echo "lint: format"; $(BIN)/ruff format --check . > $(VENV)/format.txt || { cat $(VENV)/format.txt; echo "make format does it"; exit 1; }
	@echo "lint: rules"; $(BIN)/ruff check --quiet .
	@echo "lint: types"; $(BIN)/mypy --no-error-summary
	@echo "lint: import contracts"; $(BIN)/lint-imports --no-logo > $(VENV)/contracts.txt || { cat $(VENV)/contracts.txt; exit 1; }
	@echo "lint: templates"; $(BIN)/djlint --lint --quiet templates
	@echo "lint: dependencies"; $(BIN)/deptry --no-ansi . 2> $(VENV)/deptry.txt || { cat $(VENV)/deptry.txt; exit 1; }

.PHONY: test-sqlite
test-sqlite: $(STAMP) ## The suite on SQLite
	@echo "test: on SQLite"
	@TEST_DATABASE=sqlite $(BIN)/pytest $(SIDE_BY_SIDE) --ignore tests/browser --ignore tests/attack

.PHONY: test-postgres
test-postgres: $(STAMP) ## What works with a database, on a PostgreSQL server of its own
	@echo "test: on PostgreSQL"
	@TEST_DATABASE=postgres $(BIN)/pytest $(SIDE_BY_SIDE) --ignore tests/browser --ignore tests/structure --ignore tests/attack

.PHONY: sweep
sweep: $(STAMP) ## Many more hostile posts than the suite makes; SWEEP_EFFORT=3 takes hours
	@SWEEP_EFFORT=$${SWEEP_EFFORT:-2} $(BIN)/pytest $(SIDE_BY_SIDE) tests/sweep

.PHONY: fuzz
fuzz: $(STAMP) ## Search with new examples for values that break a rule, again and again (FUZZ_ROUNDS=…)
	@given=$$(grep -rlE "^ *@given" tests | sort); for round in $$(seq $${FUZZ_ROUNDS:-10}); do \
	  HYPOTHESIS_PROFILE=fuzz TEST_DATABASE=sqlite $(BIN)/pytest $(SIDE_BY_SIDE) $$given || exit 1; \
	done

.PHONY: bench
bench: $(STAMP) ## Milliseconds and size: board of 60, session of 24 hours, a course into a full quarter (BENCH_ROUNDS=…)
	@$(BIN)/pytest --quiet --override-ini 'python_functions=measure_*' tests/bench/pages.py tests/bench/booking.py

.PHONY: kill
kill: $(STAMP) ## Kill the server for a minute on each database while people save (KILL_SECONDS=…)
	@for database in sqlite postgres; do \
	  KILL_SECONDS=$${KILL_SECONDS:-60} TEST_DATABASE=$$database $(BIN)/pytest --quiet tests/concurrency/test_killed.py; \
	done

.PHONY: attack
attack: $(STAMP) ## Attack a running server over the network: every page and form, by every role, a stranger and nobody
	@$(BIN)/pytest --quiet tests/attack

.PHONY: packages
packages: $(STAMP) ## List the locked packages in build/sbom.json, and ask the internet for their known faults
	@mkdir -p build; $(BIN)/python -m venv build/packages
	@build/packages/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/audit.txt
	@build/packages/bin/cyclonedx-py requirements --output-reproducible -o build/sbom.json requirements/runtime.txt
	@# --strict: a package that could not be asked about is no package without a fault.
	@build/packages/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/runtime.txt

.PHONY: race
race: $(STAMP) ## Thousands of bookings by several processes at once on each database, with and without guards (RACE_BOOKINGS=…)
	@for database in sqlite postgres; do \
	  RACE_BOOKINGS=$${RACE_BOOKINGS:-1000} TEST_DATABASE=$$database $(BIN)/pytest --quiet tests/concurrency/test_rooms.py; \
	done

.PHONY: unplug
unplug: $(STAMP) chromium ## Cut network, answers, server and tabs while two nurses chart (UNPLUG_ROUNDS=…, TEST_DATABASE=postgres)
	@UNPLUG_ROUNDS=$${UNPLUG_ROUNDS:-300} $(BIN)/pytest --quiet tests/browser/test_unplugged.py

.PHONY: test-browser
test-browser: $(STAMP) chromium ## Journeys in a real browser against a real server
	@echo "test: in the browser"
	@# In the order of their names: the bedside is looked at before other modules change its patients.
	@$(BIN)/pytest $(SIDE_BY_SIDE) tests/browser

.PHONY: chromium
chromium:
	@if ! command -v chromium > /dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  echo "chromium: installing"; \
	  { apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium; } > /dev/null || true; \
	fi
	@command -v chromium > /dev/null || { echo "chromium: needed for the browser tests (Debian: apt-get install chromium)" >&2; exit 1; }
