"""What is printed after a run that went well: the page that the component wrote, and commands to go on with."""

import pytest
from component_plugins import role, write_components

from minihost.cli import main

TRAIN = """
import dataiku
from dataiku.customrecipe import *
model = dataiku.Folder(get_output_names_for_role("model")[0])
if get_recipe_config()["report"]:
    model.upload_data("report/index.html", b"<html></html>")
model.upload_data("weights", b"x")
"""
ACT = """
import dataiku
from dataiku.runnables import Runnable
class Mistake(Exception):
    for_user = True
class Act(Runnable):
    def __init__(self, project_key, config, plugin_config):
        self.project_key, self.config = project_key, config
    def run(self, progress_callback):
        folder = self.config.get("folder")
        if self.config.get("key"):
            raise Mistake("folder: choose a folder")
        if not folder:
            folder = dataiku.api_client().get_project(self.project_key).create_managed_folder("made").id
        dataiku.Folder(folder).upload_data("x", b"x")
"""
PARAMS = [
    {"name": "report", "type": "BOOLEAN", "defaultValue": True},
    {"name": "key", "type": "PASSWORD"},
]
SECTION = {
    "next": [
        "minihost run use -i pictures=NEW -i model={model} -o labels=labels.csv",
        "minihost run use -i pictures={extra}",
        "minihost run use -p key={key}",
        "minihost run use -i several={several}",
    ],
    "page": "{model}/report/index.html",
}


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    recipe = {
        "inputRoles": [
            role("pictures", folder=True),
            role("extra", folder=True, required=False),
            role("several", folder=True, required=False, many=True),
        ],
        "outputRoles": [role("model", folder=True)],
        "params": PARAMS,
        "minihost": SECTION,
    }
    params = [{"name": "folder", "type": "MANAGED_FOLDER"}, {"name": "key", "type": "STRING"}]
    macro = {
        "params": params,
        "macroRoles": [{"targetParamsKey": "folder"}],
        "minihost": {"next": ["minihost run train -i pictures={folder} -o model=mine"]},
    }
    root = write_components(tmp_path / "plugin", {"train": (recipe, TRAIN)}, {"act": (macro, ACT)})
    (tmp_path / "work" / "my photos").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    return root


def run(plugin, capfd, *arguments):
    assert main(["run", *arguments, "--plugin", str(plugin)]) == 0
    return capfd.readouterr().out.splitlines()


def test_the_last_lines_name_the_page_and_the_next_command(plugin, capfd, tmp_path):
    out = run(plugin, capfd, "train", "-i", "pictures=my photos", "-o", "model=models/my model")
    assert out == [
        "model: models/my model",
        "Report: models/my model/report/index.html",
        f"Next: minihost run use -i pictures=NEW -i model='models/my model' -o labels=labels.csv --plugin {plugin}",
    ]
    assert (tmp_path / "work" / "models" / "my model" / "weights").is_file()


def test_only_what_is_there_is_named(plugin, capfd):
    roles = ("-i", "pictures=my photos", "-i", "several=my photos", "-i", "several=my photos", "-o", "model=m")
    out = run(plugin, capfd, "train", *roles, "-p", "report=false", "-p", "key=hush", "-i", "extra=my photos")
    assert [line.split(" --plugin")[0] for line in out[1:]] == [
        "Next: minihost run use -i pictures=NEW -i model=m -o labels=labels.csv",
        "Next: minihost run use -i pictures='my photos'",
    ]


def test_a_command_never_writes_over_an_input_of_the_run(plugin, capfd, tmp_path):
    (tmp_path / "work" / "labels.csv").mkdir()
    out = run(plugin, capfd, "train", "-i", "pictures=my photos", "-i", "extra=./labels.csv", "-o", "model=m")
    assert out[2].startswith("Next: minihost run use -i pictures=NEW -i model=m -o labels=labels_new.csv ")


def test_a_name_of_the_project_stays_a_name(plugin, capfd, tmp_path, monkeypatch):
    (tmp_path / "work" / "flow.yaml").write_text(f"plugins: [{plugin}]\nfolders: {{mine: models/mine}}\n")
    monkeypatch.chdir(tmp_path)
    roles = ("-i", "pictures=my photos", "-o", "model=mine")
    assert main(["run", "train", *roles, "--project", "work"]) == 0
    assert capfd.readouterr().out.splitlines()[1:] == [
        "Report: work/models/mine/report/index.html",
        "Next: minihost run use -i pictures=NEW -i model=mine -o labels=labels.csv --project work",
    ]


def test_parameters_of_macros(plugin, capfd):
    out = run(plugin, capfd, "act", "-p", "folder=drawn")
    assert out[-1] == f"Next: minihost run train -i pictures=drawn -o model=mine --plugin {plugin}"


def test_a_folder_that_a_macro_makes_is_named(plugin, capfd, tmp_path):
    out = run(plugin, capfd, "act")
    assert out[-2:] == [
        "made: .minihost/data/made",
        f"Next: minihost run train -i pictures=made -o model=mine --plugin {plugin}",
    ]
    assert (tmp_path / "work" / ".minihost" / "data" / "made" / "x").is_file()


def test_a_macro_that_lacks_its_folder_is_told_what_to_add(plugin, capfd):
    assert main(["run", "act", "--plugin", str(plugin), "-p", "key=none"]) == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert last == "folder: choose a folder. For example: -p folder=models/NAME"
    assert main(["run", "act", "--plugin", str(plugin), "-o", "folder=x"]) == 2
    assert capfd.readouterr().err.startswith(
        "There is no output role 'folder'. A macro takes its folder as a parameter: -p folder=FOLDER. Roles: none."
    )


def test_silence(plugin, capfd):
    assert run(plugin, capfd, "train", "-q", "-i", "pictures=my photos", "-o", "model=m") == []


def test_no_command_repeats_a_password(plugin, capfd, tmp_path):
    pytest.importorskip("sqlalchemy")
    recipe = {"outputRoles": [role("rows")], "minihost": {"next": ["minihost run use -i rows={rows}"]}}
    code = "import dataiku, pandas\ndataiku.Dataset('t').write_with_schema(pandas.DataFrame({'a': [1]}))"
    write_components(plugin, {"fill": (recipe, code)})
    out = run(plugin, capfd, "fill", "-o", f"rows=sqlite://me:geheim@/{tmp_path}/data.db::t")
    assert "geheim" not in "".join(out)
