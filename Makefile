# make demo   shows everything once          make test   runs the tests
# make check  style, types and layers        make clean  removes what these made

VENV := .venv
BIN := $(VENV)/bin
# The newest Python that runs and is new enough; name another with make PYTHON=… .
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: demo test check clean

demo: $(VENV)/with-app
	$(BIN)/emlab demo

test: $(VENV)/with-dev
	$(BIN)/python -m pytest

check: $(VENV)/with-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) emlab-demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "emlab needs Python 3.11 or newer, and none was found. Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/with-app: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing emlab and what it needs into $(VENV), 1 to 2 minutes …"
	$(INSTALL) ".[app]"
	@echo "Compiling for this machine, half a minute …"
	$(BIN)/python -c "from emlab.arrays.compiled import compile_kernels; compile_kernels()"
	@touch $@

$(VENV)/with-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing emlab and what its tests need into $(VENV), 1 to 2 minutes …"
	$(INSTALL) ".[app,dev]"
	@touch $@
