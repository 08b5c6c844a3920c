# The commands of the project. `make demo` and `make test` do all the set-up that they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: install demo test test-all lint bench plugin clean

install: $(STAMP)

$(STAMP): setup.cfg pyproject.toml mini-host/setup.cfg mini-host/pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable './mini-host[webapps,test]' --editable '.[imagenet,test,lint]'
	touch $(STAMP)

demo: install
	$(BIN)/minihost build --project examples/egg-or-not
	$(BIN)/python examples/show_result.py examples/egg-or-not

test: install
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: install
	$(BIN)/python -m pytest -n 2

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install
	$(BIN)/python -m benchmarks

plugin: install
	$(BIN)/minihost package . -o dist

clean:
	rm -rf $(VENV) build dist mini-host/build python-lib/*.egg-info mini-host/*.egg-info
