"""Pictures that show nearly the same: shots of one burst, copies saved again, crops. They would leak over a split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vision_recipes.dataset.splits import merge_groups
from vision_recipes.dataset.standardisation import Scaling, scaling_of

ALIKE = 0.93
"""From this cosine of scaled, centred features on, two pictures count as nearly the same.

Measured with SqueezeNet: a photo and its copy at JPEG quality 50, at half size or 15 % brighter have 0.94 to 0.99, the
most alike of 2000 different CIFAR-10 pictures 0.90, of 200 photos of houses 0.68 (and six pairs of copies, above 0.99).
"""

_NEARER = 0.12
"""Two pictures are nearly the same only if their distance (1 - cosine) is this part of what is usual around them."""

_NEIGHBOUR, _SAMPLE = 10, 2000
_SURE = 0.99
_LARGE_PART, _LARGE = 0.1, 20
_BLOCK = 2048
_WIDEST, _SKETCH_ERROR = 256, 0.05
_MOST_PICTURES = 200_000
_SHOWN = 10


@dataclass(frozen=True)
class Pair:
    """Two pictures, by their rows, that are nearly the same; `likeness` is 1 for the same bytes."""

    one: int
    other: int
    likeness: float


def find_duplicates(features: np.ndarray, digests: Sequence[str], seed: int) -> list[Pair]:
    """Return pairs of pictures with the same bytes, or with features (n, d) that are nearly the same.

    Nearly the same is measured against the tenth-nearest picture, so that pictures of one kind, all much alike, are no
    copies of each other.
    Where so many pictures are alike that they form a crowd (a tenth of all, linked one to the next), only pairs that
    are the same to 0.99 count. Above 200,000 pictures only bytes are compared.
    """
    first: dict[str, int] = {}
    same = [Pair(first[digest], row, 1.0) for row, digest in enumerate(digests) if first.setdefault(digest, row) != row]
    originals = np.array(sorted(first.values()))
    if not 2 <= len(originals) <= _MOST_PICTURES:
        return same
    alike = list(_alike(features, originals, seed))
    groups = merge_groups(len(features), [(pair.one, pair.other) for pair in alike])
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    crowd = sizes[place] > max(_LARGE, _LARGE_PART * len(originals))
    return same + [pair for pair in alike if pair.likeness >= _SURE or not crowd[pair.one]]


def tell_duplicates(
    pairs: Sequence[Pair], paths: Sequence[str], targets: np.ndarray, sides: np.ndarray
) -> Iterator[str]:
    """Yield what is worth telling: how many pairs, which of them bear different labels, which lie on two sides."""
    if not pairs:
        return
    yield f"{len(pairs)} pairs of pictures are nearly the same, kept on one side if possible: {_list(pairs, paths)}"
    differing = [pair for pair in pairs if targets[pair.one] != targets[pair.other]]
    if differing:
        yield f"of these, with different labels (look at them): {_list(differing, paths)}"
    leaks = [pair for pair in pairs if {int(sides[pair.one]), int(sides[pair.other])} in ({0, 1}, {0, 2})]
    if leaks:
        yield f"of these, on both sides, so that the accuracy is too good: {_list(leaks, paths)}"


def _alike(features: np.ndarray, originals: np.ndarray, seed: int) -> Iterator[Pair]:
    """Yield pairs of pictures whose features are alike.

    Features of more than a few hundred values are first mixed at random into fewer, which keeps angles to within a few
    hundredths (Johnson and Lindenstrauss 1984); the pairs found so are checked with all values.
    """
    scaling, width = scaling_of(features), features.shape[1]
    mixing = None
    if width > _WIDEST:
        mixing = np.random.default_rng(seed).standard_normal((width, _WIDEST), np.float32)
    sketch = np.concatenate(
        [
            _unit(scaling.apply(features[originals[start : start + _BLOCK]]), mixing)
            for start in range(0, len(originals), _BLOCK)
        ]
    )
    floor = ALIKE if mixing is None else ALIKE - _SKETCH_ERROR
    limits = np.maximum(ALIKE, 1 - _NEARER * (1 - _usual_likeness(sketch, seed)))
    for start in range(0, len(sketch), _BLOCK):
        for other in range(start, len(sketch), _BLOCK):
            likeness = sketch[start : start + _BLOCK] @ sketch[other : other + _BLOCK].T
            for row, column in np.argwhere(likeness >= floor):
                one, two = int(originals[start + row]), int(originals[other + column])
                if one < two:
                    exact = float(likeness[row, column]) if mixing is None else _likeness(features, scaling, one, two)
                    if exact >= max(limits[start + row], limits[other + column]):
                        yield Pair(one, two, min(exact, 1.0))


def _usual_likeness(sketch: np.ndarray, seed: int) -> np.ndarray:
    """Return the cosine of each picture with the tenth-nearest of a sample of all, itself not counted."""
    sample = np.random.default_rng(seed).permutation(len(sketch))[:_SAMPLE]
    place = max(0, len(sample) - 1 - _NEIGHBOUR)
    parts = []
    for start in range(0, len(sketch), _BLOCK):
        likeness = sketch[start : start + _BLOCK] @ sketch[sample].T
        parts.append(np.partition(likeness, place, axis=1)[:, place])
    return np.concatenate(parts)


def _likeness(features: np.ndarray, scaling: Scaling, one: int, other: int) -> float:
    first, second = _unit(scaling.apply(features[[one, other]]), None)
    return float(first @ second)


def _unit(scaled: np.ndarray, mixing: np.ndarray | None) -> np.ndarray:
    mixed = scaled if mixing is None else scaled @ mixing
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    unit: np.ndarray = mixed / np.maximum(lengths, 1e-12)
    return unit


def _list(pairs: Sequence[Pair], paths: Sequence[str]) -> str:
    shown = ", ".join(f"{paths[pair.one]} = {paths[pair.other]}" for pair in pairs[:_SHOWN])
    return shown + (f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else "")
