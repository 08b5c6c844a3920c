"""What a retrained model knows of its own limits: how far a picture is from those it learned from, and how sure it is.

A picture's distance is that of Mahalanobis to the nearest class of the training features (Lee et al. 2018), with a
covariance shrunk towards an even one. It joins the doubt, 1 minus the best probability; both are measured in units of
what validation pictures show. The pictures with the largest sums are set aside: "unknown" if they are farther than
doubtful, else "unsure".
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.models.checks import read_array
from vision_recipes.models.config import VerdictConfig

KNOWN, UNSURE, UNKNOWN = "known", "unsure", "unknown"
MOST_DIRECTIONS, MOST_CLASSES = 128, 2000
LIMIT = 64 << 20


@dataclass(frozen=True)
class Verdict:
    """How to judge a picture: features are divided by `scale` (features); `middles` (classes, features) are so already.

    The squared distance is that between the two, less what lies along the columns of `turn` (features, k), in which
    pictures of one class vary most. All float32.
    """

    config: VerdictConfig
    scale: np.ndarray
    turn: np.ndarray
    middles: np.ndarray

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Return the distance of features (n, features) to the nearest class."""
        scaled = features.astype(np.float32) / self.scale
        turned = scaled @ self.turn
        if len(scaled) < len(self.middles):
            pairs = zip(scaled, turned, strict=True)
            best = np.array([_squares(self.middles - one, self._along - bent).min() for one, bent in pairs])
        else:
            best = np.full(len(scaled), np.inf)
            for middle, bent in zip(self.middles, self._along, strict=True):
                best = np.minimum(best, _squares(scaled - middle, turned - bent))
        return np.asarray(np.sqrt(np.maximum(best, 0.0)))

    @cached_property
    def _along(self) -> np.ndarray:
        return np.asarray(self.middles @ self.turn)

    def oddness(self, scores: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return distance and doubt of pictures, in units of what is usual."""
        config = self.config
        far = (self.distances(features) - config.distance_middle) / config.distance_spread
        doubt = (1.0 - scores.max(axis=1) - config.doubt_middle) / config.doubt_spread
        return far, doubt

    def judge(self, scores: np.ndarray, features: np.ndarray) -> tuple[str, float]:
        """Return the verdict on one picture, and how odd it is."""
        far, doubt = self.oddness(scores[None], features[None])
        odd = float(far[0] + doubt[0])
        if odd <= self.config.limit:
            return KNOWN, odd
        return (UNKNOWN if far[0] > doubt[0] else UNSURE), odd


def _squares(apart: np.ndarray, along: np.ndarray) -> np.ndarray:
    whole = np.einsum("ij,ij->i", apart, apart, dtype=np.float64)
    return np.asarray(whole - np.einsum("ij,ij->i", along, along, dtype=np.float64))


def write_verdict(verdict: Verdict) -> bytes:
    """Return the bytes of known.npz; the same verdict gives the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in (("scale", verdict.scale), ("turn", verdict.turn), ("middles", verdict.middles)):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(values, np.float32), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def read_verdict(content: bytes, where: str, config: VerdictConfig, features: int) -> Verdict:
    """Return the verdict in an npz file; sizes are held against the number of features before reading."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info.filename: info.file_size for info in archive.infolist()}
            limits = {
                "scale.npy": features * 4,
                "turn.npy": features * MOST_DIRECTIONS * 4,
                "middles.npy": features * MOST_CLASSES * 4,
            }
            if sorted(members) != sorted(limits) or any(members[name] > limits[name] + 4096 for name in limits):
                raise ValueError(f"holds {sorted(members)[:4]} of unexpected size")
            scale, turn, middles = (read_array(archive.read(name)) for name in limits)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as err:
        raise ModelFolderError(f"{where} cannot be read: {err}. Retrain the model again.") from err
    fits = scale.shape == (features,) and turn.shape[:1] == (features,) and middles.shape[1:] == (features,)
    fits = fits and turn.ndim == middles.ndim == 2 and len(middles) > 0
    if not fits or {scale.dtype, turn.dtype, middles.dtype} != {np.dtype(np.float32)}:
        raise ModelFolderError(
            f"{where} does not fit the model: {turn.shape} and {middles.shape} for {features} features. "
            "Retrain the model again."
        )
    if not (np.isfinite(turn).all() and np.isfinite(middles).all() and np.isfinite(scale).all() and scale.min() > 0):
        raise ModelFolderError(f"{where} holds numbers that are not finite. Retrain the model again.")
    return Verdict(config, scale, turn, middles)
