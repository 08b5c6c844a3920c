"""How the learning rate changes while training goes on."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from vision_recipes.settings import RetrainSettings

log = logging.getLogger("vision_recipes")

_FACTOR = 0.3
_LOWEST = 1e-3
_STALLED = 2


@dataclass
class Schedule:
    """The learning rate of every step: `constant`, `cosine` (down to 0 over all epochs) or `plateau`.

    `plateau` multiplies by 0.3 when two epochs in a row were not better than the best one before, down to a thousandth.
    """

    name: str
    first: float
    epochs: int
    _share: float = 1.0
    _stalled: int = 0

    @classmethod
    def of(cls, settings: RetrainSettings, *, lowered: float = 1.0) -> Schedule:
        """Return the schedule that the settings ask for; `lowered` multiplies their learning rate."""
        return cls(settings.learning_rate_schedule, settings.model_learning_rate * lowered, settings.nb_epochs)

    def rate(self, passed: float) -> float:
        """Return the rate after `passed` epochs, with the part of the current one."""
        if self.name == "cosine":
            return self.first * 0.5 * (1 + math.cos(math.pi * min(1.0, passed / self.epochs)))
        return self.first * self._share

    def note(self, *, better: bool) -> None:
        """Take note whether the epoch that has ended was the best so far."""
        self._stalled = 0 if better else self._stalled + 1
        if self.name == "plateau" and self._stalled >= _STALLED and self._share > _LOWEST:
            self._share, self._stalled = max(_LOWEST, self._share * _FACTOR), 0
            log.info("no better epoch for a while: the learning rate is now %.3g", self.rate(0))
