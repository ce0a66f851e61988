# make demo   shows everything once          make test   runs the tests
# make check  style, types and layers        make clean  removes what these made
# make gpu-check  tests and measures the GPU path, where there is a card, in some minutes
# make gpu-wheels  fetches what a machine without a network needs for that, into .wheels

VENV := .venv
BIN := $(VENV)/bin
# The newest Python that runs and is new enough; name another with make PYTHON=… .
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable

# Whose CuPy computes on the card; with one of your own nothing is installed.
GPU_PYTHON ?= $(BIN)/python
# What an image for machine learning, with NumPy, SciPy, numba, pandas, CuPy and pytest, is likely to lack.
GPU_WHEELS := annotated-types defusedxml ducc0 gemmi imagecodecs inotify-simple mrcfile pydantic pydantic-core \
	pytest-timeout typing-inspection cffi cryptography dask dask-jobqueue distributed locket partd tblib tornado zict
GPU_WHEELS_FOR := 3.12
PLATFORMS := $(foreach tag,manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014 manylinux1,--platform $(tag)_x86_64)

.PHONY: demo test check clean gpu-check gpu-wheels

demo: $(VENV)/with-app
	$(BIN)/emlab demo

test: $(VENV)/with-dev
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

check: $(VENV)/with-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

gpu-check: $(if $(filter $(BIN)/python,$(GPU_PYTHON)),$(VENV)/with-gpu)
	$(GPU_PYTHON) -m pytest tests/gpu
	$(GPU_PYTHON) -m benchmarks gpu --quick

gpu-wheels: $(VENV)/with-dev
	$(BIN)/python -m pip download --quiet --constraint constraints.txt --no-deps --only-binary=:all: --implementation cp \
		--python-version $(GPU_WHEELS_FOR) $(PLATFORMS) --dest .wheels $(GPU_WHEELS)

clean:
	rm -rf $(VENV) .wheels emlab-demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

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

$(VENV)/with-gpu: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing emlab, what its tests need, and CuPy with CUDA 12 into $(VENV), some minutes …"
	$(INSTALL) ".[dev,gpu]"
	@touch $@
