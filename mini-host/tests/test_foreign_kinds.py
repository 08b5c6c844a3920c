"""Components that only DSS runs have their names in lists, and one sentence where somebody wants to run them."""

import json

import pytest
from plugin_folders import META, RECIPE, write, write_plugin

from minihost.cli import main
from minihost.plugins import checking, discovery
from minihost.plugins.foreign_kinds import KINDS


@pytest.fixture
def plugin(tmp_path):
    root = write_plugin(tmp_path / "p", recipes=["copy", ("sort", {**RECIPE, "kind": "R"})])
    params = [{"name": "limit", "type": "INT", "label": "Limit"}]
    write(root / "python-agent-tools/weather/tool.json", {"meta": {"label": "Weather"}, "params": params})
    write(root / "jython-processors/clean/processor.json", {"meta": {"label": "Clean"}})
    write(root / "python-things/new/thing.json", {"meta": {}})
    write(root / "python-fixtures/new/data.json", {"a": 1})
    write(root / "java-formats/broken/jformat.json", "{ not json")
    write(root / "python-lib/module/data.json", {})
    (root / "custom-recipes/sort/recipe.py").unlink()
    return root


def run(capsys, *arguments):
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_they_are_read_with_what_their_descriptors_say(plugin):
    found = discovery.load(plugin).foreign
    assert [(one.kind, one.id, one.label) for one in found] == [
        ("Java file format", "broken", "broken"),
        ("Jython preparation processor", "clean", "Clean"),
        ("agent tool", "weather", "Weather"),
        ("component of python-things/", "new", "new"),
    ]


@pytest.mark.parametrize("folder", KINDS)
def test_every_kind_has_a_name(tmp_path, folder):
    place = "webapp/it" if folder == "web-app-templates" else "it"
    root = write_plugin(tmp_path, recipes=["r"])
    write(root / folder / place / "descriptor.json", {"meta": META})
    (found,) = discovery.load(root).foreign
    assert (found.id, found.kind) == ("it", KINDS[folder])


def test_list_names_them(plugin, capsys):
    _code, out, _err = run(capsys, "list", "--plugin", str(plugin))
    lines = [line for line in out.splitlines() if line.endswith("(only DSS runs it)")]
    assert [line.split("  ")[1].strip() for line in lines] == [
        "R recipe", "Java file format", "Jython preparation processor clean", "agent tool", "component of python-things/",
    ]  # fmt: skip
    _code, out, _err = run(capsys, "list", "--plugin", str(plugin), "--json")
    runs = {fact["component"]: fact["runs_here"] for fact in json.loads(out)}
    assert runs["sample/copy"] is True
    assert runs["sample/sort"] is False
    assert runs["sample/weather"] is False


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("sort", "is an R recipe"),
        ("weather", "is an agent tool"),
        ("sample/clean", "is a Jython preparation processor"),
    ],
)
def test_run_says_in_one_sentence_that_only_dss_runs_them(plugin, capsys, name, what):
    code, _out, err = run(capsys, "run", "--plugin", str(plugin), name)
    assert code == 2
    assert len(err.splitlines()) == 1
    assert f"{what}, which the mini-host does not run" in err
    code, out, _err = run(capsys, "show", "--plugin", str(plugin), name)
    assert code == 0
    assert f"{what}, which" in " ".join(out.split())
    assert "Example" not in out


def test_show_lists_their_parameters(plugin, capsys):
    _code, out, _err = run(capsys, "show", "--plugin", str(plugin), "weather")
    assert "  limit  INT  Limit" in out
    _code, out, _err = run(capsys, "show", "--plugin", str(plugin), "weather", "--json")
    assert json.loads(out)["only_dss"].startswith("sample/weather is an agent tool")


def test_a_component_of_the_same_name_that_runs_comes_first(tmp_path, capsys):
    root = write_plugin(tmp_path, recipes=["same"])
    write(root / "python-connectors/same/connector.json", {"meta": META})
    code, out, _err = run(capsys, "show", "--plugin", str(root), "sample/same")
    assert code == 0
    assert out.startswith("sample/same  recipe")


def test_they_are_notes_and_no_mistakes_of_the_plugin(plugin, capsys):
    found = checking.check(discovery.load(plugin))
    assert {finding.level for finding in found} == {"note"}
    assert [finding.text.partition(", which")[0] for finding in found] == [
        "Java file format broken: only DSS runs it",
        "Jython preparation processor clean: only DSS runs it", "agent tool weather: only DSS runs it",
        "component of python-things/ new: only DSS runs it", "sample/sort is an R recipe",
    ]  # fmt: skip
    code, out, _err = run(capsys, "check", "--strict", str(plugin))
    assert code == 0
    assert out.splitlines()[-1] == "sample 1.0.0: 2 components, 0 errors, 0 warnings, 5 notes"
