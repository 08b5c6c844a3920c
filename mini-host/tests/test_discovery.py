import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from checkout import ROOT
from plugin_folders import MACRO, RECIPE, write, write_plugin, zip_folder

from minihost.cli.options import find_plugins
from minihost.errors import HostError, JobError
from minihost.plugins import Search, discovery
from minihost.plugins.manifests import NotAPlugin, read_plugin


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("MINIHOST_HOME", str(folder))
    return folder


def find(*places):
    return discovery.find(Search(places, only_places=True))


def test_a_plugin_folder_is_read(tmp_path):
    root = write_plugin(tmp_path / "p", recipes=["copy"], macros=["greet"], sets={"cloud": []})
    plugin = discovery.load(root)
    assert (plugin.id, plugin.version, plugin.root) == ("sample", "1.0.0", root)
    assert [(component.full_id, component.kind) for component in plugin.components] == [
        ("sample/copy", "recipe"),
        ("sample/greet", "macro"),
    ]
    assert list(plugin.parameter_sets) == ["cloud"]
    assert plugin.problems == ()
    recipe = plugin.components[0]
    assert recipe.label == "Copy rows"
    assert recipe.runner == root / "custom-recipes" / "copy" / "recipe.py"


def test_roles_have_the_documented_defaults(tmp_path):
    roles = [
        {"name": "Input Dataset"},
        {"name": "f", "arity": "NARY", "required": True, "acceptsManagedFolder": True},
        3,
        {},
    ]
    root = write_plugin(tmp_path, recipes=[("r", {"inputRoles": roles})])
    plain, many = discovery.load(root).components[0].inputs
    assert (plain.required, plain.many, plain.accepts_dataset, plain.accepts_folder) == (False, False, True, False)
    assert (many.required, many.many, many.accepts_dataset, many.accepts_folder) == (True, True, True, True)


def test_admin_parameters_of_macros_are_parameters(tmp_path):
    macro = {**MACRO, "params": [{"name": "a", "type": "INT"}], "adminParams": [{"name": "b", "type": "INT"}]}
    root = write_plugin(tmp_path, macros=[("m", macro)])
    assert [param["name"] for param in discovery.load(root).components[0].params] == ["a", "b"]


def test_what_is_wrong_inside_is_a_problem_and_the_rest_is_there(tmp_path):
    root = write_plugin(tmp_path, recipes=["good", ("odd", "// comment\n{'kind': 'PYTHON', 'meta': 3, 'params': 4,}")])
    write(root / "custom-recipes/broken/recipe.json", "{")
    write(root / "custom-recipes/.hidden thing/recipe.json", "{}")
    plugin = discovery.load(root)
    assert [component.id for component in plugin.components] == ["good", "odd"]
    assert plugin.components[1].label == "odd"
    assert len(plugin.problems) == 3
    assert any("broken" in problem for problem in plugin.problems)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"id": 3}', '{"id": "../x"}', '{"id": ""}', '{"id": "a/b"}', '{"id": "' + "x" * 65 + '"}'],
)
def test_what_is_no_plugin(tmp_path, content):
    write(tmp_path / "plugin.json", content)
    with pytest.raises(NotAPlugin):
        read_plugin(tmp_path)


def test_named_places_must_be_plugins(tmp_path):
    with pytest.raises(HostError, match="no such folder"):
        find(tmp_path / "nothing")
    with pytest.raises(HostError, match="not a plugin"):
        find(tmp_path)
    write(tmp_path / "x.zip", "no zip")
    with pytest.raises(HostError, match="refused"):
        find(tmp_path / "x.zip")


def test_a_zip_is_a_plugin(tmp_path, home):
    path = zip_folder(write_plugin(tmp_path / "p", recipes=["copy"]), tmp_path / "p.zip")
    for _ in range(2):
        plugin = discovery.load(path)
        assert [component.id for component in plugin.components] == ["copy"]
        assert plugin.root.parent == home / "cache" / "zips"


def test_a_current_folder_that_is_no_plugin_is_a_warning(tmp_path, home, monkeypatch):
    write(tmp_path / "plugin.json", '{"name": "of another program"}')
    monkeypatch.chdir(tmp_path)
    (problem,) = [problem for problem in discovery.find(Search()).problems if str(tmp_path / "plugin.json") in problem]
    assert "has no 'id'" in problem


