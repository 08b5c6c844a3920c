"""The training reports of a model folder, which may come from untrusted sources: read within limits, never trusted."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from vision_recipes.dataset.column_encoding import as_number
from vision_recipes.dataset.splits import SIDES, TRAIN
from vision_recipes.model_folder import Model, open_model
from vision_recipes.stores import Store, read_bytes
from vision_recipes.training import run_reports
from vision_recipes.training.outcome import is_number

log = logging.getLogger("vision_recipes")

_LIMIT = 64 << 20
_MOST_ROWS = 200_000
TRAIN_SIDE = SIDES[TRAIN]
_Content = TypeVar("_Content")


@dataclass(frozen=True)
class Stage:
    """A stage of the training and its rows of the history. The learning rate of a solver is 0."""

    name: str
    rows: Sequence[Mapping[str, str]]

    @property
    def unit(self) -> str:
        """What the rows are: steps of a solver, or epochs."""
        return "solver steps" if {as_number(row.get("learning_rate")) for row in self.rows} == {0.0} else "epochs"

    def curve(self, name: str) -> tuple[list[float], list[float]]:
        """Return the numbers of the rows and the values of a column, where both are numbers."""
        values = [(as_number(row.get("number")), as_number(row.get(name))) for row in self.rows]
        points = [(number, value) for number, value in values if number is not None and value is not None]
        return [number for number, _ in points], [value for _, value in points]


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
        return [str(remark) for remark in _member(self.run, "remarks", list)]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the training."""
        return _member(self.run, "parameters", dict)

    @property
    def base(self) -> str:
        """The name of the network that the training started from; empty if unknown."""
        return str(_member(self.run, "base_model", dict).get("name", ""))

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the packages that trained it."""
        versions = _member(self.run, "versions", dict) or self.model.config.versions
        return {str(name): str(version) for name, version in versions.items()}

    @property
    def splits(self) -> dict[str, str]:
        """The side of the split ("train", "validation", "test") of each picture of the training, by its SHA-256.

        A picture that is on two sides, as copies can be, counts as one to train on.
        """
        rows = [(str(row["sha256"]), str(row.get("split"))) for row in self._pictures if row.get("sha256")]
        return dict(sorted(rows, key=lambda row: row[1] == TRAIN_SIDE))

    def digests(self, side: str) -> dict[str, str]:
        """Return the SHA-256 of the pictures on a side of the split by path."""
        return {str(row.get("path")): str(row["sha256"]) for row in self._sides(side) if row.get("sha256")}

    @property
    def class_sizes(self) -> Counter[str]:
        """The number of pictures to train on of each label."""
        return Counter(str(row.get("label")) for row in self._sides(TRAIN_SIDE))

    def _sides(self, side: str) -> list[dict[str, Any]]:
        return [row for row in self._pictures if row.get("split") == side]

    @property
    def _pictures(self) -> list[dict[str, Any]]:
        return [row for row in _member(self.run, "pictures", list) if isinstance(row, dict)]

    def side(self, name: str) -> dict[str, Any]:
        """Return the figures of a side of the split in metrics.json, empty unless accuracy and interval are there."""
        found = _member(self.metrics, name, dict)
        most = {"pictures": 1e12, "accuracy": 1, "accuracy_low": 1, "accuracy_high": 1}
        return found if all(is_number(found.get(key), limit) for key, limit in most.items()) else {}

    @property
    def stages(self) -> list[Stage]:
        """The stages of the training, in order."""
        rows: dict[str, list[Mapping[str, str]]] = {}
        for row in self.history:
            rows.setdefault(row.get("stage", ""), []).append(row)
        return [Stage(name, steps) for name, steps in rows.items()]


def read_training_record(store: Store) -> TrainingRecord:
    """Return the training record of a model folder; raises ModelFolderError when it is not one."""
    return TrainingRecord(
        open_model(store),
        _read(store, run_reports.HISTORY, _table),
        _read(store, run_reports.UNREADABLE, _table),
        _read(store, run_reports.DUPLICATES, _table),
        _read(store, run_reports.METRICS, _object),
        _read(store, run_reports.RUN, _object),
    )


def _read(store: Store, name: str, parse: Callable[[str], _Content]) -> _Content:
    """Return a parsed report; of one that is missing, too large or damaged, what an empty text gives."""
    try:
        content = b"" if store.size("/" + name) is None else read_bytes(store, "/" + name, _LIMIT)
        if len(content) > _LIMIT:
            raise ValueError(f"it is larger than {_LIMIT} bytes")
        return parse(content.decode("utf-8", "replace"))
    except (OSError, ValueError, RecursionError, csv.Error) as err:
        log.warning("%s of model folder %s cannot be read and is ignored: %s", name, store.name, err)
        return parse("")


def _table(text: str) -> list[dict[str, str]]:
    rows = islice(csv.DictReader(io.StringIO(text)), _MOST_ROWS)
    return [{str(key): value for key, value in row.items() if isinstance(value, str)} for row in rows]


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _member(found: Mapping[str, Any], name: str, kind: type[_Content]) -> _Content:
    """Return a member of a JSON object, or an empty one of the kind when it is missing or of another."""
    value = found.get(name)
    return value if isinstance(value, kind) else kind()
