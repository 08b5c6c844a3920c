"""What a model keeps of the pictures it was trained and validated with: features, labels, predictions, thumbnails."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vision_recipes.dataset.splits import TRAIN, VALID
from vision_recipes.dataset.standardisation import Scaling, scaling_of
from vision_recipes.errors import ModelFolderError
from vision_recipes.images.webp import is_plain_webp
from vision_recipes.model_folder.checks import read_npz, write_npz
from vision_recipes.model_folder.config import ModelConfig

SIDE = 96
"""The longer side of a thumbnail, in pixels."""

MOST = 1000
"""How many training pictures are kept at most, and how many validation pictures."""

MOST_FEATURE_BYTES = 16 << 20
LONGEST_PATH = 1024
LARGEST_THUMBNAIL = 16 << 10
_PATH_BYTES = 6 * LONGEST_PATH + 4
MAX_BYTES = MOST_FEATURE_BYTES + 2 * MOST * (_PATH_BYTES + LARGEST_THUMBNAIL) + (1 << 20)
_NEXT_STEP = "Retrain the model again."


@dataclass(frozen=True)
class Neighbour:
    """A reference picture by its number, and its cosine similarity, from -1 to 1."""

    number: int
    similarity: float


@dataclass(frozen=True)
class ReferencePictures:
    """Some of the pictures that a model was made from, one row each.

    `labels` (n,) and `predicted` (n,) are numbers of classes, int; `sides` uint8 (n,) holds TRAIN or VALID. `features`
    float32 (n, d) are, to 11 bits, the first d values of what the model computes the scores from (see feature_width).
    `probability` float32 (n,) is that of the predicted label; `ood_scores` float32 (n,) are NaN without a detector.
    `thumbnails` are WEBP files of at most SIDE pixels, as the network sees a picture; b"" where none is kept. `paths`
    may come from an untrusted source: they are for people to read, and nothing opens them.
    """

    paths: tuple[str, ...]
    labels: np.ndarray
    sides: np.ndarray
    features: np.ndarray
    predicted: np.ndarray
    probability: np.ndarray
    ood_scores: np.ndarray
    thumbnails: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def rows(self, side: int) -> np.ndarray:
        """Return the numbers of the pictures on a side of the split."""
        return np.flatnonzero(self.sides == side)

    def nearest(self, features: np.ndarray, count: int) -> list[Neighbour]:
        """Return the training pictures most similar to the features (at least d,) of a picture, the most similar first.

        Similarity is the cosine of centred and scaled features, as for near-duplicates. Values after the first d are
        not used.
        """
        rows, units, scaling = self._units
        given = _unit(scaling.apply(features[None, : self.features.shape[1]]))[0]
        cosines = np.einsum("ij,j->i", units, given)  # without BLAS, whose threads would compete with the engine's
        order = np.argsort(-cosines, kind="stable")[:count]
        return [Neighbour(int(rows[place]), float(np.clip(cosines[place], -1, 1))) for place in order]

    @cached_property
    def _units(self) -> tuple[np.ndarray, np.ndarray, Scaling]:
        """The numbers of the training pictures, their scaled features at length 1, and the scaling."""
        rows = self.rows(TRAIN)
        scaling = scaling_of(self.features[rows])
        return rows, _unit(scaling.apply(self.features[rows])), scaling


def feature_width(config: ModelConfig) -> int:
    """Return how many features of a picture a model with a head of its own keeps.

    That is all of the vector that follows the scores; of features of several layers, which would take tens of
    megabytes, it is those of the feature layer, which come first.
    """
    if config.head is None:
        raise ValueError(f"model {config.name!r} has no head of its own")
    return config.layer_named(config.feature_layer).size if config.head.layers else config.head.features


def most_pictures(width: int) -> int:
    """Return how many pictures of a side are kept at most when each has `width` features; 0 where that is too many."""
    return min(MOST, MOST_FEATURE_BYTES // (2 * 2 * width))


def write_reference(pictures: ReferencePictures) -> bytes:
    """Return the bytes of reference.npz; the same pictures give the same bytes."""
    exponents = np.frexp(np.abs(pictures.features).max(axis=0))[1].astype(np.int16)  # so that float16 does not overflow
    arrays = {
        "paths": np.frombuffer(json.dumps(pictures.paths).encode(), np.uint8),
        "labels": pictures.labels.astype(np.int32),
        "sides": pictures.sides.astype(np.uint8),
        "features": np.ldexp(pictures.features, -exponents).astype(np.float16),
        "exponents": exponents,
        "predicted": pictures.predicted.astype(np.int32),
        "probability": pictures.probability.astype(np.float32),
        "ood_scores": pictures.ood_scores.astype(np.float32),
        "thumbnails": np.frombuffer(b"".join(pictures.thumbnails), np.uint8),
        "thumbnail_sizes": np.array([len(content) for content in pictures.thumbnails], np.int32),
    }
    return write_npz(arrays, level=1)


def read_reference(content: bytes, where: str, width: int, classes: int) -> ReferencePictures:
    """Return what reference.npz holds for a model with `width` features kept; raises ModelFolderError.

    Sizes are checked before arrays are built, and all that a page may show before it is returned.
    """
    most = 2 * most_pictures(width)
    limits = {
        **{"paths": most * _PATH_BYTES, "labels": 4 * most, "sides": most, "features": 2 * width * most},
        **{"exponents": 2 * width, "predicted": 4 * most, "probability": 4 * most, "ood_scores": 4 * most},
        **{"thumbnails": most * LARGEST_THUMBNAIL, "thumbnail_sizes": 4 * most},
    }
    found = read_npz(content, where, limits)
    paths = _read_paths(found["paths"].tobytes())
    problem = "paths that are no list of texts" if paths is None else _problem(found, len(paths), width, classes)
    thumbnails = () if problem else _cut(found["thumbnails"].tobytes(), found["thumbnail_sizes"])
    if not problem and not all(not content or is_plain_webp(content, SIDE) for content in thumbnails):
        problem = f"a thumbnail that is not a WEBP picture of at most {SIDE} pixels"
    if problem or paths is None:
        raise ModelFolderError(f"{where} does not fit the model: it has {problem}. {_NEXT_STEP}")
    return ReferencePictures(
        paths,
        found["labels"].astype(np.int64),
        found["sides"],
        _features(found),
        found["predicted"].astype(np.int64),
        found["probability"],
        found["ood_scores"],
        thumbnails,
    )


_TYPES = {
    **{"labels": np.int32, "sides": np.uint8, "features": np.float16, "exponents": np.int16, "predicted": np.int32},
    **{"probability": np.float32, "ood_scores": np.float32, "thumbnail_sizes": np.int32},
}


def _problem(found: dict[str, np.ndarray], count: int, width: int, classes: int) -> str:
    """Return in words what does not fit, empty when all does."""
    shapes = {"features": (count, width), "exponents": (width,)}
    for name, dtype in _TYPES.items():
        if found[name].shape != shapes.get(name, (count,)) or found[name].dtype != dtype:
            return f"{name} {found[name].shape} {found[name].dtype} for {count} pictures, {width} features"
    if not count or not set(np.unique(found["sides"])) <= {TRAIN, VALID} or TRAIN not in found["sides"]:
        return "no pictures of the training side, or sides that there are not"
    for name in ("labels", "predicted"):
        if found[name].min() < 0 or found[name].max() >= classes:
            return f"{name} that are not numbers of {classes} classes"
    if not np.isfinite(_features(found)).all():
        return "features that are not finite numbers"
    if not ((found["probability"] >= 0) & (found["probability"] <= 1)).all() or np.isinf(found["ood_scores"]).any():
        return "probabilities or out-of-distribution scores out of range"
    sizes = found["thumbnail_sizes"].astype(np.int64)
    fit = sizes.min() >= 0 and sizes.max() <= LARGEST_THUMBNAIL and sizes.sum() == found["thumbnails"].nbytes
    if found["thumbnails"].dtype != np.uint8 or not fit:
        return "thumbnails of other sizes than it says"
    return ""


def _features(found: dict[str, np.ndarray]) -> np.ndarray:
    """Return the features float32 (n, d); infinite where the file says so."""
    with np.errstate(over="ignore"):
        return np.asarray(np.ldexp(found["features"].astype(np.float32), found["exponents"].astype(np.int32)))


def _read_paths(content: bytes) -> tuple[str, ...] | None:
    try:
        paths = json.loads(content)
    except (ValueError, RecursionError):
        return None
    texts = isinstance(paths, list) and all(isinstance(path, str) and len(path) <= LONGEST_PATH for path in paths)
    return tuple(paths) if texts else None


def _cut(content: bytes, sizes: np.ndarray) -> tuple[bytes, ...]:
    ends = np.cumsum(sizes.astype(np.int64)).tolist()
    return tuple(content[end - size : end] for end, size in zip(ends, sizes.tolist(), strict=True))


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
