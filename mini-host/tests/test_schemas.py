"""What `minihost schema` writes refuses what `minihost check` calls an error, and nothing else."""

import copy
import json

import pytest
import yaml
from checkout import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from plugin_folders import MACRO, META, RECIPE, write, write_plugin

from minihost.cli import main
from minihost.cli.schema import NAMES, schema
from minihost.errors import JobError
from minihost.parameters.declarations import KEYS, TYPES
from minihost.plugins import checking, description, discovery
from minihost.plugins.descriptor_schemas import SCHEMAS
from minihost.plugins.manifests import NotAPlugin
from minihost.plugins.schema_checks import check_schema
from minihost.projects import flow
from minihost.projects.flow_schema import DESCRIPTIONS
from minihost.rules import ERROR, RULES

QUICKLY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
GOOD = {
    "plugin.json": {"id": "sample", "version": "1.0.0", "meta": META, "params": [{"name": "a", "type": "STRING"}]},
    "recipe.json": {
        **RECIPE,
        "params": [
            {"name": "a", "type": "SELECT", "selectChoices": [{"value": "x", "label": "X"}]},
            {"name": "rows", "type": "OBJECT_LIST", "subParams": [{"name": "b", "type": "INT", "minI": 1}]},
            {"type": "SEPARATOR", "label": "Section"},
            {"name": "c", "type": "COLUMN", "columnRole": "input_dataset", "visibilityCondition": "model.a == 'x'"},
            {"name": "d", "type": "MULTISELECT", "getChoicesFromPython": True, "defaultValue": ["x"]},
            {"name": "p", "type": "PRESET", "parameterSetId": "s"},
        ],
        "paramsPythonSetup": "menu.py",
        "selectableFromDataset": "input_dataset",
        "minihost": {"example": "minihost run r", "next": [], "page": "x"},
    },
    "runnable.json": {
        **MACRO,
        "macroRoles": [{"type": "DATASET", "targetParamsKey": "a"}],
        "adminParams": [{"name": "a", "type": "BOOLEAN", "mandatory": False}],
    },
    "webapp.json": {"meta": META, "baseType": "STANDARD", "hasBackend": "true", "chart": {"leftBarParams": []}},
    "parameter-set.json": {"meta": META, "params": [{"name": "a", "type": "PASSWORD"}], "pluginParams": []},
}
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 3), st.sampled_from(["", "x", "__x", "UNARY", "SELECT", "ONE", "PYTHON"]),
    st.just([]), st.just([3]), st.just([[]]), st.just({"a": [1]}), st.just({}), st.just([{}]), st.just([{"type": "INT"}]), st.just([{"name": "n"}]),
)  # fmt: skip


