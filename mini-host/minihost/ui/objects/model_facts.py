"""What the files of a model folder say (docs/model-folder.md), read as data with limits: they may come from anyone."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minihost.folders.store import FolderStore
from minihost.ui.objects.model_card import Block, blocks

FORMAT = "vision-recipes model"
LARGEST = {"config.json": 8 << 20, "metrics.json": 4 << 20, "model_labels.csv": 1 << 20, "README.md": 256 << 10}
"""Files that are read -> bytes of each."""

MOST_LABELS = 300
LOGS = "tensorboard_logs"


@dataclass(frozen=True)
class Side:
    """The figures of one side of the split; `classes` are (label, pictures, recall, precision), None where unknown."""

    name: str
    pictures: int | None
    accuracy: float
    low: float | None = None
    high: float | None = None
    balanced: float | None = None
    log_loss: float | None = None
    classes: list[tuple[str, int | None, float | None, float | None]] = field(default_factory=list)


@dataclass(frozen=True)
class ModelFacts:
    """A model: `facts` are pairs of what and how much, `mistakes` what its files do not say though they should."""

    name: str
    facts: list[tuple[str, str]]
    labels: list[str]
    n_labels: int
    sides: list[Side]
    card: list[Block]
    mistakes: list[str]


class Unreadable(Exception):
    """A file of a model folder is not what it should be."""


def read(store: FolderStore) -> ModelFacts | None:
    """Return what is known of the model in a folder, None where the folder holds none."""
    if store.facts("config.json") is None:
        return None
    mistakes: list[str] = []
    config = _object(store, "config.json", mistakes)
    if config.get("format") != FORMAT:
        return None
    metrics = _object(store, "metrics.json", mistakes) if store.facts("metrics.json") else {}
    labels = _labels(store, mistakes)
    count = config.get("n_classes")
    card = blocks(_text(store, "README.md", mistakes)) if store.facts("README.md") else []
    return ModelFacts(
        name=str(config.get("name") or "")[:200],
        facts=_facts(config, metrics),
        labels=labels[:MOST_LABELS],
        n_labels=count if isinstance(count, int) else len(labels),
        sides=[side for name in ("validation", "test") if (side := _side(name, metrics.get(name)))],
        card=card,
        mistakes=mistakes,
    )


def has_logs(store: FolderStore) -> bool:
    """Whether there are logs of TensorBoard in a folder."""
    facts = store.facts(LOGS)
    return bool(facts and facts.folder)


def _text(store: FolderStore, name: str, mistakes: list[str]) -> str:
    try:
        with store.open(name) as stream:
            content = stream.read(LARGEST[name] + 1)
    except OSError as err:
        mistakes.append(f"{name} cannot be read: {err.strerror or err}.")
        return ""
    if len(content) > LARGEST[name]:
        mistakes.append(f"{name} has more than {LARGEST[name] >> 10} KiB and is not shown.")
        return ""
    return content.decode("utf-8", "replace")


def _object(store: FolderStore, name: str, mistakes: list[str]) -> dict[str, Any]:
    before = len(mistakes)
    text = _text(store, name, mistakes)
    if len(mistakes) > before:
        return {}
    try:
        found = json.loads(text, parse_constant=_no_number, object_pairs_hook=_unique)
    except (ValueError, RecursionError, Unreadable) as err:
        mistakes.append(f"{name} is not JSON: {str(err)[:200] or 'too deep'}.")
        return {}
    if isinstance(found, dict):
        return found
    mistakes.append(f"{name} holds no JSON object.")
    return {}


def _no_number(text: str) -> Any:
    raise Unreadable(f"{text} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unreadable("a name comes twice in an object")
    return found


def _labels(store: FolderStore, mistakes: list[str]) -> list[str]:
    text = _text(store, "model_labels.csv", mistakes)
    try:
        rows = [row for row in csv.reader(text.splitlines()) if row]
    except csv.Error as err:
        mistakes.append(f"model_labels.csv cannot be read: {err}.")
        return []
    return [row[1] if len(row) > 1 else row[0] for row in rows[1:]]


def _facts(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    network, size = _mapping(config.get("network")), _mapping(config.get("input"))
    pictures = _mapping(metrics.get("pictures"))
    channels = str(size.get("channels", ""))[:10].upper()
    found = [
        ("Network", network.get("architecture")),
        ("Pictures", f"{size['width']} × {size['height']} {channels}" if "width" in size and "height" in size else ""),
        ("Trained on", config.get("trained_on")),
        ("How", metrics.get("how")),
        (
            "Training, validation, test",
            ", ".join(f"{value:,}" for value in pictures.values() if isinstance(value, int)),
        ),
        ("Made", str(config.get("created") or "").replace("T", " ")[:16]),
        ("Licence", config.get("licence")),
    ]
    return [(name, str(value)[:500]) for name, value in found if value]


def _side(name: str, found: Any) -> Side | None:
    facts = _mapping(found)
    accuracy = _share(facts.get("accuracy"))
    if accuracy is None:
        return None
    listed = facts.get("classes")
    classes = [
        (
            str(one.get("label"))[:300],
            _count(one.get("pictures")),
            _share(one.get("recall")),
            _share(one.get("precision")),
        )
        for one in map(_mapping, listed if isinstance(listed, list) else [])
    ]
    loss = facts.get("log_loss")
    return Side(
        name,
        _count(facts.get("pictures")),
        accuracy,
        _share(facts.get("accuracy_low")),
        _share(facts.get("accuracy_high")),
        _share(facts.get("balanced_accuracy")),
        float(loss) if isinstance(loss, int | float) else None,
        classes[:MOST_LABELS],
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _share(value: Any) -> float | None:
    is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return float(value) if is_share else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
