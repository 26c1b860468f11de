# Every target does its own set-up: Python 3.11 and make are all a machine needs.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# Stamps: the second call of a target installs nothing.
DEMO_READY := $(VENV)/demo.ready
ALL_READY := $(VENV)/all.ready
JAX_READY := $(VENV)/jax.ready
RAY_READY := $(VENV)/ray.ready
RAY_TESTS := tests/benchmarks/experiments/test_ray_workers.py tests/meta/collection/test_ray_collectors.py
REQUIREMENTS := pyproject.toml constraints.txt
INSTALL = $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check \
	--no-input --progress-bar off --constraint constraints.txt --editable
# Two processes, and more options from the command line: make test PYTEST_OPTIONS="-x".
PYTEST = $(BIN)/python -m pytest --quiet --numprocesses 2 --dist worksteal \
	$(PYTEST_OPTIONS)

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-jax test-ray coverage keras-suite lint typecheck \
	docs wheel clean

help: ## Say what can be made.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

demo: $(DEMO_READY) ## Train from five initial rates: constant, cosine decay, GANNO.
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m ganno_keras.demo

test: lint typecheck ## Check style, import directions and types, then run the tests.
	@$(PYTEST) -m "not slow"  # Its summary is the last thing printed.

test-slow: $(ALL_READY) ## Run the slow tests: meta-trainings, notebooks, the wheel.
	@$(PYTEST) -m slow

test-jax: $(JAX_READY) ## Run the tests that are meant for every backend on JAX.
	@KERAS_BACKEND=jax $(PYTEST) -m "backend and not slow"

test-ray: $(RAY_READY) ## Run the tests that need Ray; one process, one cluster.
	@$(PYTEST) --numprocesses 0 $(RAY_TESTS)

coverage: $(ALL_READY) ## Run every test on TensorFlow and judge the coverage.
	@$(PYTEST) --cov --cov-report=

keras-suite: $(ALL_READY) ## Run Keras' own optimizer tests on layerwise optimizers.
	@$(BIN)/python -m tests.keras_suite

lint: $(ALL_READY) ## Check style, formatting and import directions.
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports --no-logo

typecheck: $(ALL_READY) ## Check types.
	@$(BIN)/mypy

docs: $(ALL_READY) ## Build the documentation into site/; a warning is an error.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "Documentation: site/index.html"

wheel: $(ALL_READY) ## Build the wheel into dist/.
	@rm -rf build
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation \
		--wheel-dir dist .
	@rm -rf build
	@ls dist/*.whl

clean: ## Remove the virtual environment, caches and builds.
	rm -rf $(VENV) build dist site *.egg-info .coverage .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
		echo "Python 3.11 is needed: the pinned versions are for it." \
			"Found '$(PYTHON)'; try 'make PYTHON=/path/to/python3.11'." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(DEMO_READY): $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing what the demo needs into $(VENV): a few minutes."
	@$(INSTALL) '.[plot]'
	@touch $@

$(ALL_READY): $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing everything into $(VENV): a few minutes."
	@$(INSTALL) '.[dev,docs,notebooks,plot,train]'
	@touch $(DEMO_READY) $@

$(JAX_READY): $(ALL_READY)
	@echo "Adding JAX to $(VENV)."
	@$(INSTALL) '.[jax]'
	@touch $@

$(RAY_READY): $(ALL_READY)
	@echo "Adding Ray to $(VENV)."
	@$(INSTALL) '.[distributed]'
	@touch $@