def test_order_of_places(tmp_path, home, monkeypatch):
    named = write_plugin(tmp_path / "named", "one", "1.0.0")
    write_plugin(home / "plugins" / "one", "one", "2.0.0")
    write_plugin(home / "plugins" / "two", "two", "2.0.0")
    share = tmp_path / "prefix"
    write_plugin(share / "share/minihost/plugins/two", "two", "3.0.0")
    write_plugin(share / "share/minihost/plugins/three", "three", "3.0.0")
    write(home / "plugins" / "broken" / "plugin.json", "{")
    here = write_plugin(tmp_path / "here", "two", "2.5.0")
    monkeypatch.chdir(here)
    monkeypatch.setattr(sysconfig, "get_path", lambda *_: str(share))
    monkeypatch.setattr(discovery, "checkout_plugin", lambda: iter(()))
    catalogue = discovery.find(Search((named,)))
    assert {plugin.id: plugin.version for plugin in catalogue.plugins} == {
        "one": "1.0.0",
        "two": "2.5.0",
        "three": "3.0.0",
    }
    assert len(catalogue.problems) == 1


@pytest.mark.skipif(not Path(discovery.__file__).is_relative_to(ROOT), reason="the host does not run from the checkout")
def test_the_checkout_brings_its_own_plugin():
    catalogue = discovery.find()
    assert catalogue.plugin("vision-recipes").root == ROOT
    assert catalogue.component("vision-classify").full_id == "vision-recipes/vision-classify"


def test_plugins_of_the_flow(tmp_path):
    write_plugin(tmp_path / "own", "own", recipes=["mine"])
    write(tmp_path / "flow.yaml", "plugins: [own]\n")
    catalogue = find_plugins((), tmp_path)
    assert catalogue.component("own/mine").id == "mine"


def test_components_are_found_by_short_and_full_name(tmp_path):
    catalogue = find(
        write_plugin(tmp_path / "a", "a", recipes=["both", "only-a"]),
        write_plugin(tmp_path / "b", "b", macros=["both"]),
    )
    assert catalogue.component("only-a").full_id == "a/only-a"
    assert catalogue.component("b/both").kind == "macro"
    assert catalogue.component("both", ("recipe",)).full_id == "a/both"
    with pytest.raises(JobError, match=r"2 components: a/both \(recipe\), b/both \(macro\)"):
        catalogue.component("both")
    with pytest.raises(JobError, match="Did you mean 'only-a'"):
        catalogue.component("onlya")
    with pytest.raises(JobError, match="Did you mean 'a/only-a'"):
        catalogue.component("a/onlya")
    with pytest.raises(JobError, match="'only-a' is a recipe, not a macro. Write `recipe: only-a`"):
        catalogue.component("only-a", ("macro",))
    with pytest.raises(JobError, match="Known: a, b"):
        catalogue.plugin("zzz")


def test_a_component_of_another_kind_is_named_with_the_command_that_starts_it(tmp_path):
    plugin = write_plugin(tmp_path / "a", "a", macros=["m"])
    write(plugin / "webapps" / "w" / "webapp.json", {"baseType": "STANDARD"})
    catalogue = find(plugin)
    with pytest.raises(JobError, match="'w' is a web app, not a recipe or macro. Start it by: minihost webapp w"):
        catalogue.component("w", ("recipe", "macro"))
    with pytest.raises(JobError, match="'m' is a macro, not a web app. Start it by: minihost run m"):
        catalogue.component("m", ("webapp",))


def test_a_component_that_cannot_be_read_says_why(tmp_path):
    plugin = write_plugin(tmp_path / "a", "a", recipes=["bad"])
    write(plugin / "custom-recipes" / "bad" / "recipe.json", '{"kind": PYTHON}')
    for name in ("bad", "a/bad"):
        with pytest.raises(
            JobError, match="of a cannot be read: custom-recipes/bad/recipe.json: line 1: 'PYTHON' is not"
        ):
            find(plugin).component(name)


def test_without_any_plugin_it_says_where_one_is_looked_for():
    with pytest.raises(JobError, match="No plugin was found: go to the folder of one"):
        discovery.Catalogue(()).component("x")


def test_listing_is_light(tmp_path):
    """What takes long to import waits until something is run."""
    for number in range(20):
        write_plugin(tmp_path / f"p{number}", f"p{number}", recipes=[("r", "// lenient\n" + json.dumps(RECIPE))])
    heavy = [
        "pandas",
        "numpy",
        "rich",
        "jsonschema",
        "yaml",
        "pyarrow",
        "tensorflow",
        "keras",
        "vision_recipes",
        "dataiku",
    ]
    places = [argument for number in range(20) for argument in ("--plugin", str(tmp_path / f"p{number}"))]
    code = f"""
import sys
from minihost.cli import main
assert main(["list", *{places!r}]) == 0
print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip().endswith("[]")
    assert done.stdout.count("recipe ") >= 20
