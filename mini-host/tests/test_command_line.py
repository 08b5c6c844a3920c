import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import HOST
from plugin_folders import MACRO, RECIPE, write, write_plugin

from minihost import cli
from minihost.cli import main
from minihost.errors import HostError

COPY = """
import json
import dataiku
from dataiku.customrecipe import get_input_names_for_role, get_output_names_for_role, get_plugin_config, get_recipe_config

print("config " + json.dumps(get_recipe_config(), sort_keys=True))
print("settings " + json.dumps(get_plugin_config(), sort_keys=True))
source = dataiku.Dataset(get_input_names_for_role("input_dataset")[0])
dataiku.Dataset(get_output_names_for_role("output_dataset")[0]).write_with_schema(source.get_dataframe())
"""
PARAMS = [
    {"name": "column", "type": "COLUMN", "columnRole": "input_dataset"},
    {"name": "columns", "type": "COLUMNS", "columnRole": "input_dataset"},
    {"name": "times", "type": "INT", "mandatory": True, "minI": 1},
    {"name": "cloud", "type": "PRESET", "parameterSetId": "cloud"},
]
SET = [{"name": "region", "type": "STRING", "defaultValue": "eu"}, {"name": "key", "type": "PASSWORD"}]


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / "home"))
    settings = [{"name": "proxy", "type": "STRING", "defaultValue": "none"}]
    root = write_plugin(
        tmp_path / "plugin",
        recipes=[("copy", {**RECIPE, "params": PARAMS})],
        macros=["greet"],
        sets={"cloud": SET},
        params=settings,
    )
    write(root / "custom-recipes/copy/recipe.py", COPY)
    write(tmp_path / "work/in.csv", "a,b\n1,x\n")
    monkeypatch.chdir(tmp_path / "work")
    return root


def run(plugin, *arguments):
    return main(["run", "copy", "--plugin", str(plugin), *arguments])


GOOD = ("-i", "input_dataset=in.csv", "-o", "output_dataset=out.csv", "-p", "times=2")


def test_a_run(plugin, capfd):
    assert run(plugin, *GOOD, "-p", "column=a", "-p", "cloud.region=us", "--setting", "proxy=p") == 0
    out = capfd.readouterr().err
    assert 'config {"cloud": {"region": "us"}, "column": "a", "columns": [], "times": 2}' in out
    assert 'settings {"proxy": "p"}' in out
    assert Path("out.csv").read_text() == "a,b\n1,x\n"


def test_a_table_that_a_run_read_is_replaced_only_when_asked(plugin, capsys):
    """A command copied with the wrong name must not cost anyone their labels."""
    write(Path("old.csv"), "a,b\n3,y\n")
    write(Path("labels.csv"), "a,b\n2,z\n")
    for source in ("labels.csv", "in.csv"):
        assert run(plugin, "-i", f"input_dataset={source}", *GOOD[2:]) == 0  # its own output is replaced without asking
    onto = ("-i", "input_dataset=in.csv", "-p", "times=2", "-o")
    capsys.readouterr()
    assert run(plugin, *onto, "output_dataset=labels.csv") == 2
    assert capsys.readouterr().err == (
        "The output role 'output_dataset': labels.csv is a table that an earlier run read, and it was not written by "
        "minihost. Choose another name, or add --overwrite to replace it.\n"
    )
    assert Path("labels.csv").read_text() == "a,b\n2,z\n"
    assert run(plugin, *onto, "output_dataset=old.csv") == 0
    assert run(plugin, *onto, "output_dataset=labels.csv", "--overwrite") == 0
    assert Path("labels.csv").read_text() == Path("old.csv").read_text() == "a,b\n1,x\n"


def test_parameters_from_a_file_under_those_of_the_command_line(plugin, capfd):
    write(plugin.parent / "work/p.json", "// a comment\n{'times': 5, 'columns': ['a'], 'extra': 1}")
    assert run(plugin, *GOOD, "--params", "p.json") == 0
    reported = capfd.readouterr()
    assert '"columns": ["a"], "extra": 1, "times": 2' in reported.err
    assert "warning: There is no parameter 'extra'." in reported.err


