"""Puts the outputs of a run in their place: all of them completely, or none.

Success is one file, `commit.json`, written last; what follows are renames, which any later run finishes if this one was
killed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.folders.local import LocalFolder
from minihost.folders.overlay import FILES
from minihost.locks import Lock
from minihost.outputs import tables
from minihost.outputs.sending import put_remote
from minihost.outputs.stages import COMMIT, DATA, Stage, lock_of, place_of


def commit(stages: list[Stage]) -> None:
    """Put all outputs in their place, or none; raises `HostError` when the disk refuses before that is decided.

    Those in buckets come first, because networks fail more often than disks.

    The first stage is marked last: its mark decides for all. It is also the last to be moved, so as long as anything is
    left to do, its mark is there to say so.
    """
    of_tables = [stage for stage in stages if stage.kind == "TABLE"]
    files = [stage for stage in stages if stage.kind != "TABLE"]
    try:
        with tables.filled(of_tables, stages) as visible:
            _commit_files(put_remote(files), visible)
    finally:
        for stage in of_tables:
            shutil.rmtree(stage.place, ignore_errors=True)


def _commit_files(stages: list[Stage], decide: Callable[[], None]) -> None:
    """Put the outputs that are files in their place; `decide` is called when nothing else stands in their way."""
    if not stages:
        decide()
        return
    first, *rest = stages
    try:
        for stage in rest:
            _mark(stage, decided_by=str(first.place))
        decide()
        _mark(first, peers=[[str(stage.target), str(stage.place)] for stage in rest if stage.base is None])
    except OSError as err:
        for stage in stages:
            stage.discard()
        raise HostError(f"The outputs could not be put in place, what was there before is kept: {err}.") from err
    try:
        for stage in (*rest, first):
            finish(stage.target, stage.place, stage.base)
    except OSError as err:
        raise HostError(f"{stage.target} is not in place yet: {err}. The next run that uses it puts it there.") from err
    finally:
        for stage in stages:
            if stage.lock is not None:
                stage.lock.free()


def _mark(stage: Stage, **more: Any) -> None:
    plan: dict[str, Any] = {"kind": stage.kind, "delete": [], **more}
    if stage.kind == "MANAGED_FOLDER":
        folder = stage.folder
        kept, new = set(folder.kept()), set(folder.upper.paths())
        before = folder.base.paths() if stage.base is not None or stage.target.is_dir() else []
        plan["delete"] = [path for path in before if path not in kept and path not in new]
    _sync(stage.place / (FILES if stage.kind == "MANAGED_FOLDER" else DATA))
    part = stage.place / "commit.part"
    with open(part, "w", encoding="utf-8") as file:
        json.dump(plan, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(stage.place / COMMIT)


def _sync(folder: Path) -> None:
    """Make sure that the new files are on the disk before anything says that they are."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)


def recover(target: Path) -> str:
    """Finish a commit that was interrupted or sweep a stage that never succeeded; answer "finished", "swept" or ""."""
    target = Path(os.path.realpath(target))
    place = place_of(target)
    if not place.is_dir():
        return ""
    if not (place / COMMIT).exists() or not _decided(place):
        shutil.rmtree(place)
        return "swept"
    for peer, its_place in _plan(place).get("peers", []):
        if (Path(its_place) / COMMIT).exists():
            finish(Path(peer), Path(its_place))
    finish(target, place)
    return "finished"


def _decided(place: Path) -> bool:
    """Whether the commit that a marked stage belongs to was decided on."""
    decided_by = _plan(place).get("decided_by")
    return decided_by is None or (Path(decided_by) / COMMIT).exists()


def _plan(place: Path) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads((place / COMMIT).read_text(encoding="utf-8"))
    return plan


def recover_unlocked(target: Path) -> str:
    """Do what `recover` does unless a run holds the output right now."""
    if not place_of(Path(os.path.realpath(target))).is_dir():
        return ""
    try:
        with Lock(lock_of(Path(os.path.realpath(target))), str(target), {}):
            return recover(target)
    except (HostError, OSError):
        return ""


def finish(target: Path, place: Path, base: Any = None) -> None:
    """Carry out a commit; safe to repeat from the start after an interruption."""
    plan = _plan(place)
    if plan["kind"] != "MANAGED_FOLDER" and base is not None:
        from minihost.datasets.remote import put

        put(base, Stage(target, plan["kind"], place).data)
    elif plan["kind"] != "MANAGED_FOLDER":
        for path in sorted((place / DATA).iterdir(), key=lambda path: path.name == target.name):
            if path.is_dir():
                _move_tree(path, target.parent / path.name)
            else:
                path.replace(target.parent / path.name)
    else:
        if base is None:
            for path in plan["delete"]:
                LocalFolder(target).delete(path)
            if plan["delete"]:
                _forget_deletions(place, plan)
            target.mkdir(parents=True, exist_ok=True)
            _move_tree(place / FILES, target)
        else:
            upper = LocalFolder(place / FILES)
            for name in upper.paths():
                with upper.open(name) as content:
                    base.write(name, content)
            for path in plan["delete"]:
                base.delete(path)
    shutil.rmtree(place)


def _forget_deletions(place: Path, plan: dict[str, Any]) -> None:
    part = place / "commit.part"
    part.write_text(json.dumps({**plan, "delete": []}), encoding="utf-8")
    part.replace(place / COMMIT)


def _move_tree(source: Path, target: Path) -> None:
    """Move every file of one folder into another, replacing files and whatever else stands in their way."""
    if not target.is_dir():
        target.unlink(missing_ok=True)
        target.mkdir()
    for path in sorted(source.iterdir()):
        there = target / path.name
        if path.is_dir() and not path.is_symlink():
            _move_tree(path, there)
        elif _unchanged(path, there):
            path.unlink()
        else:
            if there.is_dir() and not there.is_symlink():
                shutil.rmtree(there)
            path.replace(there)


def _unchanged(path: Path, there: Path) -> bool:
    """Whether a file of the stage is the untouched copy of one that is there already."""
    try:
        new, old = path.lstat(), there.lstat()
    except FileNotFoundError:
        return False
    return (new.st_size, new.st_mtime_ns, new.st_mode) == (old.st_size, old.st_mtime_ns, old.st_mode)
