"""Short sums that tell whether something is still what it was: data by path, size and date; plugins by content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from minihost.datasets import table
from minihost.datasets.remote import opened
from minihost.datasets.schema import schema_file
from minihost.datasets.sql import is_sql
from minihost.folders import is_remote
from minihost.folders.local import LocalFolder
from minihost.job import Reference
from minihost.plugins import Component, Plugin

WHOLE = 1 << 20
"""Files of a plugin up to this size are summed by content, larger ones by size and date."""


def of_data(reference: Reference) -> str:
    """Return the sum of a dataset or folder; the empty text when there is nothing."""
    if is_sql(reference.path):
        from minihost.datasets.sql.content_sums import content_sum

        found = content_sum(table(reference.path))
        return _sum(found) if found else ""
    if is_remote(reference.path):
        remote = opened(reference)
        if hasattr(remote, "sums"):
            return _sum(found) if (found := remote.sums()) else ""
        return _sum(remote.paths()) if reference.type != "DATASET" else ""
    path = Path(reference.path)
    if path.is_dir():
        return _sum_of_stamps(LocalFolder(path).stamps())
    if not path.exists():
        return ""
    return _sum([one.name, *_facts(one)] for one in (path, schema_file(path)) if one.exists())


def stamp(path: Path) -> tuple[int, ...]:
    """Return what changes when a file does: its date, size and number; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def of_plugin(plugin: Plugin, component: Component) -> str:
    """Return the sum of a plugin's version and of the code that a component may use."""
    found: list[Any] = [plugin.version]
    for folder in (component.folder, plugin.python_lib, plugin.resource, plugin.root / "parameter-sets"):
        found += [[str(path.relative_to(plugin.root)), _content(path)] for path in _files(folder)]
    return _sum(found)


def of_rows(rows: Iterable[Any]) -> str:
    """Return the sum of facts about many files, one after the other."""
    return _sum(rows)


def of_facts(facts: Any) -> str:
    """Return the sum of plain data: parameters, names."""
    return _sum([facts])


def _files(folder: Path) -> Iterable[Path]:
    for place, subfolders, names in os.walk(folder):
        subfolders[:] = sorted(name for name in subfolders if name != "__pycache__" and not name.endswith(".egg-info"))
        for name in sorted(names):
            if not name.endswith(".pyc"):
                yield Path(place, name)


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > WHOLE:
            return str(_facts(path))
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as err:
        return str(err.errno)


def _facts(path: Path) -> list[int]:
    try:
        found = path.lstat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def _sum(facts: Iterable[Any]) -> str:
    total = hashlib.sha256()
    for fact in facts:
        total.update(json.dumps(fact, sort_keys=True, default=str).encode())
        total.update(b"\n")
    return total.hexdigest()[:32]


def _sum_of_stamps(stamps: Iterable[tuple[str, int, int]]) -> str:
    """The same as `_sum` of lists of a name, a size and a time, written faster."""
    name_of = json.encoder.encode_basestring_ascii
    lines = (f"[{name_of(name)}, {size}, {at}]\n" if at != -1 else f"[{name_of(name)}]\n" for name, size, at in stamps)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:32]
