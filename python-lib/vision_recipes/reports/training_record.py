"""The training reports of a model folder, which may come from untrusted sources: read within limits, never trusted."""

from __future__ import annotations

import csv
import io
import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from vision_recipes.model_folder import Model, open_model
from vision_recipes.stores import Store, read_bytes
from vision_recipes.training import run_reports

log = logging.getLogger("vision_recipes")

_LIMIT = 64 << 20
_MOST_ROWS = 200_000


@dataclass(frozen=True)
class TrainingRecord:
    """A model and its training reports; those that its folder lacks are empty."""

    model: Model
    history: Sequence[Mapping[str, str]] = ()
    rejected: Sequence[Mapping[str, str]] = ()
    duplicates: Sequence[Mapping[str, str]] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)

    @property
    def remarks(self) -> list[str]:
        """Remarks of the training on its data."""
        return [str(remark) for remark in _list(self.run, "remarks")]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the training."""
        return _dict(self.run, "parameters")

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the packages that trained it."""
        versions = _dict(self.run, "versions") or self.model.config.versions
        return {str(name): str(version) for name, version in versions.items()}

    @property
    def splits(self) -> dict[str, str]:
        """The side of the split ("train", "validation", "test") of each picture of the training, by its SHA-256."""
        rows = [row for row in _list(self.run, "pictures") if isinstance(row, dict)]
        return {str(row["sha256"]): str(row.get("split")) for row in rows if row.get("sha256")}

    @property
    def validation(self) -> dict[str, Any]:
        """The metrics on the validation pictures, empty when there are none."""
        return _dict(self.metrics, "validation")

    def curve(self, name: str) -> tuple[list[float], list[float]]:
        """Return epochs, counted through all stages, and a column of the history where it holds a number."""
        values = [(float(epoch), _number(row.get(name))) for epoch, row in enumerate(self.history, start=1)]
        points = [(epoch, value) for epoch, value in values if value is not None]
        return [epoch for epoch, _ in points], [value for _, value in points]


def read_training_record(store: Store) -> TrainingRecord:
    """Return the training record of a model folder; raises ModelFolderError when it is not one."""
    return TrainingRecord(
        open_model(store),
        _read_table(store, run_reports.HISTORY),
        _read_table(store, run_reports.REJECTED),
        _read_table(store, run_reports.DUPLICATES),
        _read_object(store, run_reports.METRICS),
        _read_object(store, run_reports.RUN),
    )


def _read_table(store: Store, name: str) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(_read_text(store, name)))
    try:
        return [
            {str(key): value for key, value in row.items() if isinstance(value, str)}
            for row in islice(rows, _MOST_ROWS)
        ]
    except csv.Error as err:
        log.warning("%s of model folder %s is not a CSV table and is ignored: %s", name, store.name, err)
        return []


def _read_object(store: Store, name: str) -> dict[str, Any]:
    text = _read_text(store, name)
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError) as err:
        log.warning("%s of model folder %s is not JSON and is ignored: %s", name, store.name, err)
        return {}
    return found if isinstance(found, dict) else {}


def _read_text(store: Store, name: str) -> str:
    if store.size("/" + name) is None:
        return ""
    try:
        content = read_bytes(store, "/" + name, _LIMIT)
    except OSError as err:
        log.warning("%s of model folder %s cannot be read and is ignored: %s", name, store.name, err)
        return ""
    if len(content) > _LIMIT:
        log.warning("%s of model folder %s is larger than %d bytes and is ignored", name, store.name, _LIMIT)
        return ""
    return content.decode("utf-8", "replace")


def _dict(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _list(found: Mapping[str, Any], name: str) -> list[Any]:
    value = found.get(name)
    return value if isinstance(value, list) else []


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
