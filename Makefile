# Needs python3.11 or newer, git and make. `make` alone lists what can be done.
PYTHON ?= python3
PORT ?= 8000
JOBS ?= 3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.DEFAULT_GOAL := help
.PHONY: help setup run run-entra demo test check format ci

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/dev.stamp ## Install everything into .venv, for work on the code as well

run: $(VENV)/base.stamp ## Run the portal on this machine until Ctrl-C (PORT=8000)
	@$(BIN)/python manage.py run --port $(PORT)

run-entra: $(VENV)/dev.stamp ## The same, with sign-in by a test tenant in place of Entra ID
	@$(BIN)/python -m tests.peers.entra --port $(PORT)

demo: $(VENV)/base.stamp ## Show one request from submit to destroy, with real processes
	@$(BIN)/python manage.py demo

test: $(VENV)/dev.stamp ## Run the tests, JOBS=3 at once (ARGS="tests/cli -x"); GROUNDWORK_DATABASE_URL picks PostgreSQL
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

check: $(VENV)/dev.stamp ## Style, types, import rules, migrations, catalog
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py check
	env $$(grep -v '^#' tests/identity/production.env) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py sync_catalog --check

format: $(VENV)/dev.stamp ## Bring the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

ci: ## What the build server runs: checks, then the tests on SQLite and on PostgreSQL
	.ci/run

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

# The command line client runs from the tree: no build, no second copy.
$(VENV)/base.stamp: $(VENV)/pyvenv.cfg requirements/base.txt
	$(PIP) -r requirements/base.txt
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" -m cli "$$@"\n' '$(CURDIR)' '$(CURDIR)/$(BIN)/python' > $(BIN)/groundwork
	@chmod +x $(BIN)/groundwork
	@touch $@

$(VENV)/dev.stamp: $(VENV)/base.stamp requirements/dev.txt
	$(PIP) -r requirements/dev.txt
	@touch $@
