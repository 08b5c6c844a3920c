"""Near-duplicates: shots of one burst, copies saved again, crops. Split apart, they would leak into validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vision_recipes.dataset.cosine_similarity import PROJECTION_ERROR, CosineSimilarity
from vision_recipes.dataset.splits import TEST, TRAIN, VALID, merge_groups
from vision_recipes.errors import listed
from vision_recipes.wording import counted

MIN_SIMILARITY = 0.93
"""The least cosine similarity of near-duplicates.

Measured with SqueezeNet: a photo and its copy at JPEG quality 50, at half size or 15 % brighter have 0.94 to 0.99, the
most similar of 2000 different CIFAR-10 pictures 0.90, of 200 photos of houses 0.68 (and six pairs of copies over 0.99).
"""

_RELATIVE_DISTANCE = 0.12
"""The distance (1 - cosine) of near-duplicates, at most, as a fraction of that to their tenth-nearest picture."""

_NEIGHBOUR, _SAMPLE = 10, 2000
_CERTAIN = 0.99
_LARGE_FRACTION, _LARGE = 0.1, 20
_BLOCK = 2048
_MAX_PICTURES = 200_000
_SHOWN = 3


@dataclass(frozen=True)
class Pair:
    """Two near-duplicates, by their rows, with their cosine similarity, which is 1 for identical bytes."""

    one: int
    other: int
    similarity: float


def find_duplicates(features: np.ndarray, digests: Sequence[str], seed: int) -> list[Pair]:
    """Return pairs of pictures with identical bytes or very similar features (n, d).

    How similar depends on the tenth-nearest picture, so that similar pictures of one kind are not taken for copies.
    In clusters of more than a tenth of all pictures, only similarities of at least 0.99 count. Above 200,000 pictures
    only bytes are compared.
    """
    first: dict[str, int] = {}
    same = [Pair(first[digest], row, 1.0) for row, digest in enumerate(digests) if first.setdefault(digest, row) != row]
    originals = np.array(sorted(first.values()))
    if not 2 <= len(originals) <= _MAX_PICTURES:
        return same
    similar = list(_similar(features, originals, seed))
    groups = merge_groups(len(features), [(pair.one, pair.other) for pair in similar])
    clustered = np.bincount(groups)[groups] > max(_LARGE, _LARGE_FRACTION * len(originals))
    return same + [pair for pair in similar if pair.similarity >= _CERTAIN or not clustered[pair.one]]


def duplicate_remarks(
    pairs: Sequence[Pair], paths: Sequence[str], targets: np.ndarray, sides: np.ndarray
) -> Iterator[str]:
    """Yield sentences for people: how many pairs there are, which have different labels, which cause data leakage."""
    if not pairs:
        return
    yield (
        f"{counted(len(pairs), 'pair')} of near-duplicate pictures, kept on one side of the split if possible: "
        f"{_list(pairs, paths)}"
    )
    differing = [pair for pair in pairs if targets[pair.one] != targets[pair.other]]
    if differing:
        yield f"near-duplicates with different labels, to be checked: {_list(differing, paths)}"
    leaks = [pair for pair in pairs if {sides[pair.one], sides[pair.other]} in ({TRAIN, VALID}, {TRAIN, TEST})]
    if leaks:
        yield f"near-duplicates on both sides of the split, so the accuracy looks too good: {_list(leaks, paths)}"


def _similar(features: np.ndarray, originals: np.ndarray, seed: int) -> Iterator[Pair]:
    """Yield pairs of rows with similar features; pairs found by projected features are checked with all of them."""
    similarity = CosineSimilarity(features, np.random.default_rng(seed))
    vectors = similarity.vectors(originals)
    floor = MIN_SIMILARITY - PROJECTION_ERROR * similarity.projected
    limits = np.maximum(MIN_SIMILARITY, 1 - _RELATIVE_DISTANCE * (1 - _usual_similarity(vectors, seed)))
    for start in range(0, len(vectors), _BLOCK):
        for other in range(start, len(vectors), _BLOCK):
            cosines = vectors[start : start + _BLOCK] @ vectors[other : other + _BLOCK].T
            for row, column in np.argwhere(cosines >= floor):
                one, two = int(originals[start + row]), int(originals[other + column])
                if one < two:
                    cosine = similarity.exact(one, two) if similarity.projected else float(cosines[row, column])
                    if cosine >= max(limits[start + row], limits[other + column]):
                        yield Pair(one, two, min(cosine, 1.0))


def _usual_similarity(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Return the similarity of each picture to the tenth-nearest in a sample of all, not counting itself."""
    sample = np.random.default_rng(seed).permutation(len(vectors))[:_SAMPLE]
    place = max(0, len(sample) - 1 - _NEIGHBOUR)
    blocks = (vectors[start : start + _BLOCK] @ vectors[sample].T for start in range(0, len(vectors), _BLOCK))
    return np.concatenate([np.partition(cosines, place, axis=1)[:, place] for cosines in blocks])


def _list(pairs: Sequence[Pair], paths: Sequence[str]) -> str:
    return listed((f"{paths[pair.one]} = {paths[pair.other]}" for pair in pairs), _SHOWN)
