"""Predictions as the classify recipe wrote them, read back from their table and joined with the true labels."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vision_recipes.dataset.cell_text import column_text, label_text
from vision_recipes.dataset.labels import Labels
from vision_recipes.errors import PredictionsError
from vision_recipes.reports.true_labels import as_the_model_spells_them
from vision_recipes.stores import Table
from vision_recipes.wording import counted

NUMBERED = re.compile(r"(.+?)(?: \(\d+\))+", re.DOTALL)
"""How a class name that several outputs of a model share is written: `crane (134)`."""


@dataclass(frozen=True)
class Prediction:
    """What was predicted for one picture: the predicted label, its probability, and those of the labels listed.

    `probabilities` maps the listed labels to probabilities, highest first; `probability` is None when the table does
    not have it. `truth` is None until true labels are joined; `verdict` is empty when the table has none.
    """

    path: str
    label: str
    probability: float | None
    probabilities: Mapping[str, float]
    truth: str | None = None
    verdict: str = ""

    @property
    def right(self) -> bool:
        """Whether the predicted label is the true one."""
        return self.label == self.truth

    @property
    def probability_of_truth(self) -> float | None:
        """The probability of the true label, None when it is not listed."""
        return self.probability if self.right else self.probabilities.get(str(self.truth))


@dataclass
class Predictions:
    """Every usable prediction of a table, one per picture; the other pictures by path, each with the reason it has."""

    pictures: list[Prediction] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    repeated: int = 0

    @property
    def paths(self) -> list[str]:
        """The paths of all pictures, with a prediction or without."""
        return [picture.path for picture in self.pictures] + list(self.rejected)


@dataclass(frozen=True)
class LabelledPredictions:
    """Predictions with their true labels, and how many rows of either side did not join."""

    pictures: list[Prediction]
    rejected: int
    without_truth: int
    without_prediction: int
    conflicting_truth: int
    repeated_truth: int
    repeated_predictions: int


def read_predictions(table: Table) -> Predictions:
    """Return the predictions of a table; raises PredictionsError when it is not what classify writes.

    Rows whose `error` is set, or without any label, are rejected pictures. A picture that comes twice counts once, with
    its first row. Tables without the columns `label` and `probability` are read from `prediction` alone.
    """
    if "images" not in table.columns or not {"label", "prediction"} & set(table.columns):
        raise PredictionsError(
            f"Dataset {table.name} is not what vision-classify writes: it has the columns {', '.join(table.columns)}; "
            "images, and label or prediction, are needed. Choose the scored dataset."
        )
    found, seen, rows = Predictions(), set(), list(table.rows())
    label_of = column_text(row.get("label") for row in rows)
    for row in rows:
        path = label_text(row.get("images"))
        if path is None:
            raise PredictionsError(f"Dataset {table.name} has a row with an empty cell in column 'images'.")
        if path in seen:
            found.repeated += 1
            continue
        seen.add(path)
        prediction = (
            None if _is_error(row.get("error")) else _read_row(row, label_of(row.get("label")), path, table.name)
        )
        if prediction is None:
            found.rejected[path] = label_text(row.get("reason")) or "no label"
        else:
            found.pictures.append(prediction)
    if not found.pictures:
        raise PredictionsError(
            f"Dataset {table.name} holds no prediction: {counted(len(seen), 'row')}, {len(found.rejected)} without a "
            "label. Run vision-classify on pictures that can be read."
        )
    return found


def join(predictions: Predictions, truths: Labels, name: str, classes: Sequence[str] = ()) -> LabelledPredictions:
    """Return the predictions that have a true label; `truths` were found for `predictions.paths`.

    A label that classify numbered because several classes share its name (`crane (134)`) stands for the plain name,
    where only that one is a true label. `name` is the predictions' dataset; `classes` are the model's labels where they
    are known, beside those in the predictions. Raises LabelsError when no true label is among them.
    """
    predicted = {label for picture in predictions.pictures for label in (picture.label, *picture.probabilities)}
    plain = _plain_names(predicted, set(truths.of.values()))
    joined = [
        replace(_renamed(picture, plain), truth=truths.of[picture.path])
        for picture in predictions.pictures
        if picture.path in truths.of
    ]
    if not joined:
        raise PredictionsError(
            f"None of the {counted(len(predictions.pictures), 'picture')} with a prediction has a true label; "
            f"{counted(len(truths.of), 'picture has', 'pictures have')} one but could not be scored."
        )
    known = {plain.get(label, label) for label in (*predicted, *classes)}
    judged = as_the_model_spells_them([str(picture.truth) for picture in joined], known, name)
    return LabelledPredictions(
        [replace(picture, truth=judged[str(picture.truth)]) for picture in joined],
        rejected=len(predictions.rejected),
        without_truth=len(predictions.pictures) - len(joined),
        without_prediction=len(truths.without_picture),
        conflicting_truth=len(truths.conflicting),
        repeated_truth=len(truths.repeated),
        repeated_predictions=predictions.repeated,
    )


def _is_error(cell: Any) -> bool:
    return str(cell).strip().lower() in ("1", "1.0", "true")


def _read_row(row: Mapping[str, Any], label: str | None, path: str, table: str) -> Prediction | None:
    where = f"Dataset {table}, picture {path}"
    probabilities = _highest_first(dict(_listed(row.get("prediction"), where)))
    label = label or next(iter(probabilities), None)
    if label is None:
        return None
    written = label_text(row.get("probability"))
    probability = probabilities.get(label) if written is None else _probability(written, where)
    return Prediction(path, label, probability, probabilities, verdict=label_text(row.get("verdict")) or "")


def _listed(cell: Any, where: str) -> Iterator[tuple[str, float]]:
    text = cell if isinstance(cell, Mapping) else label_text(cell)
    if text is None:
        return
    try:
        listed = text if isinstance(text, Mapping) else json.loads(text)
    except (ValueError, RecursionError) as err:
        raise PredictionsError(f"{where}: column 'prediction' holds {text[:80]!r}, which is no JSON: {err}") from err
    if not isinstance(listed, Mapping):
        raise PredictionsError(
            f"{where}: column 'prediction' holds {str(text)[:80]!r}, not an object of label: number."
        )
    for label, probability in listed.items():
        yield str(label), _probability(probability, where)


def _probability(cell: Any, where: str) -> float:
    try:
        value = float(cell)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if isinstance(cell, bool) or not 0 <= value <= 1 + 1e-5:
        raise PredictionsError(f"{where}: {str(cell)[:80]!r} is not a probability between 0 and 1.")
    return min(value, 1.0)


def _plain_names(predicted: set[str], known: set[str]) -> dict[str, str]:
    """Return which numbered labels mean a plain one: it is a true label, and no prediction has it as its name."""
    plain = {}
    for label in predicted - known:
        match = NUMBERED.fullmatch(label)
        if match and match[1] in known and match[1] not in predicted:
            plain[label] = match[1]
    return plain


def _renamed(picture: Prediction, plain: Mapping[str, str]) -> Prediction:
    if not plain:
        return picture
    summed: dict[str, float] = {}
    for name, value in picture.probabilities.items():
        name = plain.get(name, name)
        summed[name] = summed.get(name, 0.0) + value
    label, probability = plain.get(picture.label, picture.label), picture.probability
    if probability is not None:
        probability = min(1.0, max(probability, summed.get(label, 0.0)))
    return replace(picture, label=label, probability=probability, probabilities=_highest_first(summed))


def _highest_first(probabilities: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(probabilities.items(), key=lambda item: -item[1]))


def wrong_paths(table: Table) -> Iterator[str]:
    """Yield the paths of the pictures that a table of evaluated pictures (JUDGED) marks as wrong."""
    if not {"images", "right"} <= set(table.columns):
        raise PredictionsError(
            f"Dataset {table.name} has the columns {', '.join(table.columns)}; images and right are needed. "
            "Choose the pictures_dataset of vision-evaluate."
        )
    for row in table.rows():
        path, right = label_text(row.get("images")), label_text(row.get("right"))
        if path is not None and right and right.lower() in ("0", "0.0", "false"):
            yield path


def true_labels(table: Table) -> dict[str, str]:
    """Return the true label of each picture by path, as far as a table of evaluated pictures (JUDGED) tells it."""
    cells = ((label_text(row.get("images")), label_text(row.get("truth"))) for row in table.rows())
    return {path: truth for path, truth in cells if path is not None and truth is not None}
