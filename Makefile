# `make run` and `make test` need Python 3.11 or newer and make, nothing else. Another Python: make PYTHON=python3.13 test

PYTHON ?= python3
VENV ?= .venv
FAST_VENV ?= .venv-fast
BENCH_VENV ?= .venv-bench
LABGRID_VENV := .venv-labgrid
EMBEDDED_VENV := .venv-embedded
BIN := $(VENV)/bin
PIP_FLAGS := --quiet --disable-pip-version-check
# How many processes that is, tests/conftest.py says; `make test PYTEST=...` for options of one's own.
PYTEST ?= -n auto --dist worksteal
# What `make flakes` repeats, and how often; and how often all that starts real processes.
FLAKES ?= tests/integration/plugin/test_pytest_plugin.py tests/integration/plugin/test_pytest_plugin_names.py
TIMES ?= 50
TIMES_E2E ?= 1

.PHONY: help run fast test lint typecheck unit wheel compiled boards dist bounds bench nightly flakes findings coverage docs kaitai clean

help:
	@echo "make run      a whole session against the simulated handpiece"
	@echo "make fast     devicectl with its core compiled, in .venv-fast; needs a C compiler and two minutes"
	@echo "make test     lint, types, architecture, tests, and the built wheel in a venv of its own"
	@echo "make compiled the tests against a compiled wheel, which must do the same to the byte"
	@echo "make boards   labgrid and pytest-embedded, each in a venv of its own: make test then drives the simulator by them"
	@echo "make bench    codec, simulators and session beside their peers, to benchmarks/results.md"
	@echo "make bounds   the tests with the lowest versions that pyproject.toml allows, and with the newest of everything"
	@echo "make nightly  the long tests: 300 seeds, many more examples, and the bound on instructions"
	@echo "make flakes   the pytest plugin's tests 50 times and tests/e2e once, on a machine four times as busy as it can be"
	@echo "make findings what surprises in other people's libraries and tools, shown again: findings/README.md"
	@echo "make kaitai   Kaitai's compiler, to build/kaitai, for the tests of hlp1.ksy; needs npm"
	@echo "make coverage branch coverage, by module, and the bounds of the pure packages"
	@echo "make docs     docs/generated again, and all pages as a site in build/site, which needs no network"
	@echo "make dist     sdist and pure wheel, to dist/"
	@echo "make clean    everything that was made"

run: $(VENV)/.installed
	$(BIN)/devicectl run

# Installed as a copy: a module compiled in place would shadow its source after the next change.
fast: | $(FAST_VENV)/pyvenv.cfg
	rm -rf build/lib* build/temp* build/bdist*
	DEVICECTL_COMPILE=1 $(FAST_VENV)/bin/python -m pip install $(PIP_FLAGS) '.[uvloop]'
	@echo "$(FAST_VENV)/bin/devicectl is $$($(FAST_VENV)/bin/devicectl --version)"

test: lint typecheck unit wheel

# --- environments --------------------------------------------------------------------------------------------------

define CREATE
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is" $$($(PYTHON) --version); exit 1; }
	$(PYTHON) -m venv $(@D)
endef

$(VENV)/pyvenv.cfg:
	$(CREATE)

$(FAST_VENV)/pyvenv.cfg:
	$(CREATE)

$(BENCH_VENV)/pyvenv.cfg:
	$(CREATE)

$(VENV)/.installed: pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install $(PIP_FLAGS) --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install $(PIP_FLAGS) --editable '.[test]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: pyproject.toml $(VENV)/.installed-test
	$(BIN)/python -m pip install $(PIP_FLAGS) --editable '.[docs]'
	@touch $@

# The peers live apart: what they pull in must not stand in for something that the package forgot to ask for.
$(BENCH_VENV)/.installed: pyproject.toml | $(BENCH_VENV)/pyvenv.cfg
	$(BENCH_VENV)/bin/python -m pip install $(PIP_FLAGS) --editable .
	$(BENCH_VENV)/bin/python -m pip install $(PIP_FLAGS) --editable '.[bench]' \
		|| echo "not every peer could be installed; those missing are named in the results"
	@touch $@

