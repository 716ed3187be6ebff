# Every verb of the project; `make` alone tells them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pip alone is enough; uv, where it is, is quicker.
UV := $(shell command -v uv 2>/dev/null)
PIP = $(if $(UV),VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install -q,$(BIN)/python -m pip install -q --disable-pip-version-check)

# Where .venv is there already, a Python that is named must be the one it was made with.
ifeq ($(origin PYTHON),command line)
ifneq ($(wildcard $(BIN)/python),)
ifeq ($(shell command -v $(PYTHON)),)
$(error There is no command $(PYTHON); $(VENV) is there already: leave PYTHON out)
endif
VERSION = $(shell $(1) -c 'import platform; print(platform.python_version())')
ifneq ($(call VERSION,$(PYTHON)),$(call VERSION,$(BIN)/python))
$(warning $(VENV) was made with Python $(call VERSION,$(BIN)/python) and stays; 'make clean' first to use $(PYTHON))
endif
endif
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test clients kafka soak check golden bench docs kernels coverage build wheel-demo clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(VENV)/.python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "There is no command $(PYTHON). Name a Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Eddyline needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 ..."; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "cannot make a virtual environment; on Debian: apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.python pyproject.toml
	@echo "installing Eddyline (once, about a minute)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run constraints.txt
	@echo "installing the development tools (once)"
	@$(PIP) -e '.[dev]' -c constraints.txt
	@touch $@

setup: $(VENV)/.dev ## install Eddyline and the development tools into .venv
	@echo "eddyline is in $(BIN); 'source $(BIN)/activate' puts it on the PATH of this terminal"

demo: $(VENV)/.run ## watch anomalies being found in a live clickstream
	@$(BIN)/eddyline demo $(ARGS)

# Two processes, each with whole modules, in the order of tests/conftest.py: many tests wait for a
# server or a clock.
test: $(VENV)/.dev ## run the tests (ARGS='-k name' for some)
	@$(BIN)/python -m pytest -q -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

clients: $(VENV)/.dev ## run real Kinesis clients (Java, KCL, Flink, JavaScript, Go ...) against us
	@EDDYLINE_CLIENTS=1 $(BIN)/python -m pytest -q tests/clients $(ARGS)

kafka: $(VENV)/.dev ## try tables of Kafka over a real broker, which Maven fetches
	@$(BIN)/pip install -q "confluent-kafka>=2.6"
	@EDDYLINE_CLIENTS=1 $(BIN)/python -m pytest -q tests/clients/test_kafka.py $(ARGS)

soak: $(VENV)/.dev ## jobs under crashes, and a server whose processes are killed, two minutes each (S=3600: an hour)
	@EDDYLINE_SOAK_S=$(or $(S),120) $(BIN)/python -m pytest -q -s -m soak tests/engine/test_soak.py tests/service/test_service_soak.py $(ARGS)

check: $(VENV)/.dev ## what CI checks besides the tests: format, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

golden: $(VENV)/.dev ## write the golden files anew (Flink's own results where Flink is installed)
	@$(BIN)/python tests/cases/record.py
	@git --no-pager diff --stat

bench: $(VENV)/.dev ## measure, with peers, and write BENCHMARKS.md (ARGS='kinesis' for some)
	@$(PIP) -e '.[bench]'
	@$(BIN)/python -m benchmarks $(ARGS)

kernels: $(VENV)/.dev ## compile the detectors' kernels ahead, after a change of their sources
	@$(BIN)/python -m eddyline.anomaly.ahead

docs: $(VENV)/.dev ## write the reference pages from their tables, and build the site in build/docs
	@$(BIN)/python docs/generate.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q --strict
	@echo "open build/docs/index.html"

mutation: $(VENV)/.dev ## break some modules by small edits and count those that tests notice (minutes)
	@$(BIN)/python tests/mutation.py $(ARGS)

coverage: $(VENV)/.dev ## run the tests and show which lines they reach
	@$(BIN)/python -m pytest -q --cov=eddyline --cov-report=term:skip-covered $(ARGS)

build: $(VENV)/.dev ## make the wheel, in dist
	@rm -rf dist
	@$(BIN)/python -m build -q --wheel

# A fresh environment with nothing but the wheel, as a user has it.
wheel-demo: build ## install the wheel into an empty environment and run the demo from it
	@rm -rf build/wheel && $(PYTHON) -m venv build/wheel
	@$(if $(UV),$(UV) pip install -q --python build/wheel/bin/python,build/wheel/bin/python -m pip install -q --disable-pip-version-check) dist/*.whl
	@cd build/wheel && bin/eddyline demo --for 50s --json --port 0 --api-port 0

clean: ## remove what make and the demo made
	rm -rf $(VENV) .eddyline-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
