"""The one editor of flow.yaml: what it refuses, merges, undoes, and what a kill leaves."""

import errno
import json
import os
import shlex
import subprocess
import sys

import pytest
from component_plugins import role, write_components

from minihost.cli import main
from minihost.errors import HostError, JobError
from minihost.projects import flow
from minihost.projects.build_journal import KeptJournal
from minihost.projects.editing import (
    AddDataset,
    AddFolder,
    AddPlugin,
    AddStep,
    CopyStep,
    FlowConflict,
    FlowEditor,
    Remove,
    Rename,
    SetStep,
    Undo,
    change_of,
    whole_file,
)

TEXT = """# What the project is about.
plugins: [plugin]

datasets:
  rows: rows.csv   # by hand

steps:
  # First of all.
  - recipe: do
    inputs: {in: rows}
    outputs: {out: first}
    params: {n: 1}

  - recipe: do
    inputs: {in: first}
    outputs: {out: second, cache: cache}
  - macro: act
    creates: [made]
    params: {target: made}
"""
PARAMS = [{"name": name, "type": kind} for name, kind in (("n", "INT"), ("text", "STRING"), ("key", "PASSWORD"), ("flag", "BOOLEAN"))]  # fmt: skip


@pytest.fixture
def place(tmp_path):
    caches = role("cache", folder=True, required=False, minihost={"cache": True})
    recipe = {"inputRoles": [role("in")], "outputRoles": [role("out"), caches], "params": PARAMS}
    macro = {"params": [{"name": "target", "type": "MANAGED_FOLDER"}]}
    write_components(tmp_path / "plugin", {"do": (recipe, "")}, {"act": (macro, "")})
    (tmp_path / "rows.csv").write_text("a\n1\n")
    (tmp_path / "flow.yaml").write_text(TEXT)
    return tmp_path


def text(place):
    return (place / "flow.yaml").read_bytes().decode()


def refused(place, change):
    before = text(place)
    with pytest.raises(JobError) as caught:
        FlowEditor(place).apply(change)
    assert text(place) == before
    return "\n".join(caught.value.mistakes)


EDITS = [
    AddStep("do", "recipe", "third", {"in": ["second"]}, {"out": ["third"]}, {"n": 2, "text": "no", "flag": True}, after="do"),
    AddStep("act", creates=("new one",), params={"target": "new one"}),
    SetStep("do-2", {"in": ["rows"]}, {"cache": []}, {"text": "a=b: 'c'"}, name="-second"),
    SetStep("act", unset=("target",), creates=()),
    CopyStep("do-2"),
    Remove(("step:act", "do-2")),
    Remove(("do",), force=True),
    Rename("rows", "people & co"),
    Rename("made", "models"),
    Rename("do", "do it"),
    AddFolder("pictures", {"path": "some where", "in_place": True}),
    AddDataset("-t", {"format": "tsv", "separator": ";"}),
]  # fmt: skip


@pytest.mark.parametrize("change", EDITS, ids=lambda change: change.command)
def test_the_command_of_an_edit_makes_the_same_edit_and_undo_gives_the_bytes_back(place, change, monkeypatch):
    monkeypatch.chdir(place)
    applied = FlowEditor(place).apply(change)
    after = text(place)
    assert after != TEXT and applied.digest == FlowEditor(place).version().digest and applied.summary
    assert FlowEditor(place).apply(Undo()).summary.startswith("Undone: ")
    assert text(place) == TEXT
    assert main(shlex.split(applied.command)[1:]) == 0
    assert text(place) == after
    assert main(["undo"]) == 0
    assert text(place) == TEXT


def test_names_that_are_not_written_stay_the_same(place):
    FlowEditor(place).apply(Remove(("do",), force=True))
    assert [step.name for step in flow.read(place / "flow.yaml").steps] == ["do-2", "act"]
    assert "# First of all." not in text(place) and "  - name: do-2\n    recipe: do\n" in text(place)
    FlowEditor(place).apply(Undo())
    FlowEditor(place).apply(AddStep("do", outputs={"out": "x"}, after="do"))
    assert [step.name for step in flow.read(place / "flow.yaml").steps] == ["do", "do-3", "do-2", "act"]


def test_a_renamed_step_and_folder_keep_their_record_and_data(place):
    own = place / ".minihost"
    (own / "data" / "made").mkdir(parents=True)
    (own / "data" / "made" / "file").write_text("x")
    (own / "state.json").write_text(json.dumps({"steps": {"act": {"finished": "now"}, "do": {}}}))
    FlowEditor(place).apply(Rename("act", "fill"))
    assert set(json.loads((own / "state.json").read_text())["steps"]) == {"fill", "do"}
    FlowEditor(place).apply(Rename("made", "model"))
    assert (own / "data" / "model" / "file").read_text() == "x" and not (own / "data" / "made").exists()
    assert "creates: [model]\n    params: {target: model}\n" in text(place)
    for _ in range(2):
        FlowEditor(place).apply(Undo())
    assert (own / "data" / "made" / "file").exists() and text(place) == TEXT
    assert set(json.loads((own / "state.json").read_text())["steps"]) == {"act", "do"}


