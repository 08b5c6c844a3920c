"""What a retrained model knows of its own limits: how much the pictures that it learned from speak for its answer.

Each of them speaks for its own label, the louder the closer it lies to the picture in question (kernel ridge regression
of the labels, which is the mean of a Gaussian process: Rasmussen and Williams 2006, chapters 2 and 6). For a picture
like them the evidence for one label is near 1. For one that lies far from all it is near 0: that is "unknown". For one
between two classes it is shared among these: that is "unsure".
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.checks import read_array
from vision_recipes.model_folder.config import VerdictConfig

KNOWN, UNSURE, UNKNOWN = "known", "unsure", "unknown"
MOST_DIRECTIONS, MOST_EXAMPLES, MOST_CLASSES = 256, 1000, 1000
LIMIT = 64 << 20
_PARTS = ("middle", "turn", "examples", "weights")


@dataclass(frozen=True)
class Verdict:
    """How to judge a picture, all float32.

    Features less their `middle` (features,), times `turn` (features, k), lie where the `examples` (m, k) are. Each of
    these speaks with its `weights` (m, classes) times exp(-squared distance).
    """

    config: VerdictConfig
    middle: np.ndarray
    turn: np.ndarray
    examples: np.ndarray
    weights: np.ndarray

    def evidence(self, features: np.ndarray) -> np.ndarray:
        """Return the evidence (n, classes) for each class of features (n, features): about 1 in sum if known."""
        turned = _product(features.astype(np.float32) - self.middle, self.turn)
        return np.asarray(_product(closeness(turned, self.examples, self._squares), self.weights))

    @cached_property
    def _squares(self) -> np.ndarray:
        return np.asarray((self.examples**2).sum(axis=1))

    def judge(self, scores: np.ndarray, features: np.ndarray) -> tuple[str, float]:
        """Return the verdict on one picture with these scores (classes,), and how odd it is, as in VerdictConfig."""
        evidence = self.evidence(features[None])
        odd, missing = float(oddness(evidence, scores[None])[0]), 1.0 - float(evidence.sum())
        if odd <= self.config.limit:
            return KNOWN, odd
        return (UNKNOWN if missing > odd / 2 else UNSURE), odd


def oddness(evidence: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return 1 minus the evidence (n, classes), half of it for the label with most, half for that of the best score."""
    chosen = np.take_along_axis(evidence, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.asarray(1.0 - (evidence.max(axis=1).astype(np.float64) + chosen) / 2)


def closeness(points: np.ndarray, examples: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return exp(-squared distance) of points (n, k) to examples (m, k) with these `squares` (m,), as (n, m)."""
    apart = (points**2).sum(axis=1)[:, None] + squares - 2 * _product(points, examples.T)
    return np.asarray(np.exp(-np.maximum(apart, 0)))


def _product(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return rows @ matrix; a single row goes without BLAS, whose threads would fight with those of the engine."""
    return np.asarray(np.einsum("j,jk->k", rows[0], matrix)[None] if len(rows) == 1 else rows @ matrix)


def write_verdict(verdict: Verdict) -> bytes:
    """Return the bytes of known.npz; the same verdict gives the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _PARTS:
            values = getattr(verdict, name)
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(values, np.float32), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def read_verdict(content: bytes, where: str, config: VerdictConfig, features: int, classes: int) -> Verdict:
    """Return the verdict in an npz file; sizes are held against the numbers of features and classes before reading."""
    most = (features, features * MOST_DIRECTIONS, MOST_EXAMPLES * MOST_DIRECTIONS, MOST_EXAMPLES * classes)
    limits = {f"{name}.npy": 4 * size + 4096 for name, size in zip(_PARTS, most, strict=True)}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info.filename: info.file_size for info in archive.infolist()}
            if sorted(members) != sorted(limits) or any(members[name] > limits[name] for name in limits):
                raise ValueError(f"holds {sorted(members)[:5]} of unexpected size")
            middle, turn, examples, weights = (read_array(archive.read(name)) for name in limits)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as err:
        raise ModelFolderError(f"{where} cannot be read: {err}. Retrain the model again.") from err
    count, wide = len(examples), turn.shape[-1]
    shapes = ((middle, (features,)), (turn, (features, wide)), (examples, (count, wide)), (weights, (count, classes)))
    if not count or any(part.shape != shape or part.dtype != np.float32 for part, shape in shapes):
        raise ModelFolderError(
            f"{where} does not fit the model: {turn.shape}, {examples.shape} and {weights.shape} for {features} "
            f"features and {classes} classes. Retrain the model again."
        )
    if not all(np.isfinite(part).all() for part, _ in shapes):
        raise ModelFolderError(f"{where} holds numbers that are not finite. Retrain the model again.")
    return Verdict(config, middle, turn, examples, weights)
