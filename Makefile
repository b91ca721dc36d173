# Everything happens in .venv, which the first command makes. Another Python: make test PYTHON=python3.13
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# More arguments for pytest: make test ARGS="tests/test_readme.py -x"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test coverage lint format bench docs packages clean

help: ## show what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1|/' | awk -F'|' '{ printf "make %-10s %s\n", $$1, $$2 }'

demo: $(VENV)/.demo ## run the example application and show what is loaded when
	@$(BIN)/python examples/blog/demo.py

test: $(VENV)/.test ## run the tests
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

coverage: $(VENV)/.test ## run the tests and fail where they cover less than pyproject.toml wants
	$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term:skip-covered $(ARGS)

lint: $(VENV)/.lint ## check style, format, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict pyautoload
	$(BIN)/lint-imports

format: $(VENV)/.lint ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict $(ARGS)

packages: $(VENV)/.lint ## run real third-party packages under the loader (a few minutes)
	$(BIN)/nox -s packages

bench: $(VENV)/.test ## measure
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## remove what was made here
	rm -rf $(VENV) .nox .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis build dist

# An existing environment is used as it is, whichever Python it has.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "$(PYTHON) has to be Python 3.10 or later: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "no environment could be made; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# One stamp a set of extras; a change of pyproject.toml installs again.
$(VENV)/.demo: EXTRAS := blog
$(VENV)/.test: EXTRAS := test
$(VENV)/.lint: EXTRAS := test,lint
$(VENV)/.docs: EXTRAS := docs
$(VENV)/.demo $(VENV)/.test $(VENV)/.lint $(VENV)/.docs: pyproject.toml | $(BIN)/python
	@echo "installing pyautoload[$(EXTRAS)] into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$(EXTRAS)]"
	@touch $@
