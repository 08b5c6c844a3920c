"""Where each picture lies on the plane: t-SNE of its feature vector, started from the first principal components.

t-SNE is van der Maaten and Hinton 2008; the start and the learning rate are those of Kobak and Berens 2019, the
interpolation that makes it fast is that of Linderman et al. 2019, as openTSNE implements them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import numpy as np

from vision_recipes.picture_map.nearest_neighbours import REDUCED, nearest_neighbours
from vision_recipes.picture_map.unit_vectors import UnitVectors
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

_FEW = 10
"""So few pictures lie by their first two principal components: there are too few neighbours for anything else."""
_INTERPOLATED = 3000
"""From so many pictures on, interpolation is faster than the Barnes-Hut tree. One thread computes: several have no
fixed order of sums, and on a machine with other jobs they take longer."""
_START = 1e-4


@dataclass(frozen=True)
class Layout:
    """Positions float64 (n, 2) from -1 to 1, and the principal components, float32 (n, at most 50), they come from."""

    positions: np.ndarray
    reduced: np.ndarray


def lay_out(vectors: np.ndarray, perplexity: float, seed: int) -> Layout:
    """Return where vectors float32 (n, d) lie; the same vectors and seed give the same bytes on one machine."""
    started = time.perf_counter()
    unit = UnitVectors(vectors)
    reduced = unit.principal_components(REDUCED)
    plane = np.zeros((unit.count, 2))
    plane[:, : min(2, reduced.shape[1])] = reduced[:, :2]
    if unit.count > _FEW:
        plane = _embed(unit, reduced, _start(plane, seed), perplexity, seed)
    log.info("laid out %s in %.1f s", counted(unit.count, "picture"), time.perf_counter() - started)
    return Layout(_scaled(plane), reduced)


def _embed(unit: UnitVectors, reduced: np.ndarray, start: np.ndarray, perplexity: float, seed: int) -> np.ndarray:
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    logging.getLogger("openTSNE").setLevel(logging.WARNING)
    perplexity = min(perplexity, (unit.count - 1) / 3)
    found = PrecomputedNeighbors(*nearest_neighbours(unit, reduced, min(unit.count - 1, int(3 * perplexity))))
    affinities = PerplexityBasedNN(knn_index=found, perplexity=perplexity, random_state=seed)
    method = "bh" if unit.count < _INTERPOLATED else "fft"
    plane = TSNEEmbedding(start, affinities, negative_gradient_method=method, random_state=seed, n_jobs=1)
    plane = plane.optimize(250, exaggeration=12, momentum=0.5)
    return np.asarray(plane.optimize(500, momentum=0.8), np.float64)


def _start(plane: np.ndarray, seed: int) -> np.ndarray:
    """Return the positions to start from: small, and apart where all vectors are alike."""
    spread = plane[:, 0].std()
    scaled = plane * (_START / spread) if spread > 1e-9 else np.zeros_like(plane)
    return np.asarray(scaled + np.random.default_rng(seed).normal(0, _START / 100, plane.shape))


def _scaled(plane: np.ndarray) -> np.ndarray:
    """Return positions whose middle is (0, 0) and whose longer side reaches from -1 to 1."""
    if not len(plane):
        return plane
    low, high = plane.min(0), plane.max(0)
    half = (high - low).max() / 2
    return np.asarray(np.clip((plane - (low + high) / 2) / (half if half > 0 else 1), -1, 1))
