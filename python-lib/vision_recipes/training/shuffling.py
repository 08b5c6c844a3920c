"""The order in which training sees its examples: an endless stream of passes, each shuffled anew by the seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Stream:
    """Batches of `batch` out of `count` examples; an epoch has `per_epoch` of them, 0 = exactly one pass.

    Every pass holds each example once, in an order of its own; its last batch is what is left. Epochs of another length
    than a pass go on where the epoch before stopped.
    """

    count: int
    batch: int
    seed: int
    per_epoch: int = 0

    @property
    def per_pass(self) -> int:
        """How many batches make a pass over all examples."""
        return math.ceil(self.count / self.batch)

    @property
    def steps(self) -> int:
        """How many batches make an epoch."""
        return self.per_epoch or self.per_pass

    def rows(self, epoch: int, step: int) -> np.ndarray:
        """Return the numbers of the examples in a batch; epochs and steps count from 0."""
        turn, place = divmod(epoch * self.steps + step, self.per_pass)
        order = np.random.default_rng((self.seed, turn)).permutation(self.count)
        return order[place * self.batch : (place + 1) * self.batch]

    def turn(self, epoch: int, step: int) -> int:
        """Return which pass a batch belongs to, from 0."""
        return (epoch * self.steps + step) // self.per_pass
