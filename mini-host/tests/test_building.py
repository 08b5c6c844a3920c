"""Building a flow: what runs, in which order, and why."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from component_plugins import opened, role, write_components
from one_recipe import COPY

from minihost.errors import ComponentFailed, HostError, JobError
from minihost.runs.running import Options

FAILING_COPY = (
    COPY
    + """
if get_recipe_config().get("fail"):
    raise ValueError("told to")
"""
)
FILL = """
import dataiku
from dataiku.runnables import Runnable
class Fill(Runnable):
    def run(self, progress_callback):
        folder = dataiku.Folder(self.config["where"])
        if self.config.get("seed", 1):
            folder.upload_data(f"{self.config.get('seed', 1)}.txt", b"x")
"""
RETRAIN = """
import dataiku
model = dataiku.Folder("model")
old = model.list_paths_in_partition()
model.upload_data(f"round-{len(old)}", b"x")
"""
LIST = """
import dataiku
from dataiku.customrecipe import *
files = dataiku.Folder(get_input_names_for_role("folder")[0]).list_paths_in_partition()
target = dataiku.Dataset(get_output_names_for_role("out")[0])
target.write_schema([{"name": "path", "type": "string"}])
with target.get_writer() as writer:
    for path in files:
        writer.write_row_dict({"path": path})
"""
FLOW = """
plugins: [plugin]
datasets: {listed: listed.csv}
steps:
  - {name: fill, macro: fill, creates: [files], params: {where: files}}
  - {name: list, recipe: list, inputs: {folder: files}, outputs: {out: listed}}
  - {name: copy, recipe: copy, inputs: {in: listed}, outputs: {out: copied}}
  - {name: aside, recipe: copy, inputs: {in: rows.csv}, outputs: {out: aside}}
