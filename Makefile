# make demo    set up, then train a small model from a notebook and show what came of it
# make lab     open that notebook in JupyterLab
# make test    every check and test
# make soak    the long form of every fault: kills, full disks, floods (docs/reliability.md)
# make fuzz    look for input that breaks a reader
# make audit   known vulnerabilities of what this is built on
# make bench   measure, and write docs/benchmarks.md
# make bench-peers   the same against other trainers (three hours; PEERS_ARGS=--smoke: a look)
#
# Nothing is assumed but Python 3.11 or newer (and the package registries): the virtual
# environment, Node.js and the JavaScript bundle are made here, once.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.NOTPARALLEL:

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
COLAB := .venv-colab
BIN := $(VENV)/bin
PINS := $(VENV)/constraints.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NPM := $(BIN)/python hatch_build.py

JS := src/easymodel_nb/js
BUNDLE := src/easymodel_nb/widgets/static/workbench.js
JS_SOURCES := $(shell find $(JS) -name node_modules -prune -o -type f -print) src/easymodel_nb/workflow/ports.json

.PHONY: help setup build demo lab test soak audit licences fuzz check test-js test-python test-colab-units chromium bench bench-peers clean
help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

# ---------------------------------------------------------------- set-up

setup: $(VENV)/.package $(BUNDLE)
build: $(BUNDLE)

$(VENV)/.created:
	@[ -n "$(PYTHON)" ] || { echo "EasyModel-nb needs Python 3.11 or newer. Install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade 'pip>=25.1'
	@touch $@

# First and alone, so that pip takes the build of torch this machine is configured for.
$(VENV)/.torch: $(VENV)/.created constraints.txt
	@echo "Installing torch (the largest part)"
	@$(PIP) install "$$(grep '^torch==' constraints.txt)"
	@touch $@

$(PINS): $(VENV)/.torch scripts/constraints.py
	@$(BIN)/python scripts/constraints.py $@

$(VENV)/.tools: $(PINS) pyproject.toml
	@echo "Installing JupyterLab and the tools"
	@$(PIP) install -c $(PINS) --group dev
	@touch $@

$(VENV)/.package: $(VENV)/.tools hatch_build.py
	@echo "Installing EasyModel-nb and what it needs"
	@EASYMODEL_NB_SKIP_JS=1 $(PIP) install -c $(PINS) --no-build-isolation -e '.[offline]'
	@touch $@

$(JS)/node_modules/.package-lock.json: $(JS)/package-lock.json | $(VENV)/.tools
	@echo "Installing the JavaScript packages"
	@$(NPM) ci --loglevel=error
	@touch $@

$(BUNDLE): $(JS_SOURCES) $(JS)/node_modules/.package-lock.json | $(VENV)/.tools
	@echo "Building the JavaScript bundle"
	@$(NPM) run --silent build
	@touch $@

$(COLAB)/.ready: tests/colab/requirements.txt scripts/colab_venv.py | $(VENV)/.package
	@echo "Building the Colab-like environment"
	@rm -rf $(COLAB)
	@$(BIN)/python scripts/colab_venv.py $(COLAB) tests/colab/requirements.txt
	@touch $@

chromium:
	@scripts/chromium.sh

# ---------------------------------------------------------------- use

demo: setup
	@$(BIN)/python scripts/demo.py

lab: setup
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_ARGS) notebooks/quickstart.ipynb

# ---------------------------------------------------------------- tests

test: setup chromium $(COLAB)/.ready check audit test-js test-colab-units test-python

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Known vulnerabilities, where the network allows to ask; what fails is told in the script.
audit: setup
	$(BIN)/python scripts/audit.py $(AUDIT_ARGS)

licences: setup
	$(BIN)/python scripts/licences.py

# Each reader of foreign bytes, guided by coverage, for FUZZ_MINUTES of the CPU.
FUZZ_MINUTES ?= 10
fuzz: setup
	$(PIP) install 'atheris>=3'
	for target in workflow eventlog rpc tables; do $(BIN)/python tests/fuzz/fuzz.py $$target $(FUZZ_MINUTES); done

test-js: setup
	PYTHON=$(abspath $(BIN)/python) $(NPM) run --silent protocol:check
	$(NPM) run --silent check
	$(NPM) run --silent test

# The same unit tests on Colab's versions; the browser tests there are in tests/colab. Left out
# are the wheel's (built once, below) and those with a view made of ipywidgets 8's messages: the
# same paths are walked there over a real kernel's wire (test_studio_in_a_kernel). There the disk is
# waited for, because answers come from the cell's own thread (test_slow_disk).
NOT_ON_COLAB := test_package test_studio test_slow_disk
test-colab-units: $(COLAB)/.ready
	PYTHONPATH=src $(COLAB)/bin/python -m pytest -n $(JOBS) --dist loadfile tests/unit -q -p no:cacheprovider $(NOT_ON_COLAB:%=--ignore=tests/unit/%.py)

# What takes longer than a gate may; the figures of docs/reliability.md are these.
soak: setup chromium
	EASYMODEL_SOAK=$${EASYMODEL_SOAK:-1} $(BIN)/python -m pytest tests/crash $(wildcard tests/soak) --durations=5

# Files side by side, one a core: most of a test is one thread of PyTorch or a browser that waits.
JOBS ?= 2

# Last, so that pytest's closing line is the last line.
test-python: setup chromium $(COLAB)/.ready
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(wildcard tests/unit tests/hub tests/training tests/crash tests/safety tests/fuzz tests/browser tests/colab) --durations=15

bench: setup chromium
	$(BIN)/python benchmarks/run.py

# Against other trainers; PEERS_ARGS=--smoke for a look. What was measured is kept and not repeated.
bench-peers: setup
	$(BIN)/python benchmarks/peers/run.py $(PEERS_ARGS)

clean:
	rm -rf $(VENV) $(COLAB) $(JS)/node_modules src/easymodel_nb/widgets/static dist test-results
