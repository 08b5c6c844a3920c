"""The pictures of one side of a comparison, as the network sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.rows import KNOWN

FLAGGED = "flagged"
"""The verdict of a picture that is unknown or unsure, where it is not known which."""


@dataclass(frozen=True)
class Sample:
    """Pictures that were scored, one row each; what is not known is empty or NaN.

    `names` are paths, or times for pictures that nothing was kept of. `features` float32 (n, d). `labels` int (n,) are
    the numbers of the predicted classes and `probabilities` float32 (n,) theirs. `verdicts` (n,) are texts, "" without
    a detector. `right` (n,) says whether the predicted label is the true one, as 1 or 0; NaN where it is not known.
    """

    names: tuple[str, ...]
    features: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    verdicts: np.ndarray
    right: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: np.ndarray) -> Sample:
        """Return the sample of some rows, by their numbers or a mask."""
        numbers = np.arange(len(self))[rows]
        return Sample(
            tuple(self.names[number] for number in numbers),
            self.features[numbers],
            self.labels[numbers],
            self.probabilities[numbers],
            self.verdicts[numbers],
            self.right[numbers],
        )

    @property
    def has_labels(self) -> bool:
        """Whether the network predicts labels; one that ends in features does not."""
        return bool(len(self) and (self.labels >= 0).all())

    @property
    def has_verdicts(self) -> bool:
        """Whether the model has an out-of-distribution detector."""
        return bool(len(self) and (self.verdicts != "").all())

    @property
    def flagged(self) -> np.ndarray:
        """Return a mask (n,) of the pictures that are unknown or unsure."""
        return np.asarray(self.verdicts != KNOWN)

    def share(self, verdict: str) -> float | None:
        """Return the fraction of pictures with a verdict; None where it is not known of all."""
        known = self.has_verdicts and (self.verdicts != FLAGGED).all()
        return float((self.verdicts == verdict).mean()) if known else None

    @property
    def flagged_share(self) -> float | None:
        """The fraction of pictures that are unknown or unsure; None without a detector."""
        return float(self.flagged.mean()) if self.has_verdicts else None
