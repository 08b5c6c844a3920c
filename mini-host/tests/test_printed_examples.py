"""The command line that `minihost show` prints runs as it is printed, once its inputs are there."""

import json
import shlex
from pathlib import Path

import pytest
from component_plugins import role, write_components

from minihost.cli import main
from minihost.plugins import description, discovery

WRITE = """
import dataiku
from dataiku.customrecipe import *
for name in get_output_names_for_role("out"):
    dataiku.Dataset(name).write_with_schema(dataiku.Dataset(get_input_names_for_role("rows")[0]).get_dataframe())
for name in get_output_names_for_role("model"):
    dataiku.Folder(name).upload_data("x", b"x")
"""
ACT = """
import dataiku
from dataiku.runnables import Runnable
class Act(Runnable):
    def run(self, progress_callback):
        dataiku.Folder(self.config["target"]).upload_data("x", b"x")
"""
SET = [
    {"name": "engine", "type": "SELECT", "mandatory": True, "selectChoices": [{"value": "a", "label": "A"}]},
    {"name": "other", "type": "STRING"},
]


def needed(name, kind, **more):
    return {"name": name, "type": kind, "mandatory": True, **more}


PARAMS = [
    {"name": "section", "type": "SEPARATOR", "label": "Section"},
    {"name": "optional", "type": "INT"},
    needed("default", "INT", defaultValue=5),
    needed("hidden", "INT", visibilityCondition="model.mode == 'b'"),
    needed("shown", "STRING", visibilityCondition="model.mode == 'a'"),
    needed("mode", "SELECT", selectChoices=[{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]),
    needed("column", "COLUMN", columnRole="labels"),
    needed("columns", "COLUMNS", columnRole="rows"),
    needed("few", "INT", minI=5, maxI=7),
    needed("below", "DOUBLE", maxD=0.5),
    needed("above", "INT", minI=1.5),
    needed("day", "DATE"),
    needed("map", "MAP"),
    needed("pairs", "KEY_VALUE_LIST"),
    needed("words", "STRINGS"),
    needed("numbers", "DOUBLES"),
    needed("several", "MULTISELECT", selectChoices=[{"value": 1, "label": "one"}]),
    needed("preset", "PRESET", parameterSetId="compute"),
    needed("rows", "OBJECT_LIST", subParams=[needed("size", "INT", minI=2), {"name": "x", "type": "INT"}]),
]


@pytest.fixture
def plugin(tmp_path):
    roles = {
        "inputRoles": [
            role("pictures", folder=True),
            role("rows", many=True),
            role("labels", required=False),
            role("unused", required=False),
        ],
        "outputRoles": [role("out"), role("model", folder=True), role("aside", required=False)],
    }
    macro = {"params": [{"name": "target", "type": "MANAGED_FOLDER"}], "macroRoles": [{"targetParamsKey": "target"}]}
    return write_components(
        tmp_path / "plugin",
        {"needs-much": ({**roles, "params": PARAMS}, WRITE), "bare": (roles, WRITE)},
        {"act": (macro, ACT), "made": ({**macro, "minihost": {"example": "minihost run made -p target=a/b"}}, ACT)},
        {"parameter-sets/compute/parameter-set.json": json.dumps({"params": SET})},
    )


@pytest.mark.parametrize("name", ["needs-much", "bare", "act", "made"])
def test_it_runs(plugin, name, tmp_path, monkeypatch, capfd):
    (tmp_path / "work" / "pictures").mkdir(parents=True)
    (tmp_path / "work" / "rows.csv").write_text("COLUMNS,x\n1,2\n")
    (tmp_path / "work" / "labels.csv").write_text("COLUMN,x\n1,2\n")
    monkeypatch.chdir(tmp_path / "work")
    assert main(["show", name, "--plugin", str(plugin)]) == 0
    printed = capfd.readouterr().out.splitlines()[-1]
    assert main(shlex.split(printed)[1:]) == 0
    shown = capfd.readouterr()
    assert "warning" not in shown.err
    made = ["out.csv", "model/x"] if name in ("needs-much", "bare") else ["target/x" if name == "act" else "a/b/x"]
    assert all(Path(path).exists() for path in made)


def test_what_it_fills(plugin):
    found = discovery.load(plugin)
    (component,) = [one for one in found.components if one.id == "needs-much"]
    words = shlex.split(description.example(component, found.parameter_sets))
    assert words[3:11] == [
        "-i",
        "pictures=pictures",
        "-i",
        "rows=rows.csv",
        "-i",
        "labels=labels.csv",
        "-o",
        "out=out.csv",
    ]
    assert [word.split("=")[0] for word in words[words.index("-p") + 1 :: 2]] == [
        "mode", "shown", "column", "columns", "few", "below", "above", "day", "map", "pairs", "words", "numbers",
        "several", "preset", "rows",
    ]  # fmt: skip
    for word in ("few=5", "below=0.5", "above=2", 'preset={"engine": "a"}', 'rows=[{"size": 2}]', "mode=a"):
        assert word in words
