# The commands of the project. `make demo` and `make test` do all the set-up that they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PANDAS3 := $(VENV)/pandas3
# What reads and writes tables, and recipes from end to end without Keras.
PANDAS3_TESTS := mini-host/tests/test_pandas_versions.py mini-host/tests/test_tables.py mini-host/tests/test_cells.py \
	mini-host/tests/test_dataset_reading.py mini-host/tests/test_dataset_writing.py mini-host/tests/test_excel_tables.py \
	tests/dataset/test_labels.py tests/dataset/test_label_table.py tests/dataset/test_extra_columns.py \
	tests/test_extract.py tests/components/test_workshop.py
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: install demo test test-all test-pandas3 lint bench plugin clean

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

# The host has pandas 2, as DSS has; a code environment may bring pandas 3, which lies in a folder of its own here.
test-pandas3: install
	test -d $(PANDAS3) || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(PANDAS3) 'pandas>=3,<4'
	EXPECTED_PANDAS=3 PYTHONPATH=$(CURDIR)/$(PANDAS3) $(BIN)/python -m pytest -n 2 -m "not slow and not keras" $(PANDAS3_TESTS)

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
