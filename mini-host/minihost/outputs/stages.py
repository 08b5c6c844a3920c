"""Where outputs are written until a run has succeeded.

Beside an output `out/scored.csv` a run keeps `out/.minihost-stage.scored.csv/` (inside the folder itself where its
parent cannot be written to). Datasets lie there under `data/`, folders as an overlay (see `minihost.folders.overlay`).
`minihost.outputs.staging` begins stages, `minihost.outputs.commits` puts them in their place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minihost.datasets.sql import is_sql
from minihost.errors import HostError
from minihost.folders.local import LocalFolder
from minihost.folders.overlay import FILES, OverlayFolder
from minihost.folders.paths import OWN
from minihost.job import Reference
from minihost.locks import Lock

DATA, COMMIT = "data", "commit.json"


@dataclass
class Stage:
    """The stage of one output.

    `kind` is DATASET, PARTITIONS (a dataset that is a directory of partitions), TABLE (one that is a SQL table) or
    MANAGED_FOLDER; `base` is set for a folder or dataset that is not on the local disk.
    """

    target: Path
    kind: str
    place: Path
    lock: Lock | None = None
    base: Any = None

    @property
    def folder(self) -> OverlayFolder:
        """The folder as it will be."""
        return OverlayFolder(self.base or LocalFolder(self.target), self.place)

    @property
    def data(self) -> Path:
        """Where the dataset's file is written; for a URL that names no format a CSV file, handed on at the end."""
        if self.kind == "TABLE":
            return self.place / DATA / "rows.sqlite"
        named = self.target.is_absolute() or self.target.suffix in (".csv", ".tsv", ".parquet")
        return self.place / DATA / (self.target.name if named else "rows.csv")

    def settled(self, text: str) -> str:
        """Return a text with the output's own paths in place of those in the stage, which is gone after the run."""
        if self.base is not None:
            return text
        for staged in (self.place / FILES, self.data):
            text = text.replace(str(staged), str(self.target))
        return text

    def written(self) -> bool:
        """Whether the run wrote the dataset, or changed anything in the folder."""
        if self.kind == "PARTITIONS":
            return any(path.suffix != ".json" for path in self.data.glob("*")) if self.data.is_dir() else False
        return self.folder.touched() if self.kind == "MANAGED_FOLDER" else self.data.exists()

    def discard(self) -> None:
        """Drop what was written and free the output, with the lock file of a process that is gone."""
        if self.lock is None and self.base is None:
            with suppress(HostError, OSError):
                self.lock = Lock(lock_of(self.target), str(self.target), {}).take()
        shutil.rmtree(self.place, ignore_errors=True)
        if self.lock is not None:
            self.lock.free()


def kind_of(reference: Reference) -> str:
    """Return the kind of stage for a reference."""
    if is_sql(reference.path):
        return "TABLE"
    return "PARTITIONS" if reference.type == "DATASET" and reference.options.get("partitioning") else reference.type


def place_of(target: Path) -> Path:
    """Return where the stage of an output lies: beside it, or inside a folder whose parent cannot be written to."""
    name = target.name
    if len(name.encode("utf-8", "surrogateescape")) > 200:
        import hashlib

        name = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    inside = target.is_dir() and (os.path.ismount(target) or not os.access(target.parent, os.W_OK | os.X_OK))
    return target / f"{OWN}stage" if inside else target.parent / f"{OWN}stage.{name}"


def going_on(target: Path) -> Stage | None:
    """Return the stage of a folder that a run is writing to now, None when there is none."""
    target = Path(os.path.realpath(target))
    place = place_of(target)
    if not (place / FILES).is_dir() or (place / COMMIT).exists():
        return None
    return Stage(target, "MANAGED_FOLDER", place)


def lock_of(target: Path) -> Path:
    """Return the lock file of an output."""
    place = place_of(target)
    return place.with_name(place.name.replace("stage", "lock", 1))


@contextmanager
def holding(stages: list[Stage]) -> Iterator[list[Stage]]:
    """Discard, at the end of the block, every stage that was not committed."""
    try:
        yield stages
    finally:
        for stage in stages:
            if stage.place.is_dir() and not (stage.place / COMMIT).exists():
                stage.discard()