def test_every_mistake_in_one_answer(plugin, capsys):
    write(plugin.parent / "work/p.json", "{")
    wrong = ("-i", "input_datset=in.csv", "-i", "nonsense", "-o", "output_dataset=out.txt", "-p", "tmes=3", "-p", "cloud.regin=us",
             "-p", "column=a", "--params", "p.json", "--setting", "prxy=1")  # fmt: skip
    assert run(plugin, *wrong) == 2
    reported = capsys.readouterr().err.splitlines()
    expected = [
        r"-i nonsense: ROLE=REF is expected",
        r"--params p.json: line 1",
        r"no input role 'input_datset'. Did you mean 'input_dataset'",
        r"output role 'output_dataset' takes a dataset",
        r"no parameter 'tmes'. Did you mean 'times'",
        r"no parameter 'cloud.regin'. Did you mean 'region'",
        r"Plugin setting: There is no parameter 'prxy'. Did you mean 'proxy'",
    ]
    assert [line for line in reported if not any(re.search(pattern, line) for pattern in expected)] == []
    assert len(reported) == len(expected)
    assert sorted(os.listdir(".")) == ["in.csv", "p.json"]
    first = [line for line in reported if "There is no" in line]
    assert reported[2 : 2 + len(first)] == first  # names before what seems to be missing


def test_columns_that_are_not_there(plugin, capsys):
    assert run(plugin, *GOOD, "-p", "column=bb", "-p", "columns=a,c") == 2
    assert capsys.readouterr().err.splitlines() == [
        "Parameter 'column': the dataset of role 'input_dataset' has no column 'bb'. Did you mean 'b'? Columns: a, b.",
        "Parameter 'columns': the dataset of role 'input_dataset' has no column 'c'. Columns: a, b.",
    ]


def test_too_many_for_one_role(plugin, capsys):
    assert run(plugin, *GOOD, "-i", "input_dataset=other.csv") == 2
    assert "takes one thing, not 2: in.csv, other.csv" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["copi", "sample/copi", "nothing-like-it"])
def test_unknown_components(plugin, capsys, name):
    assert main(["run", name, "--plugin", str(plugin)]) == 2
    err = capsys.readouterr().err
    assert f"There is no component {name!r}" in err
    assert ("Did you mean" in err) == ("cop" in name)


def test_a_runner_that_is_missing(plugin, capsys):
    (plugin / "custom-recipes/copy/recipe.py").unlink()
    assert run(plugin, *GOOD) == 2
    assert "sample/copy has no recipe.py" in capsys.readouterr().err


def test_secrets_stay_out_of_every_file(plugin, tmp_path):
    assert run(plugin, *GOOD, "-p", "cloud.key=hush-hush") == 0
    files = [path for path in (tmp_path / "work").rglob("*") if path.is_file()]
    assert [path for path in files if b"hush-hush" in path.read_bytes()] == []
    assert len(files) > 3


def test_a_recipe_without_roles_takes_any(plugin, capfd):
    write(plugin / "custom-recipes/old/recipe.json", {"kind": "PYTHON", "meta": {}})
    write(
        plugin / "custom-recipes/old/recipe.py",
        "from dataiku.customrecipe import get_input_names\nprint('inputs', get_input_names(), end='')\n",
    )
    assert main(["run", "old", "--plugin", str(plugin), "-i", "any=in.csv", "-p", "raw={'a': 1}"]) == 0
    assert "inputs ['WORK.in']" in capfd.readouterr().err


def test_macros_run_too(plugin, capfd):
    macro = {**MACRO, "params": [{"name": "name", "type": "STRING", "mandatory": True}]}
    write(plugin / "python-runnables/greet/runnable.json", macro)
    write(
        plugin / "python-runnables/greet/runnable.py",
        "from dataiku.runnables import Runnable\n\n\nclass Greet(Runnable):\n"
        "    def __init__(self, project_key, config, plugin_config):\n        self.name = config['name']\n\n"
        "    def get_progress_target(self):\n        return None\n\n"
        "    def run(self, progress_callback):\n        return '<b>Hello ' + self.name + '</b>'\n",
    )
    assert main(["run", "greet", "--plugin", str(plugin), "-p", "name=you"]) == 0
    assert "Hello you" in capfd.readouterr().out
    assert main(["run", "greet", "--plugin", str(plugin), "-i", "x=y"]) == 2


