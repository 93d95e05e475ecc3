# Everything a checkout needs. The only assumption is a Python of 3.11 or newer
# as `python3`; `make build` also wants python3.13, the version Lambda runs.

PYTHON ?= python3
ARGS ?=
export SAM_CLI_TELEMETRY := 0
# Images of containers often set it. Without bytecode every process compiles all that it imports again.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
REQUIRED := $(VENV)/.required
SAM_VENV := .venv-sam
VENDORS_VENV := .venv-vendors
SAM_INSTALLED := $(SAM_VENV)/.installed
LAMBDA_VENV := .venv-lambda
LAMBDA_INSTALLED := $(LAMBDA_VENV)/.installed
NODE_INSTALLED := dashboard/node_modules/.installed

PIP_INSTALL := -m pip install --quiet --no-compile --disable-pip-version-check
TEMPLATES := template.yaml $(wildcard infrastructure/*.yaml)
# x86_64 or arm64: the template's, unless `make build ARCH=...` names another one.
TEMPLATE_ARCH := $(shell sed -n 's/^    Architectures: \[\(.*\)\]$$/\1/p' template.yaml)
ARCH ?= $(TEMPLATE_ARCH)
CODE := layers cli functions tests $(wildcard benchmarks)

# A python3.13 that answers: the one on PATH may be a shim of a version manager
# that points nowhere.
FIND_PYTHON313 = for candidate in python3.13 $$(ls -d "$$HOME"/.pyenv/versions/3.13*/bin/python3.13 2>/dev/null); do \
	"$$candidate" -c 'import sys; print(sys.executable)' 2>/dev/null && break; done

.PHONY: help install demo test test-unit test-all test-vendors coverage simulate lint format openapi events bench build validate requirements clean records dist sam-local dashboard dashboard-check dashboard-packages dashboard-test screenshots

help:
	@echo "make demo          start a local stack with data in it; Ctrl-C ends it"
	@echo "make sam-local     tables, data and commands for sam local; Ctrl-C ends it"
	@echo "make test          all but slow tests, and some cases of those with many (ARGS=... goes to pytest)"
	@echo "make test-unit     the tests without an engine or a process"
	@echo "make test-all      every test, on both engines"
	@echo "make test-vendors  webhook signatures against the providers' own packages"
	@echo "make coverage      make test, and the branches that it does not run"
	@echo "make simulate      run simulated schedules of faults (SEEDS=2000 or 500:900, ARGS=--mutants)"
	@echo "make lint          style, types, import rules, template"
	@echo "make format        rewrite the code in the house style"
	@echo "make events        rewrite the sample events and their answers"
	@echo "make openapi       write docs/api/openapi.json again"
	@echo "make records       write docs/records.md again"
	@echo "make bench         measure (ARGS=... goes to the benchmarks)"
	@echo "make validate      sam validate --lint"
	@echo "make build         sam build, without Docker; needs python3.13 (ARCH=arm64)"
	@echo "make dist          a wheel in dist/, with all that the command needs"
	@echo "make requirements  pin the dependencies again"
	@echo "make dashboard     build dashboard/dist again; needs Node 20 or newer"
	@echo "make dashboard-check     whether dashboard/dist is what make dashboard would build"
	@echo "make dashboard-test      types and tests of the dashboard (ARGS=... names test files)"
	@echo "make screenshots   pictures of the dashboard's states in FOLDER; needs chromium"
	@echo "make dashboard-packages  list the dashboard's packages again, for another package.json"
	@echo "make install       create .venv; the targets above do it when needed"
	@echo "make clean         remove environments and build output"

# ------------------------------------------------------------- environments
install: $(INSTALLED)

