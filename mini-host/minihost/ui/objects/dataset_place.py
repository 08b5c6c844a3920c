"""The table of a dataset's page: a file, a partition, a table of a database, or a copy of a small object elsewhere."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any

from minihost.datasets import remote, table
from minihost.datasets.partitioned import PartitionedTable
from minihost.datasets.sql import is_sql
from minihost.errors import DataError
from minihost.folders import is_remote
from minihost.projects.fingerprints import stamp
from minihost.ui.objects.media import size_text
from minihost.ui.objects.places import Place

LARGEST_COPY = 20 << 20
"""Bytes of an object elsewhere that is fetched to be looked at."""

_lock = threading.Lock()
_kept: dict[str, Any] = {}


def table_of(place: Place, partition: str = "") -> Any:
    """Return what reads a dataset; raises `DataError` where there is nothing to read, with what to do."""
    path, options = place.reference.path, place.reference.options
    if is_remote(path):
        return _copy(place)
    found = table(path, options)
    if isinstance(found, PartitionedTable):
        if not found.exists():
            raise DataError(f"{path} has no partition with data yet.")
        return found.partition(partition) if partition else found
    if not found.exists():
        raise DataError(_missing(path))
    return found


def _missing(path: str) -> str:
    if is_sql(path):
        return "There is no such table in the database yet."
    if Path(path).is_dir():
        return f"{path} is a folder, and a dataset is a file. Correct its path in flow.yaml."
    if Path(path).exists():
        return f"{path} is not a regular file."
    return f"{path} does not exist yet."


def stamp_of(place: Place) -> tuple[int, ...]:
    """Return what changes when a local dataset does."""
    return stamp(Path(place.reference.path))


def _copy(place: Place) -> Any:
    """The table of an object elsewhere, fetched once for each state of it."""
    opened = remote.open_dataset(place.reference)
    if not isinstance(opened, remote.RemoteFile):
        if opened.columns() is None:
            raise DataError(f"{place.shown_path} does not exist yet.")
        return opened
    facts = opened.folder.look(opened.url.name)
    if facts.folder or facts.size > LARGEST_COPY:
        raise DataError(
            f"{place.shown_path} has {size_text(facts.size)}; up to {size_text(LARGEST_COPY)} are fetched for this "
            "page. Recipes read all of it."
        )
    with _lock:
        if "folder" not in _kept:
            _kept["folder"] = tempfile.TemporaryDirectory(prefix="minihost-ui-")
        name = f"{abs(hash((place.reference.path, facts.size, facts.modified)))}"
        return opened.fetched(Path(_kept["folder"].name) / name)
