"""How much a model relies on each input: its loss on rows not seen, with the cells of that input shuffled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vision_recipes.feature_models.candidates import Candidate
from vision_recipes.feature_models.input_columns import InputColumn
from vision_recipes.feature_models.inputs import COLUMNS, VECTOR, Rows
from vision_recipes.feature_models.predictors import logits
from vision_recipes.feature_models.search import Judge, Search
from vision_recipes.group_bootstrap import interval

VECTOR_NAME = "(vector)"
_SHUFFLES = 5


@dataclass(frozen=True)
class Importance:
    """By how much the loss of an input's rows grows when it is shuffled, with a 95 % interval."""

    name: str
    kind: str
    loss: float
    low: float
    high: float
    used: bool


def permutation_importance(judge: Judge, found: Search, columns: Sequence[InputColumn]) -> list[Importance]:
    """Return the importance of the vector as a whole and of each column, the most important first.

    Each is shuffled among the rows of a fold, for models that have not seen them (Breiman 2001; Fisher, Rudin and
    Dominici 2019).
    """
    best, candidate = found.best, found.best.candidate
    parts: list[tuple[str, str, slice | None]] = [(VECTOR_NAME, "vector", None)]
    place = 0
    for column in columns:
        parts.append((column.name, column.kind, slice(place, place + column.width)))
        place += column.width
    grown = {name: np.zeros(len(judge.rows.rows)) for name, _, _ in parts}
    for fold, (_, held_out) in enumerate(judge.folds[0]):
        predictor = judge.fit(candidate, 0, fold)
        rows = judge.held_out(0, fold)
        inputs = judge.inputs(candidate, 0, fold)
        usual = judge.losses(logits(predictor, inputs, judge.task.classes), best.factor, held_out)
        for number, (name, _, where) in enumerate(parts):
            if not _uses(candidate, where):
                continue
            random = np.random.default_rng((judge.rows.seed, fold, number))
            for shuffled in _shuffled(judge, candidate, fold, rows, where, random):
                worse = judge.losses(logits(predictor, shuffled, judge.task.classes), best.factor, held_out)
                grown[name][held_out] += (worse - usual) / _SHUFFLES
    importances = [
        Importance(
            name,
            kind,
            float(found.weights @ grown[name]),
            *interval(found.resampling.means(grown[name])),
            _uses(candidate, where),
        )
        for name, kind, where in parts
    ]
    return sorted(importances, key=lambda one: (-one.used, -one.loss))


def _uses(candidate: Candidate, where: slice | None) -> bool:
    return candidate.form != (COLUMNS if where is None else VECTOR)


def _shuffled(
    judge: Judge, candidate: Candidate, fold: int, rows: Rows, where: slice | None, random: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield the inputs of the rows of a fold, each time with one input in another order."""
    for _ in range(_SHUFFLES):
        order = random.permutation(len(rows.rows))
        if where is None:
            changed = replace(rows, rows=rows.rows[order])
        else:
            encoded = rows.encoded.copy()
            encoded[:, where] = encoded[order, where]
            changed = replace(rows, encoded=encoded)
        yield judge.inputs(candidate, 0, fold, changed)
