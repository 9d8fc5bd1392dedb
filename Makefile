# make demo    a look at the product: installs, makes a sample library, asks it
# make test    every test          make check   format, lint, types, imports
# make bench   benchmarks          make soak    long runs at full size
# make docs    the pages that the code writes            make clean

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
ARGS ?=

bin := $(VENV)/bin
# faiss-cpu and faiss-gpu exclude each other: the machine decides.
extra := $(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)
# Installed once per content of pyproject.toml: after that nothing here needs the network.
key := $(shell cksum pyproject.toml | cut -d' ' -f1)
installed := $(VENV)/.installed-$(extra)-$(key)
installed_dev := $(VENV)/.installed-$(extra)-dev-$(key)

.PHONY: demo test check bench bench-peers soak docs clean

demo: $(installed)
	$(bin)/unisearch demo $(ARGS)

test: $(installed_dev)
	@.ci/browser
	UNISEARCH_NO_SKIP=1 $(bin)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: $(installed_dev)
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports

bench: $(installed_dev)
	@set -e; for file in tests/bench/bench_*.py; do $(bin)/python -m tests.bench.$$(basename $$file .py); done

# The engines that tests.bench.search compares with: no dependencies of ours.
bench-peers:
	$(PYTHON) -m venv build/peers
	build/peers/bin/python -m pip install -r tests/bench/peers.txt

soak: $(installed_dev)
	UNISEARCH_NO_SKIP=1 $(bin)/python -m pytest -m soak -o faulthandler_timeout=0 $(ARGS)

docs: $(installed_dev)
	$(bin)/python -m unisearch.cli.pages docs

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(installed): | $(bin)/python
	$(bin)/python -m pip install -e '.[$(extra)]'
	touch $@

$(installed_dev): | $(bin)/python
	$(bin)/python -m pip install -e '.[$(extra),dev]'
	touch $@ $(installed)

$(bin)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
