"""Cache folders of a flow: shared by steps, no dependency, and never a reason to run anything."""

import pytest
from component_plugins import opened, role, write_components

from minihost.runs.running import Options

COPY_WITH_CACHE = """
import dataiku
from dataiku.customrecipe import *
for name in get_output_names_for_role("kept"):
    dataiku.Folder(name).upload_data(get_recipe_config()["entry"], b"x")
source, target = (
    dataiku.Dataset(name) for name in (get_input_names_for_role("in")[0], get_output_names_for_role("out")[0])
)
target.write_with_schema(source.get_dataframe())
"""
FLOW = """
plugins: [plugin]
folders: {cache: cache}
steps:
  - {name: one, recipe: copy, inputs: {in: rows.csv}, outputs: {out: b, kept: cache}, params: {entry: one}}
  - {name: two, recipe: copy, inputs: {in: rows.csv}, outputs: {out: c, kept: cache}, params: {entry: two}}
"""


@pytest.fixture
def place(tmp_path):
    kept = role("kept", folder=True, required=False, minihost={"cache": True})
    recipe = {
        "inputRoles": [role("in")],
        "outputRoles": [role("out"), kept],
        "params": [{"name": "entry", "type": "STRING"}],
    }
    write_components(tmp_path / "plugin", {"copy": (recipe, COPY_WITH_CACHE)})
    (tmp_path / "rows.csv").write_text("a\n1\n")
    (tmp_path / "flow.yaml").write_text(FLOW)
    return tmp_path


def build(place):
    return opened(place).run([], Options(quiet=True), force=False, report=lambda _line: None)


def states(place):
    return [state.state for state in opened(place).states()]


def test_steps_share_a_cache_that_makes_nothing_stale(place):
    assert states(place) == ["missing", "missing"]
    assert build(place) == 2
    assert sorted(path.name for path in (place / "cache").iterdir()) == ["one", "two"]
    assert [state.step.makes for state in opened(place).states()] == [("b",), ("c",)]
    (place / "cache" / "two").write_text("changed")
    assert build(place) == 0
    for path in (place / "cache").iterdir():
        path.unlink()
    (place / "cache").rmdir()
    assert states(place) == ["up to date", "up to date"]


def test_another_cache_or_none_changes_no_result(place):
    build(place)
    (place / "flow.yaml").write_text(FLOW.replace("{out: b, kept: cache}", "{out: b}").replace("cache: cache", "x: y"))
    assert states(place) == ["up to date", "up to date"]
    assert build(place) == 0