"""


@pytest.fixture
def place(tmp_path):
    copy = {"inputRoles": [role("in")], "outputRoles": [role("out")], "params": [{"name": "fail", "type": "BOOLEAN"}]}
    listed = {"inputRoles": [role("folder", folder=True)], "outputRoles": [role("out")]}
    again = {"inputRoles": [role("model_folder", folder=True)], "outputRoles": [role("model_output", folder=True)]}
    params = [{"name": "where", "type": "MANAGED_FOLDER"}, {"name": "seed", "type": "INT", "minI": 0}]
    write_components(
        tmp_path / "plugin",
        {"copy": (copy, FAILING_COPY), "list": (listed, LIST), "again": (again, RETRAIN)},
        {"fill": ({"params": params}, FILL)},
    )
    (tmp_path / "rows.csv").write_text("a\n1\n")
    (tmp_path / "flow.yaml").write_text(FLOW)
    return tmp_path


def build(place, *targets, force=False):
    reported = []
    build = opened(place)
    build.run(targets, Options(quiet=True), force=force, report=reported.append)
    return [
        line.split("] ")[1].partition(": ")[0] for line in reported if line.startswith("[") and "up to date" not in line
    ]


def states(place):
    return {state.step.name: (state.state, state.why) for state in opened(place).states()}


def change(place, name, old, new):
    text = (place / name).read_text()
    assert old in text
    (place / name).write_text(text.replace(old, new))


def test_everything_then_nothing(place):
    assert states(place)["copy"] == ("missing", "copied is not there")
    assert build(place) == ["fill", "list", "copy", "aside"]
    assert (place / "listed.csv").read_text() == "path\n/1.txt\n"
    assert (place / ".minihost" / "data" / "copied.csv").exists()
    assert build(place) == []
    assert {state for state, _why in states(place).values()} == {"up to date"}


def test_targets_bring_what_they_need(place):
    assert build(place, "listed") == ["fill", "list"]
    assert build(place, "copy") == ["copy"]
    assert build(place, "aside") == ["aside"]
    assert build(place, "copied", force=True) == ["copy"]
    assert build(place, "list", force=True) == ["list"]
    assert build(place, force=True) == ["fill", "list", "copy", "aside"]


def test_unknown_targets(place):
    with pytest.raises(JobError, match=r"Nothing makes 'lsted'. Did you mean 'listed'"):
        build(place, "lsted")


class TestStale:
    @pytest.fixture(autouse=True)
    def built(self, place):
        build(place)

    def test_by_data(self, place):
        (place / ".minihost" / "data" / "files" / "mine.txt").write_text("my own")
        assert states(place)["fill"] == ("up to date", "")
        assert states(place)["list"] == ("stale", "files changed")
        assert states(place)["copy"] == ("stale", "list comes first")
        assert build(place) == ["list", "copy"]
        assert "/mine.txt" in (place / "listed.csv").read_text()

    def test_by_parameters(self, place):
        change(place, "flow.yaml", "{where: files}", "{where: files, seed: 2}")
        assert states(place)["fill"] == ("stale", "its parameters changed")
        assert build(place) == ["fill", "list", "copy"]

    def test_by_the_plugins_code_and_version(self, place):
        (place / "plugin" / "python-lib").mkdir()
        (place / "plugin" / "python-lib" / "new.py").write_text("")
        assert {why for _state, why in states(place).values()} == {"the plugin changed"}
        build(place)
        change(place, "plugin/custom-recipes/copy/recipe.py", "told to", "told")
        assert [name for name, (_state, why) in states(place).items() if why == "the plugin changed"] == [
            "copy",
            "aside",
        ]
        build(place)
        change(place, "plugin/plugin.json", "1.0.0", "1.0.1")
        assert {why for _state, why in states(place).values()} == {"the plugin changed"}

    def test_by_another_component_or_place(self, place):
        change(place, "flow.yaml", "datasets: {listed: listed.csv}", "datasets: {listed: other.csv}")
        assert states(place)["list"] == ("missing", "listed is not there")
        os.replace(place / "listed.csv", place / "other.csv")
        assert states(place)["list"] == ("stale", "its parameters changed")

    def test_by_missing_outputs(self, place):
        (place / "listed.csv").unlink()
        assert states(place)["list"] == ("missing", "listed is not there")
        assert build(place) == ["list", "copy"]

    def test_when_the_notes_are_broken_everything_is(self, place):
        (place / ".minihost" / "state.json").write_text("{")
        assert {why for _state, why in states(place).values()} >= {"it was never built here"}


def test_a_failing_step_stops_the_build_and_keeps_what_was_done(place):
    change(
        place,
        "flow.yaml",
        "{in: listed}, outputs: {out: copied}}",
        "{in: listed}, outputs: {out: copied}, params: {fail: true}}",
    )
    reported = []
    with pytest.raises(ComponentFailed, match="told to"):
        opened(place).run([], Options(quiet=True), force=False, report=reported.append)
    assert reported[-1] == "[3/4] copy failed. Not run: aside."
    assert states(place)["list"] == ("up to date", "")
    assert states(place)["copy"] == ("failed", "ValueError: told to")
    assert states(place)["aside"] == ("missing", "aside is not there")
    change(place, "flow.yaml", "{fail: true}", "{fail: false}")
    assert states(place)["copy"] == ("failed", "ValueError: told to")
    assert build(place, "copy") == ["copy"]
    assert states(place)["copy"] == ("up to date", "")


def test_a_failed_run_of_a_step_that_is_up_to_date(place):
    build(place)
    (place / "rows.csv").write_text("a\n1,2\n")
    for _again in range(2):  # a failure leaves what is known of the last success, and the other way round
        with pytest.raises(HostError):
            build(place, "aside")
        assert states(place)["aside"][0] == "failed"
        (place / "rows.csv").write_text("a\n2\n")
        assert build(place, "aside") == ["aside"]
        assert states(place)["aside"] == ("up to date", "")
        assert opened(place).states()[-1].last.keys() >= {"finished", "log"}
        assert "failed" not in opened(place).states()[-1].last
        (place / "rows.csv").write_text("a\n1,2\n")


def test_a_model_retrained_onto_itself_is_up_to_date_afterwards(place):
    (place / "model").mkdir()
    (place / "model" / "start").write_text("x")
    (place / "flow.yaml").write_text(
        "plugins: [plugin]\nfolders: {model: model}\nsteps:\n  - {recipe: again, inputs: {model_folder: model}, outputs: {model_output: model}}\n"
    )
    assert build(place) == ["again"]
    assert build(place) == []
    assert sorted(os.listdir(place / "model")) == ["round-1", "start"]
    (place / "model" / "other").write_text("x")
    assert build(place) == ["again"]


def test_mistakes_of_all_steps_at_once(place):
    (place / "flow.yaml").write_text(
        dedent("""
        plugins: [plugin]
        steps:
          - {recipe: kopy, inputs: {in: rows.csv}, outputs: {out: a}}
          - {recipe: copy, inputs: {inn: rows.csv}, outputs: {out: b}, params: {fial: true}}
          - {macro: fill, creates: [c], params: {where: c, seed: few}}
          - {recipe: copy, inputs: {in: nothing.csv}, outputs: {out: d}}
        """)
    )
    with pytest.raises(JobError) as caught:
        build(place)
    found = str(caught.value)
    for wanted in (
        "step kopy: There is no recipe 'kopy'. Did you mean 'copy'?",
        "step copy: There is no input role 'inn'.",
        "step fill: Parameter 'seed'",
        "step copy-2: The input role 'in': the dataset 'nothing.csv' does not exist",
    ):
        assert wanted in found


def test_a_step_with_mistakes_is_invalid_and_others_go_on(place, capsys):
    from minihost.cli import main

    text = FLOW.replace("recipe: copy, inputs: {in: listed}", "recipe: copy, inputs: {inn: listed, x: a}")
    (place / "flow.yaml").write_text(text + "  - {name: last, recipe: copy, inputs: {in: copied}, outputs: {out: z}}\n")
    copy = next(state for state in opened(place).states() if state.step.name == "copy")
    wrong = "There is no input role 'inn'. Did you mean 'in'? Roles: in."
    assert (copy.state, copy.why, copy.planned) == ("invalid", wrong, None)
    assert copy.mistakes == (wrong, "There is no input role 'x'. Roles: in.")
    assert build(place, "listed", "aside") == ["fill", "list", "aside"]
    assert {name: state for name, (state, _why) in states(place).items()} == {
        "fill": "up to date",
        "list": "up to date",
        "copy": "invalid",
        "last": "missing",
        "aside": "up to date",
    }
    for targets in ([], ["last"]):
        with pytest.raises(JobError, match="step copy: There is no input role 'inn'"):
            build(place, *targets)
    assert main(["status", "--project", str(place)]) == 2
    shown = capsys.readouterr().out
    assert wrong in shown
    assert copy.mistakes[1] in shown
    assert main(["status", "--project", str(place), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)[2]["mistakes"] == list(copy.mistakes)


def test_steps_without_an_order_are_invalid(place):
    (place / "flow.yaml").write_text(
        dedent("""
        plugins: [plugin]
        steps:
          - {name: behind, recipe: copy, inputs: {in: b}, outputs: {out: c}}
          - {name: one, recipe: copy, inputs: {in: b}, outputs: {out: a}}
          - {name: two, recipe: copy, inputs: {in: a}, outputs: {out: b}}
          - {name: first, recipe: copy, inputs: {in: rows.csv}, outputs: {out: d}}
          - {name: second, recipe: copy, inputs: {in: rows.csv}, outputs: {out: d}}
          - {name: aside, recipe: copy, inputs: {in: rows.csv}, outputs: {out: e}}
        """)
    )
    found = {name: state for name, (state, _why) in states(place).items()}
    assert found.pop("behind") == found.pop("aside") == "missing"
    assert set(found.values()) == {"invalid"}
    assert build(place, "aside") == ["aside"]
    with pytest.raises(JobError, match=r"flow.yaml: the steps two -> one -> two wait|flow.yaml: the steps one -> two"):
        build(place, "behind")


def test_without_a_flow_that_is_said(tmp_path, capsys):
    from minihost.cli import main

    for command in ("status", "build"):
        assert main([command, "--project", str(tmp_path)]) == 2
        assert capsys.readouterr().err == f"There is nothing to build: there is no flow.yaml in {tmp_path}.\n"
    (tmp_path / "flow.yaml").write_text("steps: []\n")
    assert main(["status", "--project", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"There is nothing to build: {tmp_path / 'flow.yaml'} has no steps.\n"


def test_an_input_without_files_is_remembered_as_the_failure(place):
    (place / "empty").mkdir()
    (place / "flow.yaml").write_text(
        "plugins: [plugin]\nsteps:\n  - {recipe: list, inputs: {folder: empty}, outputs: {out: x.csv}}\n"
    )
    with pytest.raises(JobError) as caught:
        build(place)
    assert str(caught.value) == f"step list: input 'folder' (empty) has no files: {place / 'empty'}."
    assert states(place)["list"] == ("failed", f"input 'folder' (empty) has no files: {place / 'empty'}.")


def test_what_a_misspelt_name_means_is_not_said_to_be_missing(place):
    roles = {"inputRoles": [role("in")], "outputRoles": [role("out")]}
    params = [
        {"name": "section_advanced", "type": "SEPARATOR"},
        {"name": "advance", "type": "INT", "mandatory": True},
        {"name": "compute", "type": "PRESET", "parameterSetId": "compute"},
    ]
    write_components(
        place / "plugin",
        {"pick": ({**roles, "params": params}, COPY)},
        files={
            "parameter-sets/compute/parameter-set.json": json.dumps({"params": [{"name": "engine", "type": "STRING"}]})
        },
    )
    (place / "flow.yaml").write_text(
        dedent("""
        plugins: [plugin]
        steps:
          - recipe: pick
            inputs: {inn: rows.csv}
            outputs: {outt: a}
            params: {advanced: 1, section_advanced: 2, compute: {engin: keras}}
        """)
    )
    with pytest.raises(JobError) as caught:
        build(place)
    assert caught.value.mistakes == [
        "step pick: There is no input role 'inn'. Did you mean 'in'? Roles: in.",
        "step pick: There is no output role 'outt'. Did you mean 'out'? Roles: out.",
        "step pick: There is no parameter 'advanced'. Did you mean 'advance'? Parameters: advance, compute.",
        "step pick: There is no parameter 'section_advanced'. Did you mean 'advance'? Parameters: advance, compute.",
        "step pick: There is no parameter 'compute.engin'. Did you mean 'engine'? compute has: engine.",
    ]


def test_a_macro_that_does_not_fill_what_it_creates(place):
    change(place, "flow.yaml", "{where: files}", "{where: files, seed: 0}")
    with pytest.raises(HostError, match=r"step fill finished, but 'files' \(creates:\) does not exist"):
        build(place)


def test_a_macro_may_create_a_dataset_in_its_folder(place):
    flow = FLOW.replace("{listed: listed.csv}", "{listed: listed.csv, noted: files/notes.csv}")
    flow = flow.replace("creates: [files]", "creates: [files, noted]").replace("{in: rows.csv}", "{in: noted}")
    (place / "flow.yaml").write_text(flow + "folders: {files: files}\n")
    with pytest.raises(HostError, match=r"step fill finished, but 'noted' \(creates:\) does not exist"):
        build(place)
    (place / "files" / "notes.csv").write_text("a\n1\n")
    build(place)
    assert (place / "listed.csv").is_file()


def test_a_flow_without_steps(place):
    (place / "flow.yaml").write_text("folders: {a: b}")
    with pytest.raises(JobError, match="has no steps"):
        opened(place)


def test_partitions(place):
    (place / "flow.yaml").write_text(
        dedent("""
        plugins: [plugin]
        datasets:
          days: {path: days, partitioning: {dimensions: [{name: day, type: time}]}}
        steps:
          - {recipe: copy, inputs: {in: rows.csv}, outputs: {out: days}, partition: "2024-05-01"}
          - {name: sum, recipe: copy, inputs: {in: days}, outputs: {out: all}}
        """)
    )
    assert build(place) == ["copy", "sum"]
    assert sorted(os.listdir(place / "days")) == ["2024-05-01.csv", "2024-05-01.schema.json", "all.schema.json"]
    change(place, "flow.yaml", "2024-05-01", "2024-05-02")
    assert build(place) == ["copy", "sum"]
    assert (place / ".minihost" / "data" / "all.csv").read_text() == "a\n1\n1\n"


class TestCommands:
    def command(self, place, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "minihost", *arguments], cwd=place, capture_output=True, text=True, timeout=120
        )

    def test_build_and_status(self, place):
        before = self.command(place, "status")
        assert before.returncode == 0
        assert "fill   files   missing  files is not there" in before.stdout
        done = self.command(place, "build", "--project", ".", "list")
        assert done.returncode == 0, done.stderr
        assert "[1/2] fill: missing, files is not there" in done.stderr
        assert done.stderr.splitlines()[-1] == "2 steps ran."
        again = self.command(place, "build", "-f", "flow.yaml", "list")
        assert again.stderr.splitlines()[-1] == "Everything is up to date."
        facts = json.loads(self.command(place, "status", "--json").stdout)
        assert [one["state"] for one in facts] == ["up to date", "up to date", "missing", "missing"]
        assert facts[0]["seconds"] >= 0

    def test_failures_and_mistakes(self, place):
        change(
            place,
            "flow.yaml",
            "{in: rows.csv}, outputs: {out: aside}}",
            "{in: rows.csv}, outputs: {out: aside}, params: {fail: true}}",
        )
        failed = self.command(place, "build", "-q", "aside")
        assert (failed.returncode, failed.stderr.splitlines()[-1]) == (1, "ValueError: told to")
        (facts,) = [one for one in json.loads(self.command(place, "status", "--json").stdout) if one["failed"]]
        assert (facts["step"], facts["state"], facts["failed"]["reason"]) == ("aside", "failed", "ValueError: told to")
        assert "told to" in Path(facts["failed"]["log"]).read_text()
        log = os.path.relpath(facts["failed"]["log"], place)
        shown = self.command(place, "status").stdout.splitlines()[-1]
        assert shown.split() == f"aside aside failed {facts['failed']['at']}: ValueError: told to (log: {log})".split()
        (place / "flow.yaml").write_text("setps: []")
        wrong = self.command(place, "build")
        assert wrong.returncode == 2
        assert "Did you mean 'steps'" in wrong.stderr
        assert self.command(place, "status", "-f", "nothing.yaml").returncode == 2


def test_a_storage_out_of_reach_hides_no_other_step(place):
    pytest.importorskip("s3fs", reason="storages need the extra remote")
    opened(place).run([], Options(quiet=True), force=False, report=lambda line: None)
    change(place, "flow.yaml", "  - {name: fill, macro: fill, creates: [files], params: {where: files}}\n", "")
    bucket = "{url: s3://photos/all, options: {endpoint_url: 'http://127.0.0.1:9', key: k, secret: s, attempts: 1}}"
    change(place, "flow.yaml", "datasets:", f"folders: {{files: {bucket}}}\ndatasets:")
    found = states(place)
    assert found["list"][0] == "stale"
    assert found["list"][1].startswith("it cannot be seen whether its data changed: ")
    assert "127.0.0.1:9" in found["list"][1]
    assert found["aside"][0] == "up to date"


def test_the_sum_of_a_folder_is_the_one_that_earlier_versions_kept(tmp_path):
    from minihost.job import Reference
    from minihost.projects import fingerprints

    folder = tmp_path / "folder"
    for name in ("b/é.txt", "a.txt", "b/.minihost-part-1", 'q"\\.txt', "b.txt", "b/c/d"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "there").symlink_to("b")
    (folder / "gone").symlink_to("nowhere")
    names = ["/a.txt", "/b.txt", "/b/c/d", "/b/é.txt", "/gone", '/q"\\.txt']
    facts = [(folder / name[1:]).lstat() for name in names]
    rows = [[name, one.st_size, one.st_mtime_ns] for name, one in zip(names, facts, strict=True)]
    found = fingerprints.of_data(Reference("in", "MANAGED_FOLDER", "x", "P", str(folder)))
    assert found == fingerprints._sum(rows)
