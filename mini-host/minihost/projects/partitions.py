"""Which partitions a run reads and writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from minihost.folders import is_remote
from minihost.job import Reference


def mistakes(references: Iterable[Reference], partition: str, *, output: bool) -> list[str]:
    """Give partitioned references the partition of a run, and return what is wrong: an output needs one.

    Inputs without a partition of the run read all that they have.
    """
    found = []
    for reference in references:
        if not reference.options.get("partitioning"):
            continue
        if partition:
            reference.partitions = [partition]
        elif output:
            found.append(f"Output {reference.role!r} ({reference.name}) is partitioned: say which partition to write.")
        else:
            reference.partitions = _partitions_of(reference)
    return found


def _partitions_of(reference: Reference) -> list[str]:
    if is_remote(reference.path):
        return []
    if reference.type != "DATASET":
        place = Path(reference.path)
        return sorted(entry.name for entry in place.iterdir() if entry.is_dir()) if place.is_dir() else []
    from minihost.datasets import table

    found = table(Path(reference.path), reference.options)
    return found.partitions() if hasattr(found, "partitions") else []
