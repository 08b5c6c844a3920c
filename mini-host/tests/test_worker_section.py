"""The section `minihost.workers` of recipes: what it may say, and what `minihost check` says of mistakes in it."""

import pytest
from component_plugins import role
from plugin_folders import RECIPE, write_plugin

from minihost.plugins import checking, discovery, worker_section

SHARD = [{"name": name, "type": "INT", "label": name, "description": "x"} for name in ("shard", "shards")]
SCORE = {
    **RECIPE,
    "inputRoles": [role("pictures", folder=True)],
    "outputRoles": [role("scores"), role("kept", folder=True, required=False, minihost={"cache": True})],
    "params": SHARD,
}
MERGE = {
    **RECIPE,
    "inputRoles": [role("pictures", folder=True), role("tables", many=True)],
    "outputRoles": [role("whole")],
}
MERGED = {"folder": "pictures", "merge": "merge", "parts": {"scores": {"parts": "tables", "merged": "whole"}}}
CACHED = {"folder": "pictures", "cache": "kept"}


def findings(tmp_path, section, **more):
    recipes = [("score", {**SCORE, "minihost": {"workers": section}, **more}), ("merge", MERGE)]
    return [finding.text for finding in checking.check(discovery.load(write_plugin(tmp_path, recipes=recipes)))]


@pytest.mark.parametrize("section", [MERGED, CACHED])
def test_what_it_says(tmp_path, section):
    assert findings(tmp_path, section) == []
    read = worker_section.read(discovery.load(tmp_path).components[1])
    assert (read.folder, read.cache or read.parts["scores"].merged) == ("pictures", section.get("cache", "whole"))


SHAPE = "minihost > workers: a recipe has `folder`, and either `merge` with `parts`, or `cache`"


@pytest.mark.parametrize(
    ("section", "reported"),
    [
        ([], SHAPE),
        ({}, SHAPE),
        ({"folder": "pictures"}, SHAPE),
        ({**MERGED, **CACHED}, SHAPE),
        ({**MERGED, "parts": {}}, SHAPE),
        ({**MERGED, "parts": {"scores": "tables"}}, SHAPE),
        ({**CACHED, "cache": 3}, SHAPE),
        (
            {**CACHED, "folder": "picture"},
            "minihost > workers > folder: there is no input role 'picture'. Did you mean 'pictures'?",
        ),
        ({**CACHED, "cache": "scores"}, "minihost > workers > cache: the role 'scores' is no cache"),
        (
            {**MERGED, "merge": "merg"},
            "minihost > workers > merge: there is no recipe 'merg' in this plugin. Did you mean 'merge'?",
        ),
        (
            {**MERGED, "parts": {"scores": {"parts": "pictures", "merged": "whole"}}},
            "minihost > workers > parts > scores: merge: the role 'pictures' takes one thing, not several",
        ),
    ],
)
def test_mistakes(tmp_path, section, reported):
    assert findings(tmp_path, section) == [reported]


def test_parameters_that_are_missing(tmp_path):
    assert findings(tmp_path, CACHED, params=SHARD[:1]) == ["minihost > workers: the parameter 'shards' is missing"]
