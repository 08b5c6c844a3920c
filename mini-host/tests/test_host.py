import importlib.metadata
import inspect
import re
import types
from pathlib import Path

import pluggy
import pytest
from checkout import ROOT
from plugin_folders import RECIPE, write, write_plugin

from minihost import hookspecs, host
from minihost.cli import main
from minihost.hookspecs import hookimpl
from minihost.job import Job, Reference
from minihost.plugins import Component, Search, discovery
from minihost.projects.planning import Request, plan
from minihost.workers.shards import Shard, Work

HOOKS = [name for name, _ in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("minihost_")]


@pytest.fixture
def third_party(monkeypatch, tmp_path):
    """Register an object as a host plugin from outside, as an entry point would."""
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / "home"))
    host.manager.cache_clear()
    points = []

    class Point:
        def __init__(self, plugin):
            self.name, self.value, self.dist, self.plugin = "outside", "outside:plugin", None, plugin

        def load(self):
            if isinstance(self.plugin, Exception):
                raise self.plugin
            return self.plugin

    monkeypatch.setattr(
        host, "entry_points", lambda group: [Point(plugin) for plugin in points] if group == "minihost" else []
    )
    yield points.append
    host.manager.cache_clear()


def plugin_of(**hooks):
    return types.SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


def test_minihost_find_plugins(third_party, tmp_path):
    place = write_plugin(tmp_path / "far", "far", recipes=["away"])
    third_party(plugin_of(minihost_find_plugins=lambda search: [place]))
    assert discovery.find().component("away").full_id == "far/away"


def test_minihost_find_components(third_party, tmp_path):
    def more(plugin):
        return [Component(plugin.id, "extra", "macro", plugin.root / "extra", {"meta": {"label": "Extra"}})]

    third_party(plugin_of(minihost_find_components=more))
    plugin = discovery.load(write_plugin(tmp_path, recipes=["own"]))
    assert [component.id for component in plugin.components] == ["own", "extra"]


def test_minihost_check_job(third_party, tmp_path):
    from minihost.errors import JobError
    from minihost.projects import project

    third_party(plugin_of(minihost_check_job=lambda job, component: [f"No {component.id} on Sundays."]))
    root = write_plugin(tmp_path / "p", recipes=[("r", {**RECIPE, "inputRoles": [], "outputRoles": []})])
    catalogue = discovery.find(Search((root,), only_places=True))
    with pytest.raises(JobError, match="No r on Sundays"):
        plan(Request("r"), catalogue, project.open(tmp_path))


def test_minihost_open_folder(third_party):
    third_party(
        plugin_of(minihost_open_folder=lambda reference: "opened" if reference.path.startswith("mem://") else None)
    )
    hooks = host.hooks()
    assert hooks.minihost_open_folder(reference=Reference("r", "MANAGED_FOLDER", "n", "P", "mem://x")) == "opened"
    assert hooks.minihost_open_folder(reference=Reference("r", "MANAGED_FOLDER", "n", "P", "other://x")) is None


def test_minihost_open_dataset(third_party, tmp_path):
    """A recipe reads and writes datasets that only a host plugin can open; a failed run changes nothing there."""
    from minihost.errors import ComponentFailed
    from minihost.projects import project
    from minihost.runs.running import Options, run

    store = {
        "sql://shop/sales": (
            [{"name": "code", "type": "string"}, {"name": "n", "type": "bigint"}],
            [["007", "1"], ["x", ""]],
        )
    }

    class Dataset:
        def __init__(self, url):
            self.url = url

        def columns(self):
            return store[self.url][0] if self.url in store else None

        def text_rows(self):
            return iter(store[self.url][1])

        def write(self, columns, rows):
            store[self.url] = (columns, list(rows))

    third_party(
        plugin_of(
            minihost_open_dataset=lambda reference: (
                Dataset(reference.path) if reference.path.startswith("sql:") else None
            )
        )
    )
    root = write_plugin(tmp_path / "p", recipes=["copy"])
    runner = write(
        root / "custom-recipes/copy/recipe.py",
        "import dataiku\n"
        "from dataiku.customrecipe import *\n"
        "source = dataiku.Dataset(get_input_names_for_role('input_dataset')[0])\n"
        "target = dataiku.Dataset(get_output_names_for_role('output_dataset')[0])\n"
        "target.write_schema(source.read_schema())\n"
        "with target.get_writer() as writer:\n"
        "    for row in source.iter_rows():\n"
        "        writer.write_row_dict({'code': row['code'] + '!', 'n': row['n']})\n",
    )
    catalogue = discovery.find(Search((root,), only_places=True))
    pairs = (("input_dataset", "sql://shop/sales"),), (("output_dataset", "sql://shop/copy"),)
    run(plan(Request("copy", *pairs), catalogue, project.open(tmp_path)).job, Options(quiet=True, in_process=True))
    columns, rows = store["sql://shop/copy"]
    assert [(column["name"], column["type"]) for column in columns] == [("code", "string"), ("n", "bigint")]
    assert rows == [["007!", "1"], ["x!", ""]]
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".csv"]
    runner.write_text(runner.read_text() + "raise ValueError('late')\n")
    before = store["sql://shop/copy"]
    with pytest.raises(ComponentFailed, match="late"):
        run(plan(Request("copy", *pairs), catalogue, project.open(tmp_path)).job, Options(quiet=True, in_process=True))
    assert store["sql://shop/copy"] is before