def test_show(plugin, capsys):
    assert main(["show", "copy", "--plugin", str(plugin)]) == 0
    out = capsys.readouterr().out
    assert "input_dataset  dataset, required" in out
    assert "times  INT, mandatory" in out
    assert 'region = "eu"  STRING' in out
    assert "minihost run copy -i input_dataset=input_dataset.csv -o output_dataset=output_dataset.csv -p times=1" in out
    assert main(["show", "copy", "--plugin", str(plugin), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["schema"]["required"] == ["times"]
    assert [param["name"] for param in facts["params"]] == ["column", "columns", "times", "cloud"]


def test_codes_that_a_terminal_obeys_are_not_shown(plugin, capsys):
    file = plugin / "custom-recipes/copy/recipe.json"
    facts = json.loads(file.read_text())
    facts["meta"]["description"] = "one \x1b]8;;http://elsewhere\x07 two\nthree"
    facts["params"][0]["label"] = "\x1b[2J"
    file.write_text(json.dumps(facts))
    assert main(["show", "copy", "--plugin", str(plugin)]) == 0
    out = capsys.readouterr().out
    assert "one ?]8;;http://elsewhere? two" in out
    assert "\x1b" not in out.replace("\x1b[0m", "").replace("\x1b[1m", "")


def test_a_password_of_another_database_is_not_repeated(plugin, capsys):
    roles = ["-i", "input_dataset=oracle://me:geheim@h/d::t", "-o", "output_dataset=clickhouse://me:geheim@h/d"]
    assert main(["run", "copy", "--plugin", str(plugin), *roles]) == 2
    said = capsys.readouterr().err
    assert "clickhouse://me:*****@h/d" in said
    assert "geheim" not in said


def test_list(plugin, capsys):
    assert main(["list", "--plugin", str(plugin)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"recipe +copy +Copy rows", out)
    assert re.search(r"macro +greet +Greet", out)
    assert main(["list", "--plugin", str(plugin), "--json"]) == 0
    assert "sample/copy" in [item["component"] for item in json.loads(capsys.readouterr().out)]


def test_list_without_any_plugin(tmp_path, monkeypatch, capsys):
    from minihost.plugins import discovery

    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(discovery, "checkout_plugin", lambda: iter(()))
    monkeypatch.setattr(discovery, "bundled_plugins", lambda: iter(()))
    assert main(["list"]) == 0
    assert "No plugins here" in capsys.readouterr().out


def test_unknown_commands_and_options(capsys):
    assert main(["lsit"]) == 2
    assert "Did you mean 'list'?" in capsys.readouterr().err
    assert main(["run"]) == 2
    assert "Missing argument 'COMPONENT'" in capsys.readouterr().err


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(name, capsys):
    assert main([name, "--help"]) == 0
    assert "Usage: minihost " + name in capsys.readouterr().out


def test_the_list_of_commands_has_whole_sentences(capsys):
    assert main(["--help"]) == 0
    listing = " ".join(capsys.readouterr().out.partition("Commands:")[2].split())
    assert "..." not in listing
    for name in cli.COMMANDS:
        assert main([name, "--help"]) == 0
        sentence = " ".join(capsys.readouterr().out.split("\n\n")[1].split())
        assert f"{name} {sentence.partition('. ')[0].rstrip('.')}." in listing


@pytest.mark.parametrize("error", [HostError("Mend it."), KeyboardInterrupt()])
def test_errors_are_explained_in_one_place(monkeypatch, capsys, error):
    from minihost.plugins import discovery

    def fail(*_):
        raise error

    monkeypatch.setattr(discovery, "find", fail)
    assert main(["list"]) == (2 if isinstance(error, HostError) else 130)
    assert "Traceback" not in capsys.readouterr().err


def test_bugs_keep_their_traceback(monkeypatch):
    from minihost.plugins import discovery

    monkeypatch.setattr(discovery, "find", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["list"])


def test_python_m_minihost(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(HOST), "MINIHOST_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "minihost", "run", "nothing"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("There is no component 'nothing'.")