def test_nothing_is_renamed_under_a_build_that_runs(place):
    with KeptJournal(place, "minihost build") as journal:
        journal.begin([], flow.read(place / "flow.yaml").steps, force=False)
        with pytest.raises(HostError, match="A build goes on"):
            FlowEditor(place).apply(Rename("act", "fill"))
        assert text(place) == TEXT
        FlowEditor(place).apply(SetStep("act", unset=("target",)))
    FlowEditor(place).apply(Rename("act", "fill"))


def test_a_path_that_is_renamed_gets_a_name(place):
    FlowEditor(place).apply(SetStep("do", {"in": "other.csv"} if (place / "other.csv").write_text("a\n") else {}))
    FlowEditor(place).apply(Rename("other.csv", "others"))
    assert "  rows: rows.csv   # by hand\n  others: other.csv\n" in text(place)
    assert "inputs: {in: others}" in text(place)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (AddStep("dо"), "There is no component"),
        (AddStep("do", outputs={"out": "second"}), "is written by two steps"),
        (AddStep("do", params={"m": 1, "n": "x"}), "There is no parameter 'm'"),
        (AddStep("do", inputs={"in": "frist"}), "Did you mean 'first'"),
        (AddStep("do", name="act"), "There is a step 'act' already"),
        (SetStep("do-22"), "There is no step 'do-22' in the flow. Did you mean 'do-2'?"),
        (SetStep("do"), "Say what is to change"),
        (SetStep("do", inputs={"in": "second"}), "wait for each other in a circle"),
        (SetStep("do", unset=("text",)), "sets no parameter 'text'. Set are: n."),
        (Remove(("do",)), "'first', which do makes, is read by do-2. Remove do-2 as well, or use --force"),
        (Remove(("rows",)), "'rows' is still used: the step do reads it. Remove that step as well."),
        (Remove(("first",)), "'first' is not declared"),
        (Rename("rows", "first"), "There is 'first' in the project already"),
        (Rename("rows", "a/b"), "it reads like a path"),
        (Rename("act", " "), "it is empty"),
        (AddFolder("x", {"pth": "y"}), "there is no 'pth'. Did you mean 'path'?"),
        (AddPlugin("nowhere"), "nowhere"),
        (AddPlugin("plugin"), "has the plugin plugin already"),
        (Undo(), "There is no edit of flow.yaml to undo"),
    ],
)
def test_edits_that_are_wrong_change_nothing(place, change, wanted):
    if isinstance(change, AddPlugin) and change.path == "nowhere":
        with pytest.raises(HostError, match="nowhere"):
            FlowEditor(place).apply(change)
        assert text(place) == TEXT
    else:
        assert wanted in refused(place, change)


def test_a_mistake_that_was_there_before_hinders_no_other_edit(place):
    (place / "flow.yaml").write_text(TEXT.replace("{n: 1}", "{n: x}"))
    FlowEditor(place).apply(SetStep("do", params={"text": "y"}))
    assert "params: {n: x, text: y}" in text(place)


def test_a_password_is_warned_of(place):
    applied = FlowEditor(place).apply(SetStep("do", params={"key": "s3cret"}))
    assert "key of do stands in flow.yaml" in applied.warnings[0] and "s3cret" not in applied.summary


@pytest.mark.parametrize(
    ("broken", "line"), [("steps: [\n", 2), ("a: 1\nsteps: []\n", 1), ("steps: []\nsteps: []\n", 2), ("steps:\n  - recipe: a\n  - recpe: b\n", 3)]
)  # fmt: skip
def test_a_broken_file_is_shown_with_its_line_and_left_alone(place, broken, line):
    (place / "flow.yaml").write_text(broken)
    version = FlowEditor(place).version()
    assert (version.facts, version.line) == (None, line) and version.mistakes
    assert "Mend it first" in refused(place, AddFolder("a"))


