"""What the text of a reference is: a path or a name, and the name that a path gets."""

from __future__ import annotations

import re

from minihost.datasets import TABLES, WRITTEN

ENDINGS = tuple(f".{name}" for name in TABLES)
"""The endings of files that are datasets."""


def endings(*, output: bool) -> str:
    """Return the endings of datasets that an input or an output may have, for messages."""
    *others, last = (f".{name}" for name in (WRITTEN if output else TABLES))
    return f"{', '.join(others)} or {last}"


def is_path(ref: str) -> bool:
    """Whether a reference looks like a path rather than a name."""
    return "/" in ref or ref.startswith((".", "~")) or ref.lower().endswith(ENDINGS)


def name_of(ref: str) -> str:
    """Return the name of a path: its last part without the ending of a dataset, and without dots: they end project
    keys."""
    last = ref.rstrip("/").rpartition("/")[2]
    for ending in ENDINGS:
        last = last.removesuffix(ending)
    return re.sub(r"[.\s]+", "_", last).strip("_") or "root"
