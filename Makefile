PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --quiet --only-binary :all: --constraint constraints.txt

.PHONY: run test quick bench check docs pins

run: .venv/run.stamp
	$(BIN)/python -m tenorgrid run $(ARGS)

test: .venv/test.stamp
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

quick: .venv/test.stamp
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

check: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/bench.stamp
	$(BIN)/python -m benchmarks $(ARGS)

docs: .venv/run.stamp
	$(BIN)/python -m tenorgrid.data.dictionary > docs/data-dictionary.md

.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tenorgrid needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/run.stamp: .venv/made.stamp pyproject.toml constraints.txt
	@echo "Installing tenorgrid into .venv (about a minute the first time)" >&2
	$(INSTALL) hatchling
	$(INSTALL) --no-build-isolation --editable .
	@touch $@

.venv/test.stamp: .venv/run.stamp
	$(INSTALL) --no-build-isolation --editable ".[dev]"
	@touch $@

.venv/bench.stamp: .venv/test.stamp
	$(INSTALL) --no-build-isolation --editable ".[dev,bench]"
	@touch $@

# Refreshes constraints.txt on the oldest Python; refuses addresses.
pins:
	rm -rf out/pins && $(PYTHON) -m venv out/pins
	out/pins/bin/python -m pip install --quiet --only-binary :all: hatchling ".[dev,bench]"
	out/pins/bin/python -m pip freeze --exclude tenorgrid | LC_ALL=C sort --ignore-case > out/constraints.txt
	! grep -nE '@|://|^-' out/constraints.txt
	mv out/constraints.txt constraints.txt