def places(value, path=()):
    """Every place in a descriptor: the path to each key and item."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def at(value, path):
    for part in path:
        value = value[part]
    return value


@st.composite
def descriptors(draw):
    """A good descriptor in which some places hold something else, or nothing."""
    name = draw(st.sampled_from(sorted(GOOD)))
    found = copy.deepcopy(GOOD[name])
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(sorted(places(found), key=str)))
        if draw(st.booleans()) and isinstance(path[-1], str):
            del at(found, path[:-1])[path[-1]]
        else:
            at(found, path[:-1])[path[-1]] = copy.deepcopy(draw(JUNK))
        if not list(places(found)):
            break
    return name, found


@given(descriptors())
@QUICKLY
def test_the_schema_refuses_exactly_what_check_calls_an_error(drawn):
    name, descriptor = drawn
    refused = not Draft202012Validator(schema(name)).is_valid(descriptor)
    levels = {finding.level for finding in check_schema("here", name, descriptor)}
    assert refused == (ERROR in levels)


@given(descriptors())
@QUICKLY
def test_check_says_something_of_whatever_the_whole_schema_refuses(drawn):
    name, descriptor = drawn
    found = [finding for finding in check_schema("here", name, descriptor) if finding.rule != "key-misspelt"]
    assert bool(found) == (not Draft202012Validator(SCHEMAS[name]).is_valid(descriptor))
    assert all(finding.rule in RULES and finding.text.strip() for finding in found)


@pytest.mark.parametrize("name", GOOD)
def test_good_descriptors_have_no_findings(name):
    assert list(check_schema("here", name, GOOD[name])) == []


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_schemas_and_say_what_they_are_for(name):
    found = schema(name)
    Draft202012Validator.check_schema(found)
    assert found["$schema"].endswith("2020-12/schema")
    assert found["title"] == name
    assert "x-rule" not in json.dumps(found)
    assert all("title" in part or "description" in part for part in found["properties"].values())


def test_editors_are_offered_the_types_that_the_host_knows():
    kinds = schema("recipe.json")["$defs"]["parameter"]["properties"]["type"]["anyOf"][0]
    assert kinds["enum"] == list(TYPES)
    assert len(kinds["enumDescriptions"]) == len(TYPES)
    assert schema("recipe.json")["$defs"]["parameter"]["properties"]["required"]["deprecated"] is True
    assert set(KEYS) < set(schema("recipe.json")["$defs"]["parameter"]["properties"])


@pytest.mark.parametrize("change", [{"inputRoles": [{"name": "a", "arity": "ONE"}]}, {"params": [{"type": "INT"}]}])
def test_what_editors_mark_says_how_to_mend_it(change):
    (error,) = Draft202012Validator(schema("recipe.json")).iter_errors({**RECIPE, **change})
    assert error.schema["errorMessage"] in {rule.fix for rule in RULES.values()}


def test_descriptors_of_our_own_plugin_are_valid():
    for name in GOOD:
        found = [path for path in ROOT.rglob(name) if ".venv" not in path.parts and "build" not in path.parts]
        assert found
        for path in found:
            Draft202012Validator(schema(name)).validate(json.loads(path.read_text(encoding="utf-8")))


def test_a_whole_plugin_without_errors_is_valid(tmp_path):
    root = write_plugin(tmp_path, recipes=["r"], macros=["m"], sets={"cloud": [{"name": "key", "type": "PASSWORD"}]})
    assert checking.check(discovery.load(root)) == []
    for path in root.rglob("*.json"):
        Draft202012Validator(schema(path.name)).validate(json.loads(path.read_text()))


PLACES = {
    "plugin.json": "plugin.json",
    "recipe.json": "custom-recipes/r/recipe.json",
    "runnable.json": "python-runnables/m/runnable.json",
    "webapp.json": "webapps/w/webapp.json",
    "parameter-set.json": "parameter-sets/s/parameter-set.json",
}


@given(drawn=descriptors())
@QUICKLY
def test_whatever_a_descriptor_holds_check_list_and_show_answer(drawn, tmp_path_factory):
    name, descriptor = drawn
    root = write_plugin(tmp_path_factory.mktemp("p"), recipes=["r"], macros=["m"], sets={"s": []})
    write(root / PLACES[name], descriptor)
    try:
        plugin = discovery.load(root)
    except NotAPlugin:
        assert name == "plugin.json"
        return
    found = checking.check(plugin)
    refused = not Draft202012Validator(schema(name)).is_valid(descriptor)
    assert not refused or any(finding.level == ERROR for finding in found)
    assert all(description.describe(component, plugin) for component in plugin.components)


# flow.yaml

FLOW = {
    "project": "PROJ",
    "plugins": ["../p"],
    "folders": {"photos": "photos", "model": {"path": "m", "in_place": True}},
    "datasets": {"rows": {"path": "rows.csv", "separator": ";"}, "made": None},
    "variables": {"a": 1},
    "steps": [
        {"recipe": "r", "inputs": {"in": "rows"}, "outputs": {"out": ["made"]}, "params": {"n": 1}},
        {"macro": "m", "creates": "model"},
    ],
}
YAML_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from(["", "x", "a b"]),
    st.just([]),
    st.just({}),
    st.just(["x"]),
)
NEW_KEYS = st.sampled_from(["recipe", "macro", "inputs", "creates", "nope", "path"])


@st.composite
def flows(draw):
    found = copy.deepcopy(FLOW)
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(sorted(places(found), key=str)))
        owner = at(found, path[:-1])
        what = draw(st.integers(0, 2))
        if what == 0 and isinstance(owner, dict):
            del owner[path[-1]]
        elif what == 1 and isinstance(owner, dict):
            owner[draw(NEW_KEYS)] = copy.deepcopy(draw(YAML_JUNK))
        else:
            owner[path[-1]] = copy.deepcopy(draw(YAML_JUNK))
        if not list(places(found)):
            break
    return found


@given(drawn=flows())
@QUICKLY
def test_the_schema_of_a_flow_refuses_what_the_host_refuses(drawn, tmp_path_factory):
    path = write(tmp_path_factory.mktemp("flow") / "flow.yaml", yaml.safe_dump(drawn))
    try:
        flow.read(path)
        refused = False
    except JobError as err:
        refused = any("as a folder and as a dataset" not in mistake for mistake in err.mistakes)
    assert refused == (not Draft202012Validator(schema("flow.yaml")).is_valid(drawn))


def test_every_key_of_a_flow_is_described():
    def keys(node, path=""):
        for name, part in node.get("properties", {}).items():
            yield f"{path}{name}"
            inner = part.get("additionalProperties")
            yield from keys(inner, f"{path}{name}.*.") if isinstance(inner, dict) else ()
            yield from keys(part.get("items", {}), f"{path}{name}.[].") if "items" in part else ()

    found = {name for name in keys(flow.SCHEMA) if ".partitioning." not in name}
    assert found == set(DESCRIPTIONS), "projects/flow_schema.py describes each key of a flow for editors"


# the command


def test_the_command_writes_one_or_all(tmp_path, capsys):
    assert main(["schema", "recipe.json"]) == 0
    assert json.loads(capsys.readouterr().out) == schema("recipe.json")
    assert main(["schema", "-o", str(tmp_path / "new" / "schemas")]) == 0
    written = sorted(path.name for path in (tmp_path / "new" / "schemas").iterdir())
    assert written == sorted(f"{name.rpartition('.')[0]}.schema.json" for name in NAMES)
    assert len(capsys.readouterr().out.splitlines()) == len(NAMES)
    assert main(["schema", "flow.yaml", "-o", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "flow.schema.json").read_text())["title"] == "flow.yaml"


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    assert main(["schema"]) == 2
    assert "all of them with -o DIR" in capsys.readouterr().err
    assert main(["schema", "recipes.json"]) == 2
    write(tmp_path / "file", "")
    assert main(["schema", "-o", str(tmp_path / "file" / "inside")]) == 2
    assert "could not be written" in capsys.readouterr().err
