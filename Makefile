# Everything a person or CI needs, on a machine with Python 3.11 or later and make.
# Dependencies are installed from the lock files with their hashes checked, then the project itself.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input -q
# Many tests wait for a program or a server: a third worker keeps two cores busy.
WORKERS ?= 3

.PHONY: help install demo test lint types contracts unit audit bench faults laws planted soak soak-week soak-screen pictures snapshots lock foreign-client clean

help:
	@echo "make demo            try it: both systems as a sandbox, and the UI on them"
	@echo "make test            lint, types, import contracts and every test"
	@echo "make install         $(BIN)/ajerasync, ready to use"
	@echo "make lint            lint and formatting alone"
	@echo "make bench           the measurements: a table of goals and figures (SIZES=1000: some minutes)"
	@echo "make faults          faults of every kind, CASES=20000 of them (minutes), and their table"
	@echo "make laws            the laws over 30,000 random programs, every fault of the fixed programs, more kills"
	@echo "make planted         bugs planted on purpose, and what catches each: docs/planted.md"
	@echo "make soak            thirty simulated days of a busy schedule"
	@echo "make soak-week       a week of the open UI, a run a minute, with the waiting left out (half an hour)"
	@echo "make soak-screen     the open UI for two real hours, with people typing in both systems"
	@echo "make pictures        the pictures of screens.md, anew"
	@echo "make snapshots       the snapshots that the tests compare the screens with, anew"
	@echo "make foreign-client  a client that others wrote, against the sandbox (needs Python 3.12)"
	@echo "make audit           known weaknesses of the locked libraries (asks the advisory database)"
	@echo "make lock            the lock files anew, from pyproject.toml"

install: $(VENV)/.installed

demo: install
	@$(BIN)/ajerasync demo

test: lint types contracts unit

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check core tui tests
	$(BIN)/ruff format --check core tui tests

types: $(VENV)/.installed-dev
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports --no-cache

# The kernel is covered whole, branch by branch, by its own tests; then everything else.
unit: $(VENV)/.installed-dev
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n $(WORKERS) tests/unit tests/property --cov=core/reconcile --cov-branch --cov-report=
	$(BIN)/coverage report --include='core/reconcile/*' --fail-under=100
	$(BIN)/python -m pytest -n $(WORKERS) --ignore=tests/unit --ignore=tests/property

# Sizes of the worlds that are measured, the largest last: SIZES=1000 is a table in some minutes. A world is built once,
# 50,000 records in two minutes. Peers that are not installed are named and left out.
SIZES ?= 1000 50000
LARGE := $(lastword $(SIZES))

bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.bench_store $(SIZES)
	$(BIN)/python -m tests.bench.bench_commands $(SIZES)
	$(BIN)/python -m tests.bench.bench_idle $(SIZES) --process
	$(BIN)/python -m tests.bench.bench_change $(SIZES) --process
	$(BIN)/python -m tests.bench.bench_idle 1000 --delay 80
	$(BIN)/python -m tests.bench.bench_change 1000 --delay 80
	$(BIN)/python -m tests.bench.bench_plan $(LARGE)
	$(BIN)/python -m tests.bench.bench_sweep $(LARGE)
	$(BIN)/python -m tests.bench.bench_first 100
	$(BIN)/python -m tests.bench.bench_rows $(SIZES)
	$(BIN)/python -m tests.bench.bench_screen $(LARGE) --peer
	$(BIN)/python -m tests.bench.bench_idle_screen $(LARGE)
	$(BIN)/python -m tests.bench.bench_hosts $(or $(FIRMS),50)
	$(BIN)/python -m tests.bench.bench_peers $(or $(FILES),10000)

# What docs/promises.md speaks of, beyond the part that runs with every `make test`. CASES may be any number (500000: a
# night); LOG is where a run that was stopped goes on.
faults: $(VENV)/.installed-dev
	$(BIN)/python -m tests.engine.longrun --cases $(or $(CASES),20000) --workers $(WORKERS) --log $(or $(LOG),faults.log)

laws: $(VENV)/.installed-dev
	AJERASYNC_FAULTS=all AJERASYNC_PROGRAMS=$(or $(PROGRAMS),30000) $(BIN)/python -m pytest -n $(WORKERS) tests/engine/test_faults.py tests/engine/test_kill.py tests/engine/test_kills.py tests/engine/test_machine.py tests/property

planted: $(VENV)/.installed-dev
	$(BIN)/python -m tests.engine.planted

soak: $(VENV)/.installed-dev
	$(BIN)/python -m tests.engine.soak $(or $(DAYS),30)

soak-week: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.soak_week $(or $(DAYS),7)

soak-screen: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.soak_screen $(or $(HOURS),2)

pictures: $(VENV)/.installed-dev
	$(BIN)/python -m tests.tui.pictures

# After a change of the screens that was meant: look at `git diff tests/tui/snapshots` before it is kept.
snapshots: $(VENV)/.installed-dev
	AJERASYNC_SNAPSHOTS=write $(BIN)/python -m pytest -q tests/tui/test_snapshots.py

# A client written by others for the real Ajera, unchanged. It needs a later Python than we do: its own environment.
PYTHON312 ?= python3.12

foreign-client: $(VENV)/.installed-dev .venv-foreign/.installed
	AJERASYNC_FOREIGN_PYTHON=$(CURDIR)/.venv-foreign/bin/python $(BIN)/python -m pytest tests/sandbox/test_ajera_foreign.py

.venv-foreign/.installed:
	$(PYTHON312) -m venv .venv-foreign
	.venv-foreign/bin/python -m pip --disable-pip-version-check -q install ajera==0.5.0
	@touch $@

# Asks the public advisory database about each locked version, so it needs the network and is no part of `make test`.
# Strict: a version that nobody could be asked about is a failure, not a pass.
AUDIT := .venv-audit/bin/pip-audit --strict --require-hashes --disable-pip

audit: .venv-audit/bin/pip-audit
	$(AUDIT) -r requirements.lock
	$(AUDIT) -r requirements-dev.lock

.venv-audit/bin/pip-audit:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip --disable-pip-version-check -q install 'pip-audit>=2.7,<3'

# Extras stay in the lock: without them pip (23.2) takes "coverage[toml]" for a second, unpinned package as soon as a newer one is out.
# Versions that are locked and still allowed stay; name one to move it: make lock ARGS="--upgrade-package httpx"
COMPILE := .venv-lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header -q

lock: .venv-lock/bin/uv
	$(COMPILE) --extra build $(ARGS) -o requirements.lock
	$(COMPILE) --extra build --extra dev $(ARGS) -o requirements-dev.lock

.venv-lock/bin/uv:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip --disable-pip-version-check -q install uv

clean:
	rm -rf $(VENV) .venv-lock .venv-foreign .venv-audit .coverage .mypy_cache .ruff_cache .hypothesis dist

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ajerasync needs Python 3.11 or later; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

# The build backend comes from the lock too, so that nothing is fetched without a hash.
$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
