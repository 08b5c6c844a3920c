"""Tables that a user gave to earlier runs: an output must not replace them unasked, such as labels made by hand."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from minihost.datasets import schema
from minihost.datasets.remote import opened
from minihost.errors import DataError
from minihost.folders import is_remote
from minihost.job import Reference
from minihost.outputs import commits

TEXT_TABLES = (".csv", ".tsv")


def refusal(reference: Reference, ref: str, project: Path) -> str:
    """Return why an output may not replace the table that lies there, or the empty text where it may.

    It may not where an earlier run, whose record is kept, read the table, and the host did not write it: all that the
    host writes has a schema file.
    """
    path = Path(reference.path)
    if reference.type != "DATASET" or path.suffix.lower() not in TEXT_TABLES:
        return ""
    if reference.options.get("append") or reference.options.get("partitioning"):
        return ""
    if is_remote(reference.path):
        if not _was_read(reference.path, project) or not _is_foreign(reference):
            return ""
    else:
        commits.recover_unlocked(path)
        if not path.is_file() or schema.schema_file(path).exists() or not _was_read(str(path), project):
            return ""
    return (
        f"The output role {reference.role!r}: {ref} is a table that an earlier run read, and it was not written by "
        "minihost. Choose another name, or add --overwrite to replace it."
    )


def _is_foreign(reference: Reference) -> bool:
    """Whether a table lies at the URL that the host did not write; what a storage has against it is said later."""
    with contextlib.suppress(DataError):
        remote: Any = opened(reference)
        return bool(hasattr(remote, "is_foreign") and remote.is_foreign())
    return False


def _was_read(path: str, project: Path) -> bool:
    """Whether a kept record of a job names the table as an input."""
    for record in (project / ".minihost" / "jobs").glob("*/job.json"):
        try:
            inputs = json.loads(record.read_text(encoding="utf-8"))["inputs"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if any(one["path"] == path for one in inputs):
            return True
    return False
