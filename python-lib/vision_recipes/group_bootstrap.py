"""How sure a mean over rows is whose rows come in groups: whole groups drawn with replacement (the bootstrap)."""

from __future__ import annotations

import numpy as np

_DRAWS = 1000
_LEAST = 1e-15


class Resampling:
    """Groups of rows drawn again and again with replacement, the same for all models that are compared.

    `groups` (n,) are numbers, `weights` (n,) those of the rows in a mean.
    """

    def __init__(self, groups: np.ndarray, weights: np.ndarray, seed: int) -> None:
        _, self._group = np.unique(groups, return_inverse=True)
        self._weights = weights
        count = int(self._group.max()) + 1
        random = np.random.default_rng(seed)
        draws = (np.bincount(random.integers(0, count, count), minlength=count) for _ in range(_DRAWS))
        self._drawn = np.stack([draw.astype(np.float32) for draw in draws])
        self._total = self._drawn @ self._sums(np.ones(len(weights)))

    def _sums(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self._group, values * self._weights, self._drawn.shape[1])

    def means(self, losses: np.ndarray) -> np.ndarray:
        """Return the mean loss of each draw, float64 (draws,)."""
        return np.asarray(self._drawn @ self._sums(losses) / np.maximum(self._total, _LEAST))

    def selected(self, every: np.ndarray) -> float:
        """Return the mean loss on rows that did not take part in choosing the best of several models (models, n).

        Bootstrap bias corrected cross-validation: Tsamardinos, Greasidou and Borboudakis 2018.
        """
        sums, ones = np.stack([self._sums(losses) for losses in every]), self._sums(np.ones(len(self._weights)))
        best = (sums @ self._drawn.T).argmin(axis=0)
        outside = self._drawn == 0
        weight = outside @ ones
        means = (sums[best] * outside).sum(axis=1)[weight > 0] / weight[weight > 0]
        return float(means.mean()) if len(means) else float((every[0] * self._weights).sum())


def interval(draws: np.ndarray) -> tuple[float, float]:
    """Return the ends of the middle 95 % of draws."""
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)
