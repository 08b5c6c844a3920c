"""Names of clusters: the labels, or words that a model predicts, that set a cluster apart from all others.

A word does so when it is more frequent inside than by chance (Fisher's exact test, multiplied by the number of words:
Bonferroni). A name never says nothing: where no word is, or those that are cover little, the cluster has a number.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from vision_recipes.dataset.cell_text import column_text
from vision_recipes.errors import SettingsError, did_you_mean, listed
from vision_recipes.picture_map.clusters import NONE
from vision_recipes.picture_map.joined_columns import FOLDER
from vision_recipes.picture_map.sources import PREDICTED, MapColumn

log = logging.getLogger("vision_recipes")

NO_CLUSTER = "none"
LABEL_NAMES = ("label", "labels", "class", "category", "truth")
_PREDICTED_NAMES = ("scored_label", PREDICTED, "prediction", "scored_prediction")
_CHANCE = 0.01
_COVERED, _LEAST, _WORDS = 0.6, 0.2, 3
"""A name takes words until they cover this part of the cluster; below the second part it says too little."""

Words = Sequence[Mapping[str, float]]
"""For each picture its words and how much each weighs, at most 1 in all."""


def name_clusters(clusters: np.ndarray, columns: Sequence[MapColumn], chosen: str) -> list[str]:
    """Return the name of each cluster, by number; `chosen` is the column that the words come from, "" for any.

    Raises SettingsError when there is no such column.
    """
    count = int(clusters.max(initial=NONE)) + 1
    names = [""] * count
    for words in _sources(columns, chosen):
        found = _names(clusters, count, words)
        names = [name or other for name, other in zip(names, found, strict=True)]
    if count and columns and not chosen and not any(names):
        others = listed((repr(column.name) for column in columns), 8)
        log.info("the clusters have numbers for names: name_column can name them by a column (there are %s)", others)
    return _different([name or f"Cluster {number}" for number, name in enumerate(names, 1)])


def _sources(columns: Sequence[MapColumn], chosen: str) -> Iterator[Words]:
    """Yield the words of each column that can name clusters, the best first: labels, predictions, folders."""
    by_name = {column.name: column for column in columns}
    if chosen and chosen not in by_name:
        raise SettingsError(
            f"name_column: there is no column {chosen!r}; there are {', '.join(map(repr, by_name)) or 'none'}."
            + did_you_mean(chosen, by_name)
        )
    folded = {column.name.strip().casefold(): column for column in reversed(columns)}
    for name in (chosen,) if chosen else (*LABEL_NAMES, *_PREDICTED_NAMES, FOLDER):
        if column := (by_name[chosen] if chosen else folded.get(name)):
            yield _words(column)


def _words(column: MapColumn) -> Words:
    text = column_text(column.cells)
    return [_of_cell(text(cell)) for cell in column.cells]


def _of_cell(cell: str | None) -> Mapping[str, float]:
    """Return the words of a cell: it is one itself, or the JSON object of labels and probabilities of a prediction."""
    if cell is None:
        return {}
    if cell.lstrip().startswith("{"):
        try:
            found = json.loads(cell)
            return {str(word): min(1.0, max(0.0, float(part))) for word, part in found.items()}
        except (ValueError, TypeError, AttributeError):
            pass
    return {cell: 1.0}


def _names(clusters: np.ndarray, count: int, words: Words) -> list[str]:
    vocabulary = {word: place for place, word in enumerate(dict.fromkeys(word for one in words for word in one))}
    inside = np.zeros((count + 1, max(1, len(vocabulary))))
    for cluster, one in zip(clusters, words, strict=True):
        for word, weight in one.items():
            inside[cluster, vocabulary[word]] += weight
    sizes = np.bincount(clusters[clusters >= 0], minlength=count)
    chances = _chances(inside, np.append(sizes, len(clusters) - sizes.sum()))
    return [_name(inside[number], chances[number], list(vocabulary)) if vocabulary else "" for number in range(count)]


def _chances(inside: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the probability, float64 (clusters, words), that a word is as frequent in a cluster by chance alone.

    `inside` are the words' weights in each cluster, of whose pictures there are `sizes`.
    """
    from scipy.stats import hypergeom

    whole = np.floor(inside + 1e-9)
    everywhere = np.ceil(inside.sum(0) - 1e-9)
    return np.asarray(hypergeom.sf(whole - 1, sizes.sum(), everywhere[None], sizes[:, None]))


def _name(inside: np.ndarray, chances: np.ndarray, spelled: Sequence[str]) -> str:
    """Return the words that set a cluster apart, the most frequent first; "" when none does."""
    total = inside.sum()
    clear = [place for place in np.argsort(-inside, kind="stable") if chances[place] * len(spelled) <= _CHANCE]
    taken: list[int] = []
    for place in clear[:_WORDS]:
        if taken and inside[taken].sum() >= _COVERED * total:
            break
        taken.append(int(place))
    return ", ".join(spelled[place] for place in taken) if inside[taken].sum() >= max(_LEAST * total, 1) else ""


def _different(names: Sequence[str]) -> list[str]:
    """Return names of which none comes twice: the second has a number after it."""
    seen: dict[str, int] = {NO_CLUSTER: 1}
    different = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        different.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return different
