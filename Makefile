# Two commands matter: `make demo` and `make test`. Each makes .venv and installs what it needs, once.

PYTHON ?= python3
FOLDER ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=
TOX_ARGS ?=

BIN := .venv/bin
# pip below 25.1 does not know dependency groups.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test soak versions check bench screenshots snapshots clean
.DEFAULT_GOAL := help

help: ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: .venv/run ## the console on the sample program; FOLDER=~/src indexes that folder instead
	@$(BIN)/bus-console demo $(if $(FOLDER),"$(FOLDER)")

test: .venv/test ## all tests, two processes side by side; PYTEST_ARGS="-n0 -x tests/bus" for one, as far as the first failure
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

soak: .venv/test ## the proofs about the bus, at full length; half an hour
	$(BIN)/python -m pytest --timeout=3600 tests/soak $(PYTEST_ARGS)

versions: .venv/versions ## all tests on each Python from 3.11 to 3.14 that is here; TOX_ARGS="-e 3.12" for one of them
	$(BIN)/tox run $(TOX_ARGS) -- $(PYTEST_ARGS)

check: .venv/check ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/bench ## how fast the bus is, beside what people use today; BENCH_ARGS="--quick --json FILE ..."
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

screenshots: .venv/run ## draw the README's pictures anew from the recorded session
	$(BIN)/python screenshots/make.py

snapshots: .venv/test ## keep what the screens look like now, for the tests to compare
	$(BIN)/python -m tests.console.tui.snapshots

clean: ## remove what make and the tools made
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .tox .import_linter_cache .hypothesis

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, and '$(PYTHON)' is older or missing: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "making .venv ..."
	@$(PYTHON) -m venv .venv || { echo "the venv module does not work here (on Debian: apt install python3-venv)" >&2; exit 1; }
	@touch $@

.venv/run: .venv/made pyproject.toml
	@echo "installing bus-console ..."
	@$(PIP) install --editable .
	@touch $@

.venv/groups: .venv/made
	@$(PIP) install --upgrade 'pip>=25.1'
	@touch $@

.venv/test: .venv/run .venv/groups pyproject.toml
	@echo "installing what the tests need ..."
	@$(PIP) install --group test
	@touch $@

.venv/check: .venv/test pyproject.toml
	@echo "installing what the checks need ..."
	@$(PIP) install --group check
	@touch $@

.venv/bench: .venv/run .venv/groups pyproject.toml
	@echo "installing what people use today ..."
	@$(PIP) install --group bench
	@touch $@

.venv/versions: .venv/made .venv/groups pyproject.toml
	@echo "installing tox ..."
	@$(PIP) install --group versions
	@touch $@
