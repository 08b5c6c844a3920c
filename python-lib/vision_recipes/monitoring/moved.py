"""The new pictures that moved most: those that look most like new ones, each with the most similar reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.monitoring.sample import Sample

_BLOCK = 1024


@dataclass(frozen=True)
class Moved:
    """A new picture by its row, its score (Comparison.scores), the row of its nearest reference and the similarity."""

    row: int
    score: float
    nearest: int
    similarity: float


def most_moved(scores: np.ndarray, new: Sample, reference: Sample, most: int) -> list[Moved]:
    """Return at most `most` pictures, the highest score first; similarity is the cosine of the features."""
    order = np.argsort(-scores, kind="stable")[:most]
    old = _unit(reference.features)
    moved = []
    for start in range(0, len(order), _BLOCK):
        rows = order[start : start + _BLOCK]
        for row, similarities in zip(rows, _unit(new.features[rows]) @ old.T, strict=True):
            nearest = int(similarities.argmax())
            moved.append(Moved(int(row), float(scores[row]), nearest, min(float(similarities[nearest]), 1.0)))
    return moved


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