$(REQUIRED): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Rollcall needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)." >&2; \
		echo "Point to another one: make PYTHON=/path/to/python3.13" >&2; exit 1; }
	@echo "Installing into $(VENV) (only the first time, and when requirements/ changes)"
	@$(PYTHON) -m venv $(VENV) || { \
		echo "Could not create $(VENV). On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python $(PIP_INSTALL) --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

$(INSTALLED): $(REQUIRED) pyproject.toml
	@$(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(SAM_INSTALLED): requirements/sam.txt
	@echo "Installing the SAM command line into $(SAM_VENV)"
	@$(PYTHON) -m venv $(SAM_VENV)
	@$(SAM_VENV)/bin/python $(PIP_INSTALL) --require-hashes --no-deps -r requirements/sam.txt
	@touch $@

# The Python that builds the layer, with what Lambda's runtime brings: what is built runs in it. Compiled,
# as in the runtime, because such a run writes no bytecode.
$(LAMBDA_INSTALLED): requirements/lambda.txt
	@python313=$$($(FIND_PYTHON313)); \
	if [ -z "$$python313" ]; then \
		echo "make build needs python3.13, the version the functions run on, on PATH or in ~/.pyenv/versions." >&2; \
		exit 1; \
	fi; \
	echo "Installing what Lambda's runtime brings into $(LAMBDA_VENV)"; \
	"$$python313" -m venv $(LAMBDA_VENV)
	@$(LAMBDA_VENV)/bin/python $(filter-out --no-compile,$(PIP_INSTALL)) --require-hashes --no-deps -r requirements/lambda.txt
	@touch $@

# package.json names every version; the build compares what is installed with the hashes in packages.json.
# From nothing, because npm does not record the hashes of what it finds installed.
$(NODE_INSTALLED): dashboard/package.json dashboard/.npmrc
	@command -v npm >/dev/null || { echo "The dashboard is built with Node 20 or newer, and npm." >&2; exit 1; }
	@echo "Installing into dashboard/node_modules"
	@rm -rf dashboard/node_modules
	@cd dashboard && npm install --no-save --loglevel=error >/dev/null
	@touch $@

# -------------------------------------------------------------------- daily
# One plain command, so that make runs it without a shell between: Ctrl-C (and
# a SIGTERM sent to make) reaches the demo itself.
demo: $(INSTALLED)
	@$(BIN)/rollcall demo $(ARGS)

# ARGS go to the command, not to the build.
sam-local: $(INSTALLED)
	@$(MAKE) --no-print-directory build ARGS=
	@$(BIN)/rollcall sam-local $(ARGS)

# Side by side (tests/support/spreading.py); or what ARGS choose, as plain pytest does it, so that -s
# and --pdb work.
SPREAD := --numprocesses logical --maxprocesses 4
# Fewer generated cases (tests/conftest.py) and fewer parameters (tests/support/representatives.py);
# make test-all has them all.
FAST := $(SPREAD) --hypothesis-profile fast

test: $(INSTALLED)
	$(if $(ARGS),,ROLLCALL_TEST_ENGINES=one) $(BIN)/pytest $(if $(ARGS),$(ARGS),$(FAST) -m "not slow and not exhaustive and not e2e")

test-unit: $(INSTALLED)
	$(BIN)/pytest $(FAST) -m "not slow and not exhaustive and not engine and not contract and not e2e" $(ARGS)

test-all: $(INSTALLED)
	$(BIN)/pytest $(SPREAD) $(ARGS)

# The packages of the providers check the same signatures; they are large, so in a venv of their own.
test-vendors: requirements/vendors.txt
	@[ -d $(VENDORS_VENV) ] || $(PYTHON) -m venv $(VENDORS_VENV)
	@$(VENDORS_VENV)/bin/python $(PIP_INSTALL) --require-hashes --no-deps -r requirements/vendors.txt
	ROLLCALL_REQUIRE_VENDORS=1 PYTHONPATH=layers/rollcall:cli \
		$(VENDORS_VENV)/bin/python -m pytest --noconftest -c /dev/null --rootdir . -p no:cacheprovider tests/hooks/test_vendors.py $(ARGS)

# The packages of which every branch runs, or the line gives the reason.
COVERED := domain ledger query
COVERAGE ?= $(BIN)/coverage
# Their code runs in greenlets, which coverage does not follow (pyproject.toml).
IN_GREENLETS := tests/simulation tests/maintenance/reconcile/test_races.py

# ARGS follow the arguments: another `-m` chooses other tests.
coverage: $(INSTALLED)
	$(COVERAGE) erase
	ROLLCALL_TEST_ENGINES=one $(COVERAGE) run -m pytest $(SPREAD) -m "not slow and not e2e" \
		$(addprefix --ignore=,$(IN_GREENLETS)) $(ARGS)
	$(COVERAGE) combine --quiet
	$(COVERAGE) report
	@for package in $(COVERED); do \
		echo "every branch of $$package:"; \
		$(COVERAGE) report --include="layers/rollcall/rollcall/$$package/**" --fail-under=100 || exit 1; \
	done

SEEDS ?= 0:500

simulate: $(INSTALLED)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/cfn-lint --append-rules cfn_lint_serverless.rules --regions eu-central-1 --template $(TEMPLATES)

format: $(INSTALLED)
	$(BIN)/ruff check --fix-only $(CODE)
	$(BIN)/ruff format $(CODE)

# Written beside it first, so that an error leaves the file as it is.
openapi: $(INSTALLED)
	$(BIN)/rollcall openapi > docs/api/openapi.json.new
	mv docs/api/openapi.json.new docs/api/openapi.json

events: $(INSTALLED)
	$(BIN)/python -m tests.sample_events

records: $(INSTALLED)
	$(BIN)/python -m rollcall_cli.openapi.reference > docs/records.md.new
	mv docs/records.md.new docs/records.md

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks $(ARGS)

# ---------------------------------------------------------------- dashboard
dashboard: $(NODE_INSTALLED)
	@node dashboard/build.mjs

dashboard-check: $(NODE_INSTALLED)
	@node dashboard/build.mjs dashboard/build/dist
	@diff -r dashboard/build/dist dashboard/dist || { \
		echo "dashboard/dist is not what its sources build: run make dashboard" >&2; exit 1; }

dashboard-test: $(NODE_INSTALLED)
	cd dashboard && node_modules/.bin/tsc --project . && node_modules/.bin/tsc --project test
	node dashboard/test.mjs $(ARGS)

FOLDER ?= /tmp/rollcall-screenshots

screenshots: $(INSTALLED)
	$(BIN)/python -m tests.dashboard.screenshots $(FOLDER)

# --------------------------------------------------------------- deployment
validate: $(SAM_INSTALLED)
	$(SAM_VENV)/bin/sam validate --lint --template template.yaml --region eu-central-1

build: $(SAM_INSTALLED) $(LAMBDA_INSTALLED)
	PATH="$(CURDIR)/$(LAMBDA_VENV)/bin:$$PATH" ARCH=$(ARCH) $(SAM_VENV)/bin/sam build \
		--template template.yaml --cache-dir .aws-sam/cache/$(ARCH) $(ARGS)
# The template that is deployed states the architecture that was built.
	@sed -i.bak 's/^\( *- \)$(TEMPLATE_ARCH)$$/\1$(ARCH)/' .aws-sam/build/template.yaml
	@rm .aws-sam/build/template.yaml.bak

dist: $(INSTALLED)
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

# ------------------------------------------------------------- maintenance
# --no-config and --no-header keep the place the packages came from out of the
# files; the pins hold for every platform and every Python from 3.11.
PIN := uv pip compile --no-config --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header

requirements:
	@command -v uv >/dev/null || { echo "make requirements needs uv (pip install uv)." >&2; exit 1; }
	cd requirements && $(PIN) $(ARGS) runtime.in --output-file runtime.txt
	cd requirements && $(PIN) $(ARGS) dev.in ../pyproject.toml --all-extras --output-file dev.txt
	cd requirements && $(PIN) $(ARGS) lambda.in --output-file lambda.txt
	cd requirements && $(PIN) $(ARGS) sam.in --output-file sam.txt
	cd requirements && $(PIN) $(ARGS) vendors.in --output-file vendors.txt
	cp requirements/runtime.txt layers/rollcall/requirements.txt

dashboard-packages:
	node dashboard/list_packages.mjs

clean:
	rm -rf .venv .venv-3.13 .venv-lambda .venv-sam $(VENDORS_VENV) .aws-sam build dist *.egg-info
	rm -rf dashboard/node_modules dashboard/build
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
	find layers cli functions tests -name __pycache__ -type d -prune -exec rm -rf {} +
