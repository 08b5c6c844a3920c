"""The skeletons that `minihost new` writes: strictly checked, tested, run and served as they are."""

import json
import os
import shutil
import subprocess
import sys
import urllib.parse
from importlib import resources

import pytest
import yaml
from served_webapps import CHROMIUM, Served, browse

from minihost.cli import main
from minihost.errors import HostError
from minihost.plugins import checking, discovery, skeletons

COMPONENTS = ("recipe", "macro", "webapp")
"""What is added to a plugin, beside a recipe for folders."""


@pytest.fixture(scope="module")
def shout(tmp_path_factory):
    """A new plugin with one more component of each kind."""
    root = tmp_path_factory.mktemp("new")
    skeletons.new_plugin("shout-Loud", root)
    for kind in (*COMPONENTS, "folders"):
        skeletons.new_component(kind, f"my-{kind}", root / "shout-Loud")
    return root / "shout-Loud"


def run_tests(place, *arguments):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, arguments)]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_nothing_is_found_in_it(shout):
    assert [str(finding) for finding in checking.check(discovery.load(shout))] == []
    assert main(["check", "--strict", str(shout)]) == 0


def test_its_tests_pass_from_above_too(shout):
    code, printed = run_tests(shout.parent, shout.name)
    assert (code, printed.splitlines()[-1].split(" in ")[0]) == (0, "15 passed"), printed