# Test benches of others, each in an environment of its own: labgrid brings a pyserial that overwrites the real one, and
# has the tests of pytest-embedded skipped.
$(LABGRID_VENV)/pyvenv.cfg $(EMBEDDED_VENV)/pyvenv.cfg:
	$(CREATE)

$(LABGRID_VENV)/.installed: examples/labgrid/requirements.txt | $(LABGRID_VENV)/pyvenv.cfg
	$(LABGRID_VENV)/bin/python -m pip install $(PIP_FLAGS) -r $<
	@touch $@

$(EMBEDDED_VENV)/.installed: examples/pytest_embedded/requirements.txt | $(EMBEDDED_VENV)/pyvenv.cfg
	$(EMBEDDED_VENV)/bin/python -m pip install $(PIP_FLAGS) -r $< --editable .
	@touch $@

boards: $(LABGRID_VENV)/.installed $(EMBEDDED_VENV)/.installed

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
	cp -R tests benchmarks docs pyproject.toml "$$place/"; cd "$$place"; \
	venv/bin/devicectl run --seed 7 --target-cores 60 --json --log first.sqlite; \
	venv/bin/devicectl sessions list --log first.sqlite; \
	venv/bin/firmware-sim --help >/dev/null; \
	venv/bin/python -m pip install $(PIP_FLAGS) "$$(ls dist/*.whl)[pytest,station]"; \
	INSTALLED_WHEEL=1 venv/bin/python -m pytest -q $(PYTEST) tests/unit tests/architecture/test_installed.py \
		tests/integration/plugin/test_pytest_plugin_names.py

# The same of a wheel whose core is compiled, with all tests that do not start programs: it must do what its sources do.
# Those of other minors make trees from the sources, and so have no wheel to test.
compiled: $(VENV)/.installed-test
	set -e; place=$$(mktemp -d); trap 'rm -rf "$$place"' EXIT; \
	DEVICECTL_COMPILE=1 $(BIN)/python -m build --outdir "$$place/dist" . >"$$place/build.log" 2>&1 \
		|| { tail -40 "$$place/build.log"; exit 1; }; \
	$(BIN)/python -m venv "$$place/venv"; \
	"$$place/venv/bin/python" -m pip install $(PIP_FLAGS) "$$(ls "$$place"/dist/*.whl)[pytest,broker,postgresql,cluster,station]"; \
	cp -R tests benchmarks build_tools docs examples pyproject.toml README.md "$$place/"; cd "$$place"; \
	INSTALLED_WHEEL=1 PURE_SOURCES=$(CURDIR) venv/bin/python -m pytest -q $(PYTEST) \
		tests/unit tests/property tests/integration tests/architecture/test_installed.py \
		--ignore tests/integration/test_minors.py

# What a release publishes, but for the platform wheels.
dist: $(VENV)/.installed-test
	rm -rf dist build
	$(BIN)/python -m build --outdir dist .

# What a user's environment may have: the lowest version of each dependency, the newest of everything, and a pytest and
# pluggy of long ago, whose every run the plugin is loaded in. The wheel is tested, as in `make wheel`. uv takes the lowest
# version of what it is asked for by name alone: so the wheel's dependencies are named beside it.
BOUNDS ?= lowest newest
BOUNDS_TESTS ?= tests/unit tests/property/test_schemas.py tests/property/test_wire.py tests/integration/log/test_log_cli.py \
	tests/integration/host/test_handpiece.py tests/e2e/cli/test_cli_run.py tests/e2e/serve/test_serve_arguments.py

