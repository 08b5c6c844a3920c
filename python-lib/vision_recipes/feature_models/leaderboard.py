"""What came of a training, as rows of tables and in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from vision_recipes.feature_model_settings import TrainFeaturesSettings
from vision_recipes.feature_models.candidates import NAMES
from vision_recipes.feature_models.estimators import Task
from vision_recipes.feature_models.importance import Importance
from vision_recipes.feature_models.inputs import FORMS
from vision_recipes.feature_models.losses import METRICS, Metric
from vision_recipes.feature_models.search import Judged, Search
from vision_recipes.feature_models.training_table import TrainingTable
from vision_recipes.group_bootstrap import interval
from vision_recipes.metrics import grouped_accuracy_interval
from vision_recipes.report_columns import FEATURE_LEADERBOARD, IMPORTANCE
from vision_recipes.rows import rounded
from vision_recipes.wording import counted

Row = dict[str, Any]


@dataclass(frozen=True)
class Training:
    """All that a run read and found. `places` (n,) are the rows that took part in the search, `repeats` how often
    they were split into folds.
    """

    data: TrainingTable
    settings: TrainFeaturesSettings
    metric_name: str
    places: np.ndarray
    repeats: int
    found: Search
    importances: Sequence[Importance]

    @property
    def weights(self) -> np.ndarray:
        """The weight of each row that took part in the search, float64 (n,)."""
        return self.found.weights

    @property
    def task(self) -> Task:
        """What is fitted."""
        return Task(len(self.data.target.classes), self.settings.random_seed)

    @property
    def metric(self) -> Metric:
        """What the models are compared by."""
        return METRICS[self.metric_name]

    def name(self, judged: Judged) -> str:
        """Return what people call the kind of a model."""
        return NAMES[judged.candidate.kind][0 if self.data.target.classes else 1]

    def value(self, judged: Judged) -> float:
        """Return the metric of a candidate."""
        return self.metric.shown(float(self.weights @ judged.losses))

    def ends(self, judged: Judged) -> tuple[float, float]:
        """Return the 95 % interval of the metric of a candidate."""
        if self.metric_name == "accuracy":
            return grouped_accuracy_interval(1 - judged.losses, self.data.rows.groups[self.places])
        low, high = interval(self.found.resampling.means(judged.losses))
        ends = sorted((self.metric.shown(low), self.metric.shown(high)))
        return ends[0], ends[1]

    def behind(self, judged: Judged) -> tuple[float, float, float]:
        """Return how much worse a candidate is than the best, with the ends of its 95 % interval, paired by row."""
        shown, best = self.metric.shown, self.found.best
        sign = -1 if self.metric.higher else 1
        draws = [self.found.resampling.means(one.losses) for one in (judged, best)]
        each = np.array([sign * (shown(one) - shown(other)) for one, other in zip(*draws, strict=True)])
        return sign * (self.value(judged) - self.value(best)) + 0.0, *interval(each + 0.0)

    @cached_property
    def expected(self) -> float:
        """The metric to be expected on new rows: corrected for having chosen the best of several."""
        return self.metric.shown(self.found.resampling.selected(np.stack([one.losses for one in self.found.judged])))

    @cached_property
    def best_of_forms(self) -> dict[str, Judged]:
        """The best candidate of each form of inputs."""
        found: dict[str, Judged] = {}
        for judged in self.found.judged:
            found.setdefault(judged.candidate.form, judged)
        return {form: found[form] for form in FORMS if form in found}

    @property
    def best_of_each(self) -> list[Judged]:
        """The best settings of each kind of model and form of inputs, the best first."""
        found: dict[tuple[str, str], Judged] = {}
        for judged in self.found.judged:
            found.setdefault((judged.candidate.kind, judged.candidate.form), judged)
        return list(found.values())

    def written(self, value: float) -> str:
        """Return a value of the metric in words."""
        if self.metric.higher or self.metric_name == "mean_relative_error":
            return f"{100 * value:.1f} %"
        return figure(value)

    @property
    def summary(self) -> str:
        """The result in a sentence or two."""
        best = self.found.best
        low, high = self.ends(best)
        return (
            f"{self.data.column!r} is predicted by {self.name(best)} ({best.candidate.described}) from "
            f"{WORDS[best.candidate.form]}: {self.metric.name} {self.written(self.value(best))} on rows not seen (95 % "
            f"between {self.written(low)} and {self.written(high)}), the best of "
            f"{counted(len(self.found.judged), 'candidate')}; {self.written(self.expected)} is expected of new rows."
        )


def figure(value: float) -> str:
    """Return a number of any size with about four digits, without an exponent where people would write none."""
    if not 1000 <= abs(value) < 1e15:
        return f"{value:.4g}"
    digits = 3 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.0f}"


WORDS = {
    "vector": "the vector",
    "both": "the vector and the columns",
    "stacked": "the answer of a linear model to the vector, and the columns",
    "columns": "the columns alone",
}


def leaderboard_rows(training: Training) -> Iterator[Row]:
    """Yield a row (report_columns.FEATURE_LEADERBOARD) for each candidate, the best first, then what was not tried."""
    for rank, judged in enumerate(training.found.judged, 1):
        low, high = training.ends(judged)
        behind, least, most = training.behind(judged)
        yield {
            "rank": rank,
            "model": training.name(judged),
            "inputs": judged.candidate.form,
            "settings": judged.candidate.described,
            "metric": training.metric_name,
            "value": rounded(training.value(judged)),
            "low": rounded(low),
            "high": rounded(high),
            "behind": rounded(behind),
            "behind_low": rounded(least),
            "behind_high": rounded(most),
            "rows": len(training.places),
            "chosen": int(rank == 1),
            "reason": "",
        }
    row: Row
    for name, reason in training.found.not_tried.items():
        kind, _, form = name.removeprefix("more settings of ").partition(" on ")
        settings = "more settings" if name.startswith("more settings") else None
        model = NAMES[kind][0 if training.data.target.classes else 1]
        row = {column.name: None for column in FEATURE_LEADERBOARD} | {"model": model, "inputs": form}
        yield row | {"settings": settings, "chosen": 0, "reason": reason}


def importance_rows(training: Training) -> Iterator[Row]:
    """Yield a row (report_columns.IMPORTANCE) for each input, the most important first, then the columns left out."""
    for one in training.importances:
        yield {
            "input": one.name,
            "kind": one.kind,
            "importance": rounded(one.loss) if one.used else None,
            "low": rounded(one.low) if one.used else None,
            "high": rounded(one.high) if one.used else None,
            "used": int(one.used),
            "reason": "" if one.used else "the chosen model does not use it",
        }
    for name, reason in training.data.choice.left_out.items():
        row = {column.name: None for column in IMPORTANCE}
        yield row | {"input": name, "used": 0, "reason": reason}
