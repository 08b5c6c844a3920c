"""Unit tests of an author's python-lib, which imports `dataiku`: with replacements, and beside runs in the process."""

import subprocess
import sys

import pytest

from minihost.plugins import skeletons

LIBRARY = """
import dataiku
from dataiku.customrecipe import get_recipe_config


def first_column(name):
    return dataiku.Dataset(name).read_schema()[0]["name"]


def factor():
    return get_recipe_config()["first_number"]
"""
TESTS = """
import dataiku
import pytest
from minihost.errors import DataError
from words import library

ROLES = {"inputs": {"input_dataset": "people"}, "outputs": {"output_dataset": "out"}}


class Fake:
    def __init__(self, name):
        self.name = name

    def read_schema(self):
        return [{"name": self.name + "_id"}]


def test_with_a_replacement(monkeypatch):
    monkeypatch.setattr("dataiku.Dataset", Fake)
    assert library.first_column("people") == "people_id"


@pytest.mark.parametrize("in_process", [True, False])
def test_runs_beside(minihost_project, in_process):
    done = minihost_project(datasets={"people": {"name": ["Ada"]}}).run("words-number-rows", **ROLES, in_process=in_process)
    assert len(done.rows("out")) == 1


def test_with_a_replacement_after_a_run(monkeypatch):
    monkeypatch.setattr(dataiku, "Dataset", Fake)
    assert library.first_column("people") == "people_id"


def test_outside_a_run():
    with pytest.raises(DataError, match="No job runs in this process"):
        library.factor()
"""


@pytest.fixture
def plugin(tmp_path):
    skeletons.new_plugin("words", tmp_path)
    root = tmp_path / "words"
    (root / "python-lib" / "words" / "library.py").write_text(LIBRARY)
    (root / "tests" / "test_library.py").write_text(TESTS)
    return root


def printed_by(plugin):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_library.py"]
    return subprocess.run(command, cwd=plugin, capture_output=True, text=True).stdout


def test_python_lib_can_be_imported(plugin):
    assert "5 passed" in (printed := printed_by(plugin)), printed


def test_only_where_that_is_set(plugin):
    (plugin / "pytest.ini").write_text("[pytest]\npythonpath = python-lib\n")
    printed = printed_by(plugin)
    assert "No module named 'dataiku'" in printed
    assert "pythonpath = python-lib\nminihost_dataiku = true\n" in printed
