"""What an epoch of training came to, and which epoch was the best so far."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from vision_recipes.errors import TrainingError


@dataclass(frozen=True)
class Epoch:
    """The figures of one pass: `number` counts from 1 (0 = before training), `seconds` is how long it took.

    `loss` holds the penalties on the weights as well. `val_loss` and `val_accuracy` are None without validation
    pictures; accuracies are parts of 1.
    """

    number: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float

    def as_row(self) -> dict[str, Any]:
        """Return the figures by name, as the history file lists them."""
        return asdict(self)

    def __str__(self) -> str:
        told = f"epoch {self.number}: loss {self.loss:.4f}, accuracy {self.accuracy:.1%}"
        if self.val_loss is not None and self.val_accuracy is not None:
            told += f", validation loss {self.val_loss:.4f}, accuracy {self.val_accuracy:.1%}"
        return told

    @property
    def rank(self) -> tuple[float, float]:
        """What epochs are compared by: accuracy first, then a low loss; on the validation pictures if there are any."""
        if self.val_loss is None or self.val_accuracy is None:
            return (self.accuracy, -self.loss)
        return (self.val_accuracy, -self.val_loss)


class Best:
    """The best epoch so far, and whether waiting for a better one has lasted long enough."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.epoch: Epoch | None = None
        self._waited = 0

    def add(self, epoch: Epoch) -> bool:
        """Return whether an epoch is the best so far; raises TrainingError when its loss is no finite number."""
        require_finite(epoch.loss, epoch.number, epoch.learning_rate)
        require_finite(0.0 if epoch.val_loss is None else epoch.val_loss, epoch.number, epoch.learning_rate)
        if self.epoch is None or epoch.rank > self.epoch.rank:
            self.epoch, self._waited = epoch, 0
            return True
        self._waited += 1
        return False

    @property
    def over(self) -> bool:
        """Whether there was no better epoch for as long as the patience lasts; a patience of 0 lasts for ever."""
        return 0 < self.patience <= self._waited


def require_finite(loss: float, epoch: int, learning_rate: float) -> None:
    """Raise TrainingError when a loss is not a finite number."""
    if not math.isfinite(loss):
        raise TrainingError(
            f"Training ended in epoch {epoch}: the loss is {loss}, with a learning rate of {learning_rate:g}. Nothing "
            "is saved, the output is as it was. Lower model_learning_rate, or choose model_optimizer auto."
        )
