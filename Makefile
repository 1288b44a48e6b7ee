# Everything a newcomer needs: `make demo` and `make test`. Both make their own environment in .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: demo test lint wheel-demo bench clean

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt -e .
	touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(PIP) install -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/.installed  ## run the Hefei-Huaibei hand-over and say where the report is
	$(BIN)/suandian run anhui_handover

test: $(VENV)/.developing  ## all tests, on all cores
	$(BIN)/python -m pytest -n auto --dist worksteal  # neighbours share compiled models

lint: $(VENV)/.developing  ## formatting, lint, import contracts, types
	$(BIN)/lint-imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

wheel-demo: $(VENV)/.developing  ## the demo from a wheel, in an empty environment outside the checkout
	rm -rf dist && $(BIN)/python -m build -q --wheel
	folder=$$(mktemp -d) && trap 'rm -rf $$folder' EXIT && \
	  $(PYTHON) -m venv $$folder/venv && \
	  $$folder/venv/bin/python -m pip --disable-pip-version-check -q install -c constraints.txt dist/*.whl && \
	  cd $$folder && venv/bin/suandian doctor && venv/bin/suandian run anhui_handover -q && \
	  venv/bin/suandian validate two_bus anhui_handover

bench: $(VENV)/.developing  ## every benchmark against the peers it names
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info