def test_its_recipe_runs(shout, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("code,size\n007,\n008,5\n")
    (tmp_path / "in.schema.json").write_text(
        json.dumps({"columns": [{"name": "code", "type": "string"}, {"name": "size", "type": "bigint"}]})
    )
    roles = ("-i", "input_dataset=in.csv", "-o", "output_dataset=out.csv")
    assert main(["run", "my-recipe", *roles, "-p", "first_number=5", "--plugin", str(shout)]) == 0
    assert (tmp_path / "out.csv").read_text() == "row_number,code,size\n5,007,\n6,008,5\n"
    assert main(["run", "my-recipe", "-i", "input_dataset=out.csv", *roles[2:], "--plugin", str(shout)]) == 1
    assert capfd.readouterr().err.splitlines()[-1] == "ValueError: The input dataset already has a column row_number."


def test_its_recipe_for_folders_runs(shout, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "files" / "sub").mkdir(parents=True)
    (tmp_path / "files" / "sub" / "a.txt").write_text("text")
    roles = ("-i", "input_folder=files", "-o", "output_folder=copied")
    assert main(["run", "my-folders", *roles, "--plugin", str(shout), "--streams-only"]) == 0
    assert (tmp_path / "copied" / "sub" / "a.txt").read_text() == "text"


def test_its_macro_runs(shout, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.yaml").write_text("datasets: {people: people.csv}\n")
    (tmp_path / "people.csv").write_text("name,age\nAda,36\n")
    assert main(["run", "my-macro", "-q", "--plugin", str(shout)]) == 0
    assert [line.split() for line in capfd.readouterr().out.splitlines()[2:]] == [["people", "name,", "age"]]


@pytest.fixture
def served(shout, tmp_path):
    """The web app, with a dataset."""
    (tmp_path / "flow.yaml").write_text("datasets: {people: people.csv}\n")
    (tmp_path / "people.csv").write_text("name,age\nAda,\n")
    served = Served("my-webapp", "-p", "dataset=people", "--plugin", shout, cwd=tmp_path)
    yield served
    served.stop()


@pytest.mark.network
def test_its_web_app_is_served(served):
    assert "<h1>My webapp</h1>" in served.ask()[1]
    status, answer = served.ask("backend/rows?" + urllib.parse.urlencode({"count": 5}))
    assert (status, json.loads(answer)) == (200, {"columns": ["name", "age"], "rows": [["Ada", ""]]})


@pytest.mark.network
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_its_page_shows_the_rows(served):
    page = browse(served)
    assert "Rows shown: 1" in page
    assert "<tr><th>name</th><th>age</th></tr><tr><td>Ada</td><td></td></tr>" in page


def test_it_can_be_packaged(shout, tmp_path):
    copy = shutil.copytree(shout, tmp_path / "copy")
    assert main(["package", str(copy), "-o", str(tmp_path)]) == 0
    assert (tmp_path / "dss-plugin-shout-Loud-0.1.0.zip").is_file()


def test_its_workflow(shout):
    workflow = yaml.safe_load((shout / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert [command.splitlines()[-1] for command in commands] == [
        'python -m pip install "$MINIHOST"', "minihost check --strict", "pytest",
    ]  # fmt: skip
    setup = next(step["with"] for step in job["steps"] if "setup-python" in step.get("uses", ""))
    assert setup["cache"] == "pip"
    assert (shout / setup["cache-dependency-path"]).is_file()
    without = subprocess.run(
        ["sh", "-ec", commands[0]], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True
    )
    assert without.returncode == 1
    assert without.stdout.startswith("::error::Set the repository variable MINIHOST")


def test_the_commands_say_what_they_wrote_and_what_comes_next(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "plugin", "words"]) == 0
    printed = capfd.readouterr().out.splitlines()
    written = [line.removeprefix("wrote ") for line in printed if line.startswith("wrote ")]
    assert sorted(written) == sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert printed[len(written) :] == ["Next: pytest words", "Next: minihost show words-number-rows --plugin words"]
    monkeypatch.chdir(tmp_path / "words")
    assert main(["new", "webapp", "words-board"]) == 0
    assert capfd.readouterr().out.splitlines()[-2:] == [
        "Next: pytest tests/test_board.py",
        "Next: minihost show words-board",
    ]


class TestRefusals:
    def test_folders_are_for_recipes(self, tmp_path, monkeypatch, capfd):
        skeletons.new_plugin("words", tmp_path)
        monkeypatch.chdir(tmp_path / "words")
        assert main(["new", "macro", "x", "--folders"]) == 2
        assert "--folders is for recipes; a macro has no inputs" in capfd.readouterr().err
        assert main(["new", "recipe", "x", "--folders"]) == 0
        assert 'acceptsManagedFolder": true' in (tmp_path / "words/custom-recipes/x/recipe.json").read_text()

    def test_kinds(self, capfd):
        assert main(["new", "thing", "x"]) == 2
        assert "'thing' is not one of 'plugin', 'recipe', 'macro', 'webapp'" in capfd.readouterr().err

    @pytest.mark.parametrize("wrong", ["", "a b", "-a", "ü", "a/b", "..", "a.b", "x" * 65])
    @pytest.mark.parametrize("kind", ["plugin", *COMPONENTS])
    def test_ids(self, kind, wrong, tmp_path, monkeypatch, capfd):
        monkeypatch.chdir(tmp_path)
        assert main(["new", kind, "--", wrong]) == 2
        assert f"cannot be the id of a {kind}: letters, digits, '_' and '-'" in capfd.readouterr().err
        assert os.listdir(tmp_path) == []

    def test_an_id_that_would_do_is_suggested(self, tmp_path, monkeypatch, capfd):
        monkeypatch.chdir(tmp_path)
        assert main(["new", "plugin", "my plugin!"]) == 2
        assert capfd.readouterr().err.endswith("For example: my-plugin\n")

    @pytest.mark.parametrize("kind", COMPONENTS)
    def test_outside_a_plugin(self, kind, tmp_path, monkeypatch, capfd):
        monkeypatch.chdir(tmp_path)
        assert main(["new", kind, "x"]) == 2
        assert capfd.readouterr().err == (
            f"There is no plugin.json in {tmp_path}, so it is no plugin. "
            "Go to the folder of a plugin, or make one: minihost new plugin ID\n"
        )

    def test_in_a_folder_of_a_plugin(self, tmp_path, monkeypatch, capfd):
        skeletons.new_plugin("words", tmp_path)
        monkeypatch.chdir(tmp_path / "words" / "tests")
        assert main(["new", "recipe", "x"]) == 2
        assert capfd.readouterr().err.endswith(f"Go to {tmp_path / 'words'} first.\n")

    def test_what_exists_stays(self, tmp_path, monkeypatch, capfd):
        monkeypatch.chdir(tmp_path)
        skeletons.new_plugin("words", tmp_path)
        (tmp_path / "words" / "tests" / "test_x.py").write_text("mine")
        before = sorted(tmp_path.rglob("*"))
        assert main(["new", "plugin", "words"]) == 2
        assert "exists already, and nothing was changed" in capfd.readouterr().err
        monkeypatch.chdir(tmp_path / "words")
        for kind in COMPONENTS:
            assert main(["new", kind, "x"]) == 2
            assert capfd.readouterr().err.startswith("tests/test_x.py: exists already, and nothing was changed.")
        assert sorted(tmp_path.rglob("*")) == before
        assert (tmp_path / "words" / "tests" / "test_x.py").read_text() == "mine"

    def test_a_file_in_the_way_leaves_nothing_behind(self, tmp_path, monkeypatch, capfd):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "plugin.json").write_text('{"id": "words"}')
        (tmp_path / "tests").write_text("a file")
        assert main(["new", "recipe", "x"]) == 2
        assert "Nothing was made." in capfd.readouterr().err
        assert sorted(os.listdir(tmp_path)) == ["plugin.json", "tests"]

    def test_a_link_out_of_the_plugin_is_not_followed(self, tmp_path, monkeypatch, capfd):
        (tmp_path / "outside").mkdir()
        plugin = tmp_path / "plugin"
        plugin.mkdir()
        (plugin / "plugin.json").write_text('{"id": "words"}')
        (plugin / "tests").symlink_to(tmp_path / "outside")
        monkeypatch.chdir(plugin)
        assert main(["new", "macro", "x"]) == 2
        assert "leads out of" in capfd.readouterr().err
        assert os.listdir(tmp_path / "outside") == []
        assert sorted(os.listdir(plugin)) == ["plugin.json", "tests"]

    def test_an_interrupt_leaves_nothing_behind(self, tmp_path, monkeypatch):
        def interrupted(*_arguments, **_options):
            if len(list(tmp_path.rglob("*"))) > 5:
                raise KeyboardInterrupt
            return open(*_arguments, **_options)

        monkeypatch.setattr(skeletons, "open", interrupted, raising=False)
        with pytest.raises(KeyboardInterrupt):
            skeletons.new_plugin("words", tmp_path)
        assert os.listdir(tmp_path) == []

    def test_a_repository_without_files_is_filled(self, tmp_path):
        (tmp_path / "words" / ".git").mkdir(parents=True)
        assert tmp_path / "words" / "plugin.json" in skeletons.new_plugin("words", tmp_path)


class TestNames:
    @pytest.mark.parametrize(
        ("plugin_id", "package"),
        [("my-plugin", "my_plugin"), ("Json", "json_plugin"), ("pandas", "pandas_plugin"), ("9lives", "_9lives")],
    )
    def test_packages_hide_nothing(self, plugin_id, package):
        assert skeletons.package_of(plugin_id) == package

    def test_the_plugin_is_left_out(self):
        assert skeletons.own_part("words-count-all", "Words") == "count-all"
        assert skeletons.own_part("words", "words") == "words"
        assert skeletons.own_part("words-", "words") == "words-"
        assert skeletons.own_part("wordsmith", "words") == "wordsmith"

    def test_modules_are_identifiers(self):
        assert skeletons.module_of("Count-all") == "count_all"
        assert skeletons.module_of("class") == "class_"

    @pytest.mark.parametrize("plugin_id", ["json", "9lives", "x" * 64])
    def test_unusual_ids_work(self, plugin_id, tmp_path):
        skeletons.new_plugin(plugin_id, tmp_path)
        assert checking.check(discovery.load(tmp_path / plugin_id)) == []
        if plugin_id == "json":
            code, printed = run_tests(tmp_path / plugin_id, "-k", "by_default")
            assert code == 0, printed


def test_a_plugin_is_not_made_inside_another(tmp_path):
    skeletons.new_plugin("outer", tmp_path)
    with pytest.raises(HostError, match="outer is a plugin itself. Go to another folder"):
        skeletons.new_plugin("inner", tmp_path / "outer")
    assert not (tmp_path / "outer" / "inner").exists()


def test_every_template_is_used_and_every_place_in_it_filled():
    folder = resources.files("minihost.plugins") / "templates"
    found = {(kind.name, one.name.removesuffix(".template")) for kind in folder.iterdir() for one in kind.iterdir()}
    assert found == {(kind, name) for kind, files in skeletons.FILES.items() for name in files.values()}
    with pytest.raises(KeyError, match="WRONG"):
        skeletons.filled("__init__ __WRONG__", {})