def test_edits_of_other_things_are_merged_and_of_the_same_thing_refused(place):
    editor = FlowEditor(place)
    base = editor.shown()
    (place / "flow.yaml").write_text("# By hand.\n" + TEXT.replace("{n: 1}", "{n: 5}"))
    editor.apply(SetStep("do-2", params={"n": 7}), base)
    assert text(place).startswith("# By hand.\n") and "{n: 5}" in text(place) and "{n: 7}" in text(place)
    before = text(place)
    with pytest.raises(FlowConflict) as caught:
        editor.apply(SetStep("do", params={"n": 6}), base)
    assert "-    params: {n: 1}\n+    params: {n: 5}" in caught.value.diff and text(place) == before
    with pytest.raises(FlowConflict):
        editor.apply(AddFolder("a"), "0" * 64)
    (place / "flow.yaml").write_text(before + "# Again.\n")
    with pytest.raises(FlowConflict, match="changed by hand"):
        editor.apply(Undo())
    assert text(place) == before + "# Again.\n"


def test_an_edit_keeps_links_modes_marks_and_line_ends(place):
    real = place / "elsewhere.yaml"
    (place / "flow.yaml").rename(real)
    content = b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode().rstrip()
    real.write_bytes(content)
    real.chmod(0o640)
    (place / "flow.yaml").symlink_to("elsewhere.yaml")
    FlowEditor(place).apply(AddFolder("a", {"path": "b"}))
    section = b"\r\n\r\nfolders:\r\n  a: b" if content.find(b"datasets") < 0 else b"\r\n\r\nfolders:\r\n  a: b\r\n"
    assert real.read_bytes() == content.replace(b"[plugin]\r\n", b"[plugin]" + section)
    assert (place / "flow.yaml").is_symlink() and real.stat().st_mode & 0o777 == 0o640
    real.chmod(0o440)
    with pytest.raises(HostError, match="is read-only"):
        FlowEditor(place).apply(AddFolder("c", {"path": "d"}))


def test_a_full_disk_is_said_and_leaves_the_file(place, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(whole_file.os, "fsync", full)
    with pytest.raises(HostError, match="No space"):
        FlowEditor(place).apply(AddFolder("a"))
    monkeypatch.undo()
    assert text(place) == TEXT and not list(place.glob(".*.part"))
    FlowEditor(place).apply(AddFolder("a"))
    FlowEditor(place).apply(Undo())
    assert text(place) == TEXT


KILLED = """
import os, sys
from pathlib import Path
from minihost.projects.editing import AddFolder, FlowEditor, Rename
calls, wanted = 0, int(sys.argv[1])
def killing(name):
    real = getattr(os, name)
    def call(*arguments, **more):
        global calls
        calls += 1
        if calls == wanted:
            os._exit(9)
        return real(*arguments, **more)
    setattr(os, name, call)
for name in ("fsync", "replace", "chmod", "rename"):
    killing(name)
FlowEditor(Path.cwd()).apply(Rename("made", "model"))
"""


def test_a_kill_at_any_moment_leaves_a_whole_file_with_its_data(place):
    data = place / ".minihost" / "data"
    (data / "made").mkdir(parents=True)
    (data / "made" / "file").write_text("x")
    code, moment = 9, 0
    while code == 9:
        moment += 1
        code = subprocess.run([sys.executable, "-c", KILLED, str(moment)], cwd=place, env=os.environ).returncode
        done = "creates: [model]" in text(place)
        assert done or text(place) == TEXT
        FlowEditor(place).apply(AddFolder("probe", {"path": "p"}))
        assert (data / ("model" if done else "made") / "file").exists()
        for _ in range(2 if done else 1):
            FlowEditor(place).apply(Undo())
        assert text(place) == TEXT and (data / "made" / "file").exists()
    assert code == 0 and moment > 4


MANY = """
import sys
from pathlib import Path
from minihost.projects.editing import AddFolder, FlowEditor
editor = FlowEditor(Path.cwd())
base = editor.shown()
for number in range(8):
    editor.apply(AddFolder(f"{sys.argv[1]}{number}", {"path": "x"}), base)
"""


def test_two_processes_at_once_lose_nothing(place):
    both = [subprocess.Popen([sys.executable, "-c", MANY, name], cwd=place) for name in "ab"]
    assert [one.wait() for one in both] == [0, 0]
    assert set(flow.read(place / "flow.yaml").folders) == {f"{name}{number}" for name in "ab" for number in range(8)}


def test_edits_as_json(place):
    facts = {
        "kind": "add_step",
        "component": "do",
        "component_kind": "recipe",
        "inputs": {"in": ["rows"]},
        "creates": [],
    }
    assert change_of(facts) == AddStep("do", "recipe", inputs={"in": ["rows"]})
    assert change_of({"kind": "remove", "names": ["a"]}) == Remove(("a",))
    for wrong in (
        {"kind": "ad_step"},
        {"kind": ["x"]},
        {"kind": "rename", "old": "a"},
        {"kind": "remove", "names": "abc"},
        {"kind": "add_step", "component": "x", "inputs": {"a": 1}},
        {"kind": "undo", "more": 1},
    ):
        with pytest.raises(JobError):
            change_of(wrong)
