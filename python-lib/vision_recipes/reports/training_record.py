"""What a model folder tells of its training: read for a page, and believed only as far as its form is right."""

from __future__ import annotations

import csv
import io
import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.model_folder import Model, open_model
from vision_recipes.stores import Store, read_bytes
from vision_recipes.training import run_reports

log = logging.getLogger("vision_recipes")

_LIMIT = 64 << 20
_MOST_ROWS = 200_000


@dataclass(frozen=True)
class Record:
    """A model and the reports of its training; what a folder lacks is empty."""

    model: Model
    history: Sequence[Mapping[str, str]] = ()
    rejected: Sequence[Mapping[str, str]] = ()
    duplicates: Sequence[Mapping[str, str]] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)

    @property
    def remarks(self) -> list[str]:
        """What the training had to remark on its data."""
        found = self.run.get("remarks")
        return [str(remark) for remark in found] if isinstance(found, list) else []

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the training."""
        found = self.run.get("parameters")
        return dict(found) if isinstance(found, dict) else {}

    @property
    def versions(self) -> dict[str, str]:
        """The versions of packages that it was trained with."""
        found = self.run.get("versions")
        versions = found if isinstance(found, dict) else self.model.config.versions
        return {str(name): str(version) for name, version in versions.items()}

    @property
    def trained_on(self) -> dict[str, str]:
        """The side of the split ("train", "validation", "test") of each picture of the training, by its SHA-256."""
        found = self.run.get("pictures")
        rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
        return {str(row["sha256"]): str(row.get("split")) for row in rows if row.get("sha256")}

    def judged(self, side: str) -> Mapping[str, Any]:
        """Return the figures of a side of the split, empty when there are none."""
        found = self.metrics.get(side)
        return found if isinstance(found, dict) else {}

    def curve(self, name: str) -> tuple[list[float], list[float]]:
        """Return epochs, counted through all stages, and a column of the history where it holds a number."""
        told = [(place, _number(row.get(name))) for place, row in enumerate(self.history, start=1)]
        known = [(place, value) for place, value in told if value is not None]
        return [float(place) for place, _ in known], [value for _, value in known]


def read_record(store: Store) -> Record:
    """Return the record of a model folder; raises ModelFolderError when it is none."""
    return Record(
        open_model(store),
        _table(store, run_reports.HISTORY),
        _table(store, run_reports.REJECTED),
        _table(store, run_reports.DUPLICATES),
        _object(store, run_reports.METRICS),
        _object(store, run_reports.RUN),
    )


def _content(store: Store, name: str) -> str:
    if store.size("/" + name) is None:
        return ""
    try:
        content = read_bytes(store, "/" + name, _LIMIT)
    except OSError as err:
        log.warning("%s of model folder %s cannot be read and is left out: %s", name, store.name, err)
        return ""
    if len(content) > _LIMIT:
        log.warning("%s of model folder %s is larger than %d bytes and is left out", name, store.name, _LIMIT)
        return ""
    return content.decode("utf-8", "replace")


def _table(store: Store, name: str) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(_content(store, name)))
    rows: list[dict[str, str]] = []
    try:
        for row in reader:
            rows.append({str(key): str(value) for key, value in row.items() if isinstance(value, str)})
            if len(rows) == _MOST_ROWS:
                break
    except csv.Error as err:
        log.warning("%s of model folder %s is no table and is left out: %s", name, store.name, err)
        return []
    return rows


def _object(store: Store, name: str) -> dict[str, Any]:
    text = _content(store, name)
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError) as err:
        log.warning("%s of model folder %s is no JSON and is left out: %s", name, store.name, err)
        return {}
    return found if isinstance(found, dict) else {}


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
