"""The parameters of the recipes train-features and score-features; see settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.settings import Settings, choice, number, whole
from vision_recipes.training_settings import column, names

MODELS = ("linear", "svm", "neighbours", "forest", "boosting")
"""The kinds of model, in the order in which they are tried."""

CLASSIFICATION, REGRESSION = "classification", "regression"
METRICS = {
    CLASSIFICATION: ("accuracy", "balanced_accuracy", "log_loss"),
    REGRESSION: ("mean_absolute_error", "root_mean_squared_error", "mean_relative_error"),
}
"""The metrics of each task; the first is its default."""


def _to_models(given: Any) -> tuple[str, ...]:
    chosen: tuple[str, ...] = names().metadata["cast"](given)
    if unknown := [name for name in chosen if name not in MODELS]:
        raise ValueError(f"{unknown[0]!r} is not one of {', '.join(MODELS)}")
    return tuple(name for name in MODELS if name in chosen)


@dataclass(frozen=True)
class TrainFeaturesSettings(Settings):
    """Feature vectors, a column to predict and other columns to a model.

    `task` "auto" predicts numbers where the cells are numbers, and classes where they are texts or a few whole numbers.
    `use_columns` "auto" takes `extra_columns`, or all columns that can say something where none is named.
    `search_minutes`: after these, no further candidate is begun. `models` empty = all.
    """

    col_label: str = column()
    task: str = choice("auto", CLASSIFICATION, REGRESSION)
    vector_column: str = column()
    path_column: str = column()
    use_columns: str = choice("auto", "none")
    extra_columns: tuple[str, ...] = names()
    group_column: str = column()
    combine_column: str = column()
    models: tuple[str, ...] = field(default=(), metadata={"cast": _to_models, "each": MODELS})
    metric: str = choice("auto", *METRICS[CLASSIFICATION], *METRICS[REGRESSION])
    search_minutes: float = number(10.0, 0.0, 10_000.0)
    random_seed: int = whole(1337, 0, 2**31 - 1)

    def mistakes(self) -> Iterator[str]:
        """Yield a metric of the other task."""
        if self.task != "auto" and self.metric not in ("auto", *METRICS[self.task]):
            yield f"metric: {self.metric} does not fit {self.task}; choose {', '.join(METRICS[self.task])}, or auto"


@dataclass(frozen=True)
class ScoreFeaturesSettings(Settings):
    """Feature vectors and a model to labels or numbers; an empty column name is that which the model learned from."""

    vector_column: str = column()
    path_column: str = column()
    max_nb_labels: int = whole(5, 1)
    min_threshold: float = number(0.0, 0.0, 1.0)
