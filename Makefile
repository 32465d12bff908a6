# make demo   install and run the two demonstration studies
# make test   install with the development tools and run every test
# make check  lint and types; make coverage: branch coverage with the compiler switched off
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Where rules and stages run: compiled code leaves no trace, so these run in the interpreter too. (The stepped tests wait
# for environments that hang, which is no matter of the interpreter.)
INTERPRETED := $(filter-out tests/test_engine_stepped.py,$(wildcard tests/test_engine_*.py)) tests/test_contracts.py \
	tests/test_numeric.py

.PHONY: demo test check coverage speed clean

demo: $(VENV)/ready
	$(BIN)/rlsoftmax demo

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n 2

check: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check rlsoftmax tests experiments
	$(BIN)/mypy

coverage: $(VENV)/ready-dev
	rm -f .coverage .coverage.*
	NUMBA_DISABLE_JIT=1 $(BIN)/coverage run -m pytest -n 2 -m "not compiled" $(INTERPRETED)
	$(BIN)/coverage run -m pytest -n 2
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=90

speed: $(VENV)/ready-dev
	$(BIN)/python experiments/speed_engine/speed_engine.py
	$(BIN)/python experiments/speed_core/speed_core.py
	$(BIN)/python experiments/speed_report/speed_report.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "rlsoftmax needs Python >= 3.11; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/ready-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $@ $(VENV)/ready

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