def test_minihost_run_component(third_party, tmp_path):
    seen = []
    third_party(plugin_of(minihost_run_component=lambda job, options: seen.append(job.config) or "ran elsewhere"))
    macro = {"meta": {}, "resultType": "NONE", "params": [{"name": "n", "type": "INT"}]}
    root = write_plugin(tmp_path / "p", macros=[("m", macro)])
    assert main(["run", "m", "--plugin", str(root), "--project", str(tmp_path), "-p", "n=3"]) == 0
    assert seen == [{"n": 3}]


def test_minihost_place_shards(third_party, tmp_path):
    def place(work, where):
        if where != "mine://":
            return None
        while shard := work.next(1):
            work.done(1, shard, {"status": "done"}, 0.1)
        return True

    third_party(plugin_of(minihost_place_shards=place))
    job = Job("sample", "", "do", "recipe", "", "P", str(tmp_path), str(tmp_path))
    work = Work([Shard(1, job, tmp_path / "1")], listing=tmp_path / "listing", environment={})
    assert host.hooks().minihost_place_shards(work=work, where="other://") is None
    assert host.hooks().minihost_place_shards(work=work, where="mine://") is True
    assert work.complete


def test_minihost_commands(third_party, capsys):
    import click

    @click.command("hello")
    def hello():
        """Says hello."""
        click.echo("hello from outside")

    third_party(plugin_of(minihost_commands=lambda: {"hello": hello}))
    assert main(["hello"]) == 0
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "hello from outside" in out
    assert re.search(r"hello +Says hello", out)


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_tested(name):
    assert f"def test_{name}(" in Path(__file__).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_heading(name):
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    parameters = ", ".join(inspect.signature(getattr(hookspecs, name)).parameters)
    assert f"\n### `{name}({parameters})`\n" in page


def test_hooks_have_the_prefix_and_say_what_they_return():
    assert len(HOOKS) == 8
    for name in HOOKS:
        assert inspect.signature(getattr(hookspecs, name)).return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize(
    "plugin",
    [
        plugin_of(minihost_find_plugin=lambda search: []),
        plugin_of(minihost_find_plugins=lambda serach: []),
        ImportError("no module named x"),
    ],
)
def test_a_plugin_that_does_not_fit_is_fatal(third_party, plugin, capsys):
    third_party(plugin)
    assert main(["list"]) == 1
    err = capsys.readouterr().err
    assert "The host plugin 'outside'" in err
    assert "Traceback" not in err


def test_the_hosts_own_features_are_plugins():
    names = [name for name, _ in host.manager().list_name_plugin()]
    assert names[: len(host.BUILT_IN)] == list(host.BUILT_IN)
    assert isinstance(host.manager(), pluggy.PluginManager)
    for name in HOOKS:
        if not name.startswith("minihost_open_"):  # what is on the local disk needs nobody
            assert getattr(host.hooks(), name).get_hookimpls(), f"nothing implements {name}"


def test_entry_points_are_those_of_the_group():
    registered = {point.name for point in importlib.metadata.entry_points(group=host.GROUP)}
    assert {
        name.removeprefix("minihost:") for name, _ in host.manager().list_name_plugin() if name.startswith("minihost:")
    } == registered


def test_a_job_survives_its_file(tmp_path):
    job = Job("p", "/p", "c", "recipe", "/p/r.py", "P", "/d", "/w", config={"é": [1, None]}, secrets=["s"])
    job.inputs = [Reference("role", "DATASET", "n", "P", "/x.csv")]
    job.write(tmp_path / "job.json")
    assert Job.read(tmp_path / "job.json") == job
