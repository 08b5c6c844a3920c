"""The figures of one epoch of training, and how epochs are compared."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vision_recipes.errors import TrainingError
from vision_recipes.wording import percent

_LOSS_WEIGHT = 1e-8
_DIVERGED = 1e20


@dataclass(frozen=True)
class Epoch:
    """The figures of epoch `number`, counted from 1; 0 is the network before training. Columns of history.csv.

    `loss` includes the penalties on the weights. `val_loss` is the cross-entropy alone; it and `val_accuracy` are None
    without validation pictures. Accuracies are fractions of 1, `learning_rate` is that at the end, `seconds` the
    duration with validation.
    """

    number: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float

    def __str__(self) -> str:
        figures = f"epoch {self.number}: loss {self.loss:.4f}, accuracy {percent(self.accuracy)}"
        if self.val_loss is not None and self.val_accuracy is not None:
            figures += f", validation loss {self.val_loss:.4f}, accuracy {percent(self.val_accuracy)}"
        return figures

    @property
    def rank(self) -> float:
        """A number that is higher for a better epoch: the accuracy, or the lower loss where accuracies are equal.

        They are those of the validation pictures, if there are any.
        """
        loss, accuracy = self.loss, self.accuracy
        if self.val_loss is not None and self.val_accuracy is not None:
            loss, accuracy = self.val_loss, self.val_accuracy
        return accuracy - _LOSS_WEIGHT * loss / (1 + loss)


def require_finite(value: float, epoch: int, learning_rate: float, what: str = "loss") -> None:
    """Raise TrainingError when a loss is not a finite number, or so large that weights' squares leave float32."""
    if not math.isfinite(value) or value > _DIVERGED:
        raise TrainingError(
            f"Training ended in epoch {epoch}: the {what} is {value:g}, with a learning rate of {learning_rate:g}. "
            "Nothing is saved, the output is as it was. Lower model_learning_rate, or choose model_optimizer auto."
        )
