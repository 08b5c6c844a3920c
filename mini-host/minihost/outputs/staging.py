"""Begins the stage of an output: locked, swept of what a killed run left, and proved to be writable."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.folders.local import sweep
from minihost.folders.overlay import FILES
from minihost.job import Reference
from minihost.locks import Lock
from minihost.outputs.commits import recover
from minihost.outputs.stages import DATA, Stage, kind_of, lock_of, place_of

LEAST_FREE = 1 << 20


def begin(target: Path, kind: str, facts: dict[str, Any], *, what: str = "") -> Stage:
    """Lock an output, finish or sweep what a killed run left, and prove that it can be written; raises `HostError`."""
    what = what or f"Output {target}"
    target = Path(os.path.realpath(target))
    try:
        _check_target(target, kind, what)
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = Lock(lock_of(target), what, facts).take()
    except OSError as err:
        raise HostError(
            f"{what} cannot be written: {target}: {err.strerror}. Choose another place, or change its rights."
        ) from err
    try:
        recover(target)
        place = place_of(target)
        (place / (FILES if kind == "MANAGED_FOLDER" else DATA)).mkdir(parents=True)
        _probe(place)
        if kind == "MANAGED_FOLDER" and target.is_dir():
            list(sweep(target))
    except OSError as err:
        lock.free()
        raise HostError(
            f"{what} cannot be written: {target}: {err.strerror}. Choose another place, or change its rights."
        ) from err
    return Stage(target, kind, place, lock)


def begin_remote(reference: Reference, place: Path, base: Any) -> Stage:
    """Prepare a stage for what lies at a URL, in a folder of the job; `base`, which opened it, takes it at the end."""
    (place / (FILES if reference.type == "MANAGED_FOLDER" else DATA)).mkdir(parents=True)
    kind = kind_of(reference)
    return Stage(Path(reference.path), kind if kind == "TABLE" else reference.type, place, None, base)


def _check_target(target: Path, kind: str, what: str) -> None:
    if kind == "DATASET" and target.is_dir():
        raise HostError(f"{what} cannot be written: {target} is a folder, and a dataset is a .csv or .parquet file.")
    if kind != "DATASET" and target.exists() and not target.is_dir():
        raise HostError(f"{what} cannot be written: {target} is a file, and this output is a folder.")
    above = next(folder for folder in target.parents if folder.exists())
    if not above.is_dir():
        raise HostError(f"{what} cannot be written: {target}: {above} is a file, not a folder.")
    if target.exists() and not os.access(target, os.W_OK):
        raise HostError(f"{what} cannot be written: {target} is read-only. Choose another place, or change its rights.")


def _probe(place: Path) -> None:
    probe = place / "probe"
    probe.write_bytes(b"x" * 4096)
    probe.unlink()
    if shutil.disk_usage(place).free < LEAST_FREE:
        raise OSError(28, "the disk is full")
