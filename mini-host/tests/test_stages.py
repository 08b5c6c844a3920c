"""Outputs appear completely or not at all, whatever moment a run dies at."""

import contextlib
import io
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from minihost.errors import HostError
from minihost.folders.local import LocalFolder
from minihost.locks import Lock, OutputBusy
from minihost.outputs import commits, stages, staging

FACTS = {"component": "p/c", "since": "10:32", "log": "x/log"}


def begin_folder(target):
    return staging.begin(target, "MANAGED_FOLDER", FACTS)


def files(root):
    return {path: LocalFolder(root).open(path).read() for path in LocalFolder(root).paths()}


def test_a_dataset_and_its_schema_take_their_place_together(tmp_path):
    stage = staging.begin(tmp_path / "out" / "x.csv", "DATASET", FACTS)
    stage.data.write_text("a\n1\n")
    (stage.data.parent / "x.schema.json").write_text("{}")
    assert not (tmp_path / "out" / "x.csv").exists()
    commits.commit([stage])
    assert sorted(os.listdir(tmp_path / "out")) == ["x.csv", "x.schema.json"]


def test_discarding_leaves_what_was_there(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "old").write_text("old")
    stage = begin_folder(tmp_path / "m")
    stage.folder.clear()
    stage.folder.write("new", io.BytesIO(b"new"))
    stage.discard()
    assert files(tmp_path / "m") == {"/old": b"old"}
    assert os.listdir(tmp_path) == ["m"]


def test_unsuccessful_stages_of_killed_runs_are_swept(tmp_path):
    stage = begin_folder(tmp_path / "m")
    (stage.place / "files" / "half").write_text("x")
    stage.lock.free()
    again = begin_folder(tmp_path / "m")
    assert again.folder.paths() == []
    again.discard()
    assert os.listdir(tmp_path) == []


class Died(BaseException):
    pass


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("point", range(0, 14))
def test_a_commit_that_is_killed_anywhere_is_finished_by_the_next_run(tmp_path, monkeypatch, point, order):
    target, table = tmp_path / "m", tmp_path / "t.csv"
    (target / "sub").mkdir(parents=True)
    for name in ("a", "b", "sub/c"):
        (target / name).write_text("old")
    table.write_text("old")
    folder_stage, table_stage = begin_folder(target), staging.begin(table, "DATASET", FACTS)
    overlay = folder_stage.folder
    overlay.delete("b")
    for name in ("a", "sub/d"):
        with overlay.writing(name) as stream:
            stream.write(b"new")
    overlay.delete("sub/c")
    table_stage.data.write_text("new")
    left = [point]

    def counted(call):
        def step(*arguments, **named):
            left[0] -= 1
            if left[0] < 0:
                raise Died
            return call(*arguments, **named)

        return step

    with monkeypatch.context() as patch:
        for name in ("replace", "unlink", "mkdir", "rmdir"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        patch.setattr(stages.shutil, "rmtree", counted(stages.shutil.rmtree))
        with contextlib.suppress(Died):
            commits.commit([folder_stage, table_stage])
    # The first stage is marked last and moved last, so its mark is what decides.
    decided = (stages.place_of(target) / stages.COMMIT).exists() or (target / "sub" / "d").exists()
    for stage in (folder_stage, table_stage):
        if stage.lock.descriptor >= 0:
            os.close(stage.lock.descriptor)  # what the system does when a process dies
    for place in order:
        commits.recover_unlocked((target, table)[place])
    old = {"/a": b"old", "/b": b"old", "/sub/c": b"old"}, "old"
    new = {"/a": b"new", "/sub/d": b"new"}, "new"
    assert (files(target), table.read_text()) == (new if decided else old)
    assert not list(tmp_path.glob(".minihost-stage*"))


def test_two_runs_on_one_output(tmp_path):
    stage = begin_folder(tmp_path / "m")
    with pytest.raises(
        OutputBusy,
        match=rf"is being written by another run: p/c, process {os.getpid()} on .+ since 10:32 \(log: x/log\)",
    ):
        begin_folder(tmp_path / "m")
    assert commits.recover_unlocked(tmp_path / "m") == ""
    assert stage.place.is_dir()
    stage.discard()
    begin_folder(tmp_path / "m").discard()


def _hold(path, ready):
    Lock(Path(path), "x", FACTS).take()
    ready.set()
    os._exit(0)


def test_a_lock_of_a_dead_process_is_free(tmp_path):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=_hold, args=(str(tmp_path / "lock"), ready))
    process.start()
    process.join()
    assert ready.is_set()
    assert (tmp_path / "lock").exists()
    with Lock(tmp_path / "lock", "x", FACTS):
        pass
    assert not (tmp_path / "lock").exists()


