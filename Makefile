# `make run` and `make test` need Python 3.11 or newer and make, nothing else. Another Python: make PYTHON=python3.13 test

PYTHON ?= python3
VENV ?= .venv
BENCH_VENV ?= .venv-bench
BIN := $(VENV)/bin
PIP_FLAGS := --quiet --disable-pip-version-check
# How many processes that is, tests/conftest.py says; `make test PYTEST=...` for options of one's own.
PYTEST ?= -n auto --dist worksteal
# What `make flakes` repeats, and how often; and how often all that starts real processes.
FLAKES ?= tests/integration/test_pytest_plugin.py tests/integration/test_pytest_plugin_names.py
TIMES ?= 50
TIMES_E2E ?= 1

.PHONY: help run test lint typecheck unit wheel bench nightly flakes coverage docs clean

help:
	@echo "make run      a whole session against the simulated handpiece"
	@echo "make test     lint, types, architecture, tests, and the built wheel in a venv of its own"
	@echo "make bench    codec, simulators and session beside their peers, to benchmarks/results.md"
	@echo "make nightly  the long tests: 300 seeds, many more examples"
	@echo "make flakes   the pytest plugin's tests 50 times and tests/e2e once, on a machine four times as busy as it can be"
	@echo "make coverage branch coverage, by module"
	@echo "make docs     docs/generated anew"
	@echo "make clean    everything that was made"

run: $(VENV)/.installed
	$(BIN)/devicectl run

test: lint typecheck unit wheel

# --- environments --------------------------------------------------------------------------------------------------

define CREATE
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is" $$($(PYTHON) --version); exit 1; }
	$(PYTHON) -m venv $(@D)
endef

$(VENV)/pyvenv.cfg:
	$(CREATE)

$(BENCH_VENV)/pyvenv.cfg:
	$(CREATE)

$(VENV)/.installed: pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install $(PIP_FLAGS) --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install $(PIP_FLAGS) --editable '.[test]'
	@touch $@ $(VENV)/.installed

# The peers live apart: what they pull in must not stand in for something that the package forgot to ask for.
$(BENCH_VENV)/.installed: pyproject.toml | $(BENCH_VENV)/pyvenv.cfg
	$(BENCH_VENV)/bin/python -m pip install $(PIP_FLAGS) --editable .
	$(BENCH_VENV)/bin/python -m pip install $(PIP_FLAGS) --editable '.[bench]' \
		|| echo "not every peer could be installed; those missing are named in the results"
	@touch $@

# --- checks --------------------------------------------------------------------------------------------------------

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

typecheck: $(VENV)/.installed-test
	$(BIN)/mypy

unit: $(VENV)/.installed-test
	$(BIN)/python -m pytest $(PYTEST)

# What a user gets: sdist, the wheel made from it, installed outside the tree. First with nothing but what the package
# asks for, then with tests, which cannot see the sources.
wheel: $(VENV)/.installed-test
	set -e; place=$$(mktemp -d); trap 'rm -rf "$$place"' EXIT; \
	$(BIN)/python -m build --outdir "$$place/dist" . >"$$place/build.log" 2>&1 || { cat "$$place/build.log"; exit 1; }; \
	$(BIN)/python -m venv "$$place/venv"; \
	"$$place/venv/bin/python" -m pip install $(PIP_FLAGS) "$$place"/dist/*.whl; \
	cp -R tests benchmarks pyproject.toml "$$place/"; cd "$$place"; \
	venv/bin/devicectl run --seed 7 --target-cores 60 --json --log first.sqlite; \
	venv/bin/devicectl sessions list --log first.sqlite; \
	venv/bin/firmware-sim --help >/dev/null; \
	venv/bin/python -m pip install $(PIP_FLAGS) "$$(ls dist/*.whl)[pytest]"; \
	INSTALLED_WHEEL=1 venv/bin/python -m pytest -q $(PYTEST) tests/unit tests/architecture/test_installed.py \
		tests/integration/test_pytest_plugin_names.py

nightly: $(VENV)/.installed-test
	$(BIN)/python -m pytest $(PYTEST) -m "nightly or not nightly" --hypothesis-profile nightly --seeds 300 --timeout 3600

flakes: $(VENV)/.installed-test
	$(BIN)/python -m tests.repeat $(TIMES) $(PYTEST) $(FLAKES)
	$(BIN)/python -m tests.repeat $(TIMES_E2E) $(PYTEST) tests/e2e

coverage: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q $(PYTEST) --cov --cov-report=term

bench: $(BENCH_VENV)/.installed
	$(BENCH_VENV)/bin/python -m benchmarks.run

docs: $(VENV)/.installed-test
	$(BIN)/python -m tests.architecture.generate_docs

clean:
	rm -rf $(VENV) $(BENCH_VENV) build dist *.egg-info .coverage .coverage.* \
		.pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