bounds: $(VENV)/.installed-test
	set -e; place=$$(mktemp -d); trap 'rm -rf "$$place"' EXIT; \
	$(BIN)/python -m build --wheel --outdir "$$place/dist" . >"$$place/build.log" 2>&1 \
		|| { cat "$$place/build.log"; exit 1; }; \
	cp -R tests benchmarks docs examples pyproject.toml README.md "$$place/"; \
	$(BIN)/python -m tests.bounds lowest >"$$place/lowest.txt"; \
	$(BIN)/python -m tests.bounds newest >"$$place/newest.txt"; cd "$$place"; \
	for bound in $(BOUNDS); do \
		case $$bound in \
			lowest) how="--resolution lowest-direct --requirements lowest.txt";; \
			newest) how="--overrides newest.txt";; \
		esac; \
		$(CURDIR)/$(BIN)/python -m uv venv --quiet --clear --python $(CURDIR)/$(BIN)/python venv; \
		$(CURDIR)/$(BIN)/python -m uv pip install --quiet --python venv/bin/python $$how "$$(ls dist/*.whl)[pytest,station]"; \
		if [ $$bound = lowest ]; then venv/bin/python -m tests.bounds check-lowest; fi; \
		venv/bin/devicectl run --help >/dev/null; \
		INSTALLED_WHEEL=1 venv/bin/python -m pytest -q $(PYTEST) $(BOUNDS_TESTS); \
	done; \
	$(CURDIR)/$(BIN)/python -m uv venv --quiet --clear --python $(CURDIR)/$(BIN)/python venv; \
	$(CURDIR)/$(BIN)/python -m uv pip install --quiet --python venv/bin/python dist/*.whl pytest==7.0.0 pluggy==1.0.0; \
	mkdir somebody; cd somebody; echo 'def test_it(): pass' >test_it.py; touch pytest.ini; ../venv/bin/python -m pytest -q

nightly: $(VENV)/.installed-test
	$(BIN)/python -m pytest $(PYTEST) -m "nightly or not nightly" --hypothesis-profile nightly --seeds 300 --timeout 3600
	$(BIN)/python -m benchmarks.instructions

flakes: $(VENV)/.installed-test
	$(BIN)/python -m tests.repeat $(TIMES) $(PYTEST) $(FLAKES)
	$(BIN)/python -m tests.repeat $(TIMES_E2E) $(PYTEST) tests/e2e

findings:
	@changed=""; for finding in findings/*.sh; do \
		PYTHON="$(PYTHON)" "$$finding" || [ $$? -eq 77 ] || changed="$$changed $$finding"; \
	done; \
	[ -z "$$changed" ] || { echo "no longer as seen:$$changed"; exit 1; }

# A package of npm and of no system; pinned, like all that judges. What it compiles to is tested with the golden vectors.
KAITAI := build/kaitai/node_modules/kaitai-struct-compiler/package.json
kaitai: $(KAITAI)

$(KAITAI):
	npm install --prefix build/kaitai --no-audit --no-fund --ignore-scripts --loglevel=error kaitai-struct-compiler@0.11.0

# By what runs in this process: a promise of the pure core that only a test of whole programs holds has no test near it.
# The thirty default sessions are left out: they reach no branch that others do not, and watched they take half an hour.
coverage: $(VENV)/.installed-test
	$(BIN)/python -m coverage erase
	$(BIN)/python -m pytest -q $(PYTEST) --cov --cov-report=term tests/unit tests/property tests/integration \
		--ignore tests/integration/device/test_statistics.py
	$(BIN)/python -m tests.architecture.outside.pure_coverage

# Where nothing can be compiled, the rows of the compiled core are left out.
bench: $(BENCH_VENV)/.installed
	compiled=$(CURDIR)/$(FAST_VENV)/bin/python; $(MAKE) fast || compiled=; \
	COMPILED_PYTHON=$$compiled $(BENCH_VENV)/bin/python -m benchmarks.run

# First what is made from the code, then a site of all pages. -E: all of them, or only a changed page would warn.
SITE ?= build/site

docs: $(VENV)/.installed-docs
	$(BIN)/python -m tests.architecture.docs.generate_docs
	rm -rf $(SITE)
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -E -d build/doctrees -c docs . $(SITE)
	$(BIN)/python -m tests.architecture.offline $(SITE)
	@echo "the site is $(SITE)/index.html"

clean:
	rm -rf $(VENV) $(FAST_VENV) $(BENCH_VENV) build dist *.egg-info .coverage .coverage.* \
		.pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