@pytest.mark.parametrize(
    ("kind", "make", "what"),
    [
        ("DATASET", lambda path: path.mkdir(), "is a folder, and a dataset is"),
        ("MANAGED_FOLDER", lambda path: path.write_text("x"), "is a file, and this output is a folder"),
    ],
)
def test_targets_of_the_wrong_kind(tmp_path, kind, make, what):
    make(tmp_path / "x.csv")
    with pytest.raises(HostError, match=what):
        staging.begin(tmp_path / "x.csv", kind, FACTS)


def test_a_place_that_cannot_be_written_to_is_said_before_the_run(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        HostError, match=r"Output scored \(s\) cannot be written: .*file is a file, not a folder"
    ) as caught:
        staging.begin(tmp_path / "file" / "x.csv", "DATASET", FACTS, what="Output scored (s)")
    assert caught.value.exit_code == 2


def test_a_full_disk_is_said_before_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(staging, "LEAST_FREE", 1 << 62)
    with pytest.raises(HostError, match="the disk is full"):
        begin_folder(tmp_path / "m")
    monkeypatch.undo()
    begin_folder(tmp_path / "m").discard()


def test_long_names_have_stages(tmp_path):
    stage = begin_folder(tmp_path / ("x" * 255))
    stage.discard()


def test_a_folder_that_is_a_link_is_written_where_it_leads(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    stage = begin_folder(tmp_path / "link")
    with stage.folder.writing("x") as stream:
        stream.write(b"1")
    commits.commit([stage])
    assert (tmp_path / "link").is_symlink()
    assert files(tmp_path / "real") == {"/x": b"1"}


def test_a_folder_whose_parent_cannot_be_written_to_holds_its_own_stage(tmp_path, monkeypatch):
    (tmp_path / "m").mkdir()
    monkeypatch.setattr(stages.os.path, "ismount", lambda path: True)
    stage = begin_folder(tmp_path / "m")
    assert stage.place.parent == tmp_path / "m"
    with stage.folder.writing("x") as stream:
        stream.write(b"1")
    assert LocalFolder(tmp_path / "m").paths() == []
    commits.commit([stage])
    assert os.listdir(tmp_path / "m") == ["x"]


def test_unchanged_copies_keep_their_file(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "large").write_bytes(b"x" * 1000)
    before = os.stat(tmp_path / "m" / "large").st_ino
    stage = begin_folder(tmp_path / "m")
    (stage.folder.whole() / "small").write_text("1")
    commits.commit([stage])
    assert os.stat(tmp_path / "m" / "large").st_ino == before
    assert files(tmp_path / "m").keys() == {"/large", "/small"}


def test_a_full_copy_that_does_not_fit_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "large").write_bytes(b"x" * 1000)
    stage = begin_folder(tmp_path / "m")
    monkeypatch.setattr("minihost.folders.overlay.shutil.disk_usage", lambda place: type("Usage", (), {"free": 10}))
    with pytest.raises(HostError, match="in_place: true"):
        stage.folder.whole()
    monkeypatch.undo()
    stage.discard()


def test_the_marks_are_refused_by_the_disk(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("old")
    stage = staging.begin(tmp_path / "t.csv", "DATASET", FACTS)
    stage.data.write_text("new")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stages.os, "fsync", full)
    with pytest.raises(HostError, match="what was there before is kept"):
        commits.commit([stage])
    assert (tmp_path / "t.csv").read_text() == "old"
    assert os.listdir(tmp_path) == ["t.csv"]


def test_the_plan_of_a_commit_is_written_last(tmp_path):
    stage = staging.begin(tmp_path / "t.csv", "DATASET", FACTS)
    stage.data.write_text("new")
    commits._mark(stage)
    assert json.loads((stage.place / stages.COMMIT).read_text()) == {"kind": "DATASET", "delete": []}
    stage.lock.free()
    assert commits.recover_unlocked(tmp_path / "t.csv") == "finished"
    assert (tmp_path / "t.csv").read_text() == "new"
