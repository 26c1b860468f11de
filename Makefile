# Every target does its own set-up: Python 3.11, 3.12 or 3.13 and make are all a machine
# needs. The first of these that is one of them makes the virtual environment.
PYTHON ?= python3 python3.13 python3.12 python3.11 python
VENV := .venv
BIN := $(VENV)/bin
# Stamps: the second call of a target installs nothing.
DEMO_READY := $(VENV)/demo.ready
ALL_READY := $(VENV)/all.ready
JAX_READY := $(VENV)/jax.ready
TORCH_READY := $(VENV)/torch.ready
RAY_READY := $(VENV)/ray.ready
RAY_TESTS := tests/benchmarks/experiments/test_ray_workers.py tests/meta/collection/test_ray_collectors.py \
	tests/meta/expert_training/test_ray_players.py
REQUIREMENTS := pyproject.toml constraints.txt
# TF-Agents is here without what it pins, of which pip would warn at each installation.
PIP = $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check \
	--no-input --no-warn-conflicts --progress-bar off --constraint constraints.txt
# What is never imported is not compiled either: that takes most of an installation.
INSTALL = $(PIP) --no-compile --editable
# Two processes, and more options from the command line: make test PYTEST_OPTIONS="-x".
PYTEST = $(BIN)/python -m pytest --quiet --numprocesses 2 --dist worksteal \
	$(PYTEST_OPTIONS)

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-slow test-jax test-torch test-ray coverage \
	keras-suite lint typecheck docs dist clean

help: ## Say what can be made.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

demo: $(DEMO_READY) ## Train from five initial rates: constant, cosine decay, GANNO.
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m ganno_keras.demo

test: lint typecheck ## Check style, import directions and types, then run the tests.
	@$(PYTEST) -m "not slow"  # Its summary is the last thing printed.

test-all: lint typecheck ## Check the same, then run all tests, the slow ones too, at once.
	@$(PYTEST)

test-slow: $(ALL_READY) ## Run the slow tests: meta-trainings, notebooks, the wheel.
	@$(PYTEST) -m slow

test-jax: $(JAX_READY) ## Run the tests that are meant for every backend on JAX.
	@KERAS_BACKEND=jax $(PYTEST) -m "backend and not slow"

test-torch: $(TORCH_READY) ## Run the tests that are meant for every backend on PyTorch.
	@KERAS_BACKEND=torch $(PYTEST) -m "backend and not slow"

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

dist: $(ALL_READY) ## Build and check sdist and wheel in dist/, and say their sizes.
	@rm -rf build dist
	@$(BIN)/python -m build --no-isolation >/dev/null
	@$(BIN)/twine check --strict dist/*
	@rm -rf build
	@du --bytes dist/*

clean: ## Remove the virtual environment, caches and builds.
	rm -rf $(VENV) build dist site *.egg-info .coverage .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A Python without ensurepip (Debian's, without python3-venv) cannot make one.
$(BIN)/python:
	@for python in $(PYTHON); do \
		"$$python" -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
			2>/dev/null && exec "$$python" -m venv $(VENV); \
	done; \
	echo "Python 3.11, 3.12 or 3.13 is needed, with the modules venv and ensurepip." \
		"TensorFlow has no wheels for 3.14 before 2.22. Tried: $(PYTHON)." \
		"Another one: 'make PYTHON=/path/to/python3.12'." >&2; exit 1

$(DEMO_READY): $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing what the demo needs into $(VENV): a few minutes."
	@$(INSTALL) '.[plot]'
	@touch $@

$(ALL_READY): $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing everything into $(VENV): a few minutes."
	@$(INSTALL) '.[dev,docs,notebooks,plot,train]'
	@$(PIP) --no-deps tf-agents
	@touch $(DEMO_READY) $@

$(JAX_READY): $(ALL_READY)
	@echo "Adding JAX to $(VENV)."
	@$(INSTALL) '.[jax]'
	@touch $@

$(TORCH_READY): $(ALL_READY)
	@echo "Adding PyTorch to $(VENV)."
	@$(INSTALL) '.[torch]'
	@touch $@

$(RAY_READY): $(ALL_READY)
	@echo "Adding Ray to $(VENV)."
	@$(INSTALL) '.[distributed]'
	@touch $@
