# Works with GNU make 3.81, which macOS has, and later. `make` alone tells the targets.

PYTHON ?=
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test lint types imports unit chaos fmt lock bench channels clean

help: ## Tell what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED) ## Make .venv with the locked packages (only when the lock has changed)

$(INSTALLED): pyproject.toml requirements.lock
	@PYTHON="$(PYTHON)" sh .ci/install

demo: $(INSTALLED) ## A day of a real call centre through a real Kafka, then live traffic; Ctrl-C ends it
	@$(BIN)/contact-streams demo

test: lint types imports unit ## All checks, the quick ones first

lint: $(INSTALLED) ## Style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED) ## Types, strictly
	$(BIN)/mypy

imports: $(INSTALLED) ## Which module may import which
	$(BIN)/lint-imports

unit: $(INSTALLED) ## The tests alone, those with a real broker among them, in two processes
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

chaos: $(INSTALLED) ## Ten minutes of faults on a real Kafka, then check every number (seed: make chaos SEED=7)
	$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED))

fmt: $(INSTALLED) ## Format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: $(INSTALLED) ## Write the locks anew from pyproject.toml, with the newest versions
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) pyproject.toml --all-extras --upgrade --output-file requirements.lock
	$(COMPILE) pyproject.toml --constraints requirements.lock --output-file deploy/requirements.lock
	echo hatchling | $(COMPILE) - --constraints requirements.lock --output-file deploy/build.lock

bench: $(INSTALLED) ## Measure ourselves and the peers side by side (some 40 minutes)
	$(BIN)/python -m bench

channels: $(INSTALLED) ## Measure one worker with all KPIs on events of all channels (some minutes)
	$(BIN)/python -m bench.every_channel

clean: ## Remove what can be made again (not the cached Kafka)
	rm -rf .venv .venv-bench bench/kafka_streams/target .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
