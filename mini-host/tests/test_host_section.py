"""The section `minihost` of descriptors: what it may say, and what `minihost check` says of mistakes in it."""

import pytest
from component_plugins import role
from plugin_folders import MACRO, RECIPE, write_plugin

from minihost.plugins import checking, discovery, host_section

ROLES = {
    "inputRoles": [role("pictures", folder=True)],
    "outputRoles": [role("model", folder=True), role("kept", folder=True, required=False, minihost={"cache": True})],
    "params": [{"name": "size", "type": "INT"}, {"name": "advanced", "type": "SEPARATOR"}],
}
GOOD = {
    "example": "minihost run train -i pictures=photos -o model=models/mine -p size=3",
    "next": [
        "minihost run use -i input_dataset={model} -o output_dataset=labels.csv",
        "minihost status",
        "minihost run other/component -i x=y",
    ],
    "page": "{model}/report/index.html",
}


def plugin(tmp_path, **more):
    return discovery.load(write_plugin(tmp_path, recipes=[("train", {**RECIPE, **ROLES, **more}), "use"]))


def findings(tmp_path, **more):
    return [finding.text for finding in checking.check(plugin(tmp_path, **more))]


def test_what_it_says(tmp_path):
    found = plugin(tmp_path, minihost=GOOD)
    section = host_section.read(found.components[0])
    assert (section.example, section.next, section.page) == (GOOD["example"], tuple(GOOD["next"]), GOOD["page"])
    assert host_section.read(found.components[1]) == host_section.HostSection()
    assert [one.is_cache for one in found.components[0].outputs] == [False, True]
    assert checking.check(found) == []


def test_names_are_filled_where_they_have_a_value():
    assert host_section.filled("run {a} {b c}", {"a": "x", "b c": "{a}"}) == "run x {a}"
    assert host_section.filled("run {a} {b}", {"a": "x"}) is None
    assert host_section.filled('-p x={"a": 1} {}', {}) == '-p x={"a": 1} {}'


@pytest.mark.parametrize(
    ("section", "reported"),
    [
        ([], "'minihost' is no object with example, next, page, workers"),
        ({"nxt": []}, "minihost has no 'nxt'. Did you mean 'next'? Known: example, next, page, workers"),
        ({"next": "minihost list"}, "minihost > next: a list of texts is expected"),
        ({"next": [3]}, "minihost > next: a list of texts is expected"),
        ({"page": 3}, "minihost > page: a text is expected"),
        ({"page": "{modle}/index.html"}, "minihost: {modle} is no role and no parameter. Did you mean 'model'?"),
        ({"page": "{advanced}/index.html"}, "minihost: {advanced} is no role and no parameter."),
        ({"next": ["rm -r {model}"]}, "minihost > next: 'rm -r {model}' is no command of minihost"),
        ({"next": ["minihost run 'use"]}, 'minihost > next: "minihost run \'use" is no command of minihost'),
        ({"next": ["minihost run us"]}, "minihost > next: there is no component 'us' in this plugin."),
        (
            {"next": ["minihost run use -i input_dataste=a.csv"]},
            "minihost > next: use has no input role 'input_dataste'. Did you mean 'input_dataset'?",
        ),
        (
            {"next": ["minihost run use -q"]},
            "minihost > next: -q : only -i ROLE=REF, -o ROLE=REF and -p NAME=VALUE are expected",
        ),
        (
            {"example": "minihost run use -i pictures=p -o model=m"},
            "minihost > example: it must begin with `minihost run train`",
        ),
        ({"example": "minihost run train -o model=m"}, "minihost > example: the role 'pictures' is empty"),
        (
            {"example": "minihost run train -i pictures=p -o model=m -p advanced=1"},
            "minihost > example: train has no parameter 'advanced'.",
        ),
    ],
)
def test_what_is_wrong_with_it(tmp_path, section, reported):
    found = findings(tmp_path, minihost=section)
    assert any(text.startswith(reported) for text in found), found


@pytest.mark.parametrize("section", [{"cache": 1}, {"cach": True}, [], {}])
def test_what_is_wrong_with_that_of_a_role(tmp_path, section):
    roles = [role("model", folder=True, minihost=section)]
    assert findings(tmp_path, outputRoles=roles) == ["role 'model': minihost: {\"cache\": true} is expected"]


def test_only_folders_that_are_written_can_be_caches(tmp_path):
    caches = [role("pictures", folder=True, minihost={"cache": True})]
    wanted = "minihost: only an output role for folders can be a cache"
    assert findings(tmp_path / "a", inputRoles=caches) == [f"role 'pictures': {wanted}"]
    caches = [role("rows", minihost={"cache": True})]
    assert findings(tmp_path / "b", outputRoles=caches) == [f"role 'rows': {wanted}"]


def test_macros_have_parameters_for_roles(tmp_path):
    params = [{"name": "folder", "type": "MANAGED_FOLDER"}]
    macro = {**MACRO, "params": params, "minihost": {"next": ["minihost run act -p folder={folder}"]}}
    assert checking.check(discovery.load(write_plugin(tmp_path, macros=[("act", macro)]))) == []
