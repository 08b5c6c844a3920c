"""What the text of a reference is: a path or a name, and the name that a path gets."""

from __future__ import annotations

import os
import re

from minihost.datasets import TABLES, WRITTEN
from minihost.datasets.sql import is_sql
from minihost.errors import JobError
from minihost.folders import is_remote

ENDINGS = tuple(f".{name}" for name in TABLES)
"""The endings of files that are datasets."""


LONGEST = 255
"""Bytes in the name of a file or folder."""


def endings(*, output: bool) -> str:
    """Return the endings of datasets that an input or an output may have, for messages."""
    *others, last = (f".{name}" for name in (WRITTEN if output else TABLES))
    return f"{', '.join(others)} or {last}"


def is_path(ref: str) -> bool:
    """Whether a reference looks like a path rather than a name."""
    return "/" in ref or ref.startswith((".", "~")) or ref.lower().endswith(ENDINGS)


def check_place(path: str) -> None:
    """Raise `JobError` for a local path that no disk can have."""
    if is_sql(path) or is_remote(path):
        return
    shown = f"{path[:40]!r}…" if len(path) > 40 else repr(path)
    try:
        is_name = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        is_name = False
    if not is_name:
        raise JobError([f"{shown} has a character that no file name can have."])
    longest = max(len(part.encode("utf-8", "replace")) for part in path.split("/"))
    if longest > LONGEST:
        raise JobError([f"{shown} has a part of {longest} bytes; names of files have at most {LONGEST}."])


def name_of(ref: str) -> str:
    """Return the name of a path: its last part without the ending of a dataset, and without dots: they end project
    keys."""
    last = ref.rstrip("/").rpartition("/")[2]
    for ending in ENDINGS:
        last = last.removesuffix(ending)
    return re.sub(r"[.\s]+", "_", last).strip("_") or "root"
