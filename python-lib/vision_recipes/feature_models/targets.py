"""The column to predict: classes or numbers, and which rows have one."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.dataset.cell_text import column_text
from vision_recipes.dataset.column_encoding import is_infinite, says_missing
from vision_recipes.errors import LabelsError
from vision_recipes.feature_model_settings import CLASSIFICATION, REGRESSION
from vision_recipes.wording import counted

_FEW_NUMBERS, _ROWS_EACH = 10, 5
"""Whole numbers of at most so many values, with so many rows each on average, are taken for classes."""

MOST_CLASSES = 1000
_SKEWED = 0.5
_MOST = 0.9
_CURRENCY = r"(?:[€$£¥₹]|EUR|USD|GBP|CHF|JPY|INR)"
_AMOUNT = re.compile(rf"[-+]?\s*{_CURRENCY}?\s*[-+]?\d[\d.,'\u2019\s]*(?:,-)?\s*(?:{_CURRENCY}|%)?")
"""A number with what float() does not take, such as € 350,000, 1,5, 1'200.50 or 12 %."""
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?!\d)")


@dataclass(frozen=True)
class Target:
    """What is to be predicted, of the `rows` (n,) that have it.

    `values` (n,) are numbers of `classes`, int64, or numbers, float64. `reason` says why they are the one or the other.
    """

    task: str
    reason: str
    rows: np.ndarray
    values: np.ndarray
    classes: tuple[str, ...] = ()


def read_target(column: str, cells: Sequence[Any], task: str) -> Target:
    """Return the target of the rows that have one; raises LabelsError when nothing can be learned from the column."""
    numbers = [_number(cell) for cell in cells]
    missing = [number is None and _is_missing(cell) for number, cell in zip(numbers, cells, strict=True)]
    text = column_text(cells)
    texts = [None if gone else text(cell) for gone, cell in zip(missing, cells, strict=True)]
    filled = [one for one in texts if one is not None]
    if not filled:
        raise LabelsError(f"col_label: column {column!r} has no usable cell in any row with a feature vector.")
    counts = Counter(filled)
    words = sum(number is None and gone is False for number, gone in zip(numbers, missing, strict=True))
    booleans = set(counts) <= {"true", "false", "True", "False"}
    if task == "auto":
        _refuse_quantities(column, counts)
        task, reason = _guess(counts, [n for n in numbers if n is not None], words, booleans)
    else:
        reason = f"as the parameter task says: {task}"
    if task == REGRESSION:
        return _of_numbers(column, numbers, words, reason, counts)
    return _of_classes(column, texts, counts, reason)


def _refuse_quantities(column: str, counts: Counter[str]) -> None:
    """Raise LabelsError for many dates, or numbers in a form that cannot be read: as classes they would be nonsense."""
    texts = [text for text in counts if _number(text) is None]
    if len(counts) <= _FEW_NUMBERS or not texts:
        return
    dates = [text for text in texts if _DATE.match(text.strip())]
    if len(dates) >= _MOST * len(counts):
        raise LabelsError(
            f"col_label: column {column!r} holds dates (such as {dates[0][:60]!r}), which are neither classes nor "
            "numbers. Make a number of them, such as the year, or classes, such as the season, or choose another "
            "column."
        )
    amounts = [text for text in texts if _AMOUNT.fullmatch(text.strip())]
    if amounts and len(counts) - len(texts) + len(amounts) >= _MOST * len(counts):
        raise _unreadable(column, amounts[0])


def _unreadable(column: str, example: str) -> LabelsError:
    return LabelsError(
        f"col_label: column {column!r} holds numbers in a form that cannot be read for certain (such as "
        f"{example[:60]!r}). Write them with a decimal point, without separators of thousands and without units: "
        "350000, 1.5. If they are classes, set task to classification."
    )


def _guess(counts: Counter[str], numbers: Sequence[float], words: int, booleans: bool) -> tuple[str, str]:
    if booleans or words:
        return CLASSIFICATION, "its cells are texts" if words else "its cells are true and false"
    whole = all(number.is_integer() for number in numbers)
    if whole and len(counts) <= _FEW_NUMBERS and counts.total() >= _ROWS_EACH * len(counts):
        return CLASSIFICATION, f"its cells are whole numbers of {len(counts)} values only"
    return REGRESSION, "its cells are numbers"


def _of_numbers(column: str, numbers: Sequence[float | None], words: int, reason: str, counts: Counter[str]) -> Target:
    rows = np.array([row for row, number in enumerate(numbers) if number is not None], np.int64)
    amounts = [text for text in counts if _number(text) is None and _AMOUNT.match(text.strip())]
    if amounts:
        raise _unreadable(column, amounts[0])
    if not len(rows):
        example = next(iter(counts))
        raise LabelsError(
            f"col_label: column {column!r} holds no numbers (such as {example[:60]!r}). Set task to classification, or "
            "remove what is not part of the number, such as units."
        )
    values = np.array([number for number in numbers if number is not None], np.float64)
    if len(rows) < 3 or (values == values[0]).all():
        raise LabelsError(
            f"col_label: column {column!r} has {counted(len(rows), 'row')} with a number and a feature vector, "
            f"{counted(len(np.unique(values)), 'different value')}; at least 3 rows that differ are needed."
        )
    if words:
        reason += f"; {counted(words, 'cell that holds', 'cells that hold')} text not used"
    return Target(REGRESSION, reason, rows, values)


def _of_classes(column: str, texts: Sequence[str | None], counts: Counter[str], reason: str) -> Target:
    classes = tuple(sorted(counts))
    if len(classes) < 2:
        raise LabelsError(
            f"col_label: column {column!r} has one value only, {classes[0][:60]!r}, in the rows with a feature vector. "
            "A model needs two classes at least: add rows of another, or choose another column."
        )
    alone = sum(count == 1 for count in counts.values())
    if len(classes) > MOST_CLASSES or (alone > counts.total() / 2 and alone > 2):
        example = next((name for name in classes if _number(name) is None), classes[0])
        raise LabelsError(
            f"col_label: column {column!r} holds {counted(len(classes), 'different text')} in "
            f"{counted(counts.total(), 'row')} (such as {example[:60]!r}), so they are no classes: each needs several "
            "rows. Choose another column; for numbers, remove what is not part of the number, such as units, or set "
            "task to regression."
        )
    places = {name: place for place, name in enumerate(classes)}
    rows = np.array([row for row, text in enumerate(texts) if text is not None], np.int64)
    values = np.array([places[text] for text in texts if text is not None], np.int64)
    return Target(CLASSIFICATION, reason, rows, values, classes)


@dataclass(frozen=True)
class ValueScale:
    """How numbers are put to a model: (value / unit, or its logarithm, - mean) / deviation.

    A logarithm is taken of values that are all above 0 and skewed to the right, such as prices, whose errors are a part
    of them. `low` and `high` are the ends of the values of the training, widened by their distance;
    numbers that are all above 0 stay so.
    """

    log: bool
    unit: float
    mean: float
    deviation: float
    low: float
    high: float

    def to_model(self, values: np.ndarray) -> np.ndarray:
        """Return standardised values, float64 (n,)."""
        scaled = np.log(values / self.unit) if self.log else values / self.unit
        return np.asarray((scaled - self.mean) / self.deviation)

    def from_model(self, outputs: np.ndarray) -> np.ndarray:
        """Return values, float64 (n,), kept between `low` and `high`: no model knows what is far beyond."""
        scaled = np.clip(outputs * self.deviation + self.mean, self.low, self.high)
        with np.errstate(over="ignore"):
            values = np.exp(scaled) * self.unit if self.log else scaled * self.unit
        return np.asarray(np.nan_to_num(values))


def scale_of(values: np.ndarray) -> ValueScale:
    """Return the scale of values (n,), which are not all alike."""
    unit = float(np.abs(values).max())
    scaled, log = values / unit, False
    if values.min() > 0 and _skewness(scaled) > _SKEWED:
        tiny = np.log(scaled)
        log = abs(_skewness(tiny)) < _skewness(scaled)
        scaled = tiny if log else scaled
    low, high = float(scaled.min()), float(scaled.max())
    most = 0.0 if not log else math.log(np.finfo(np.float64).max / unit) if unit > 1 else 700.0
    top = min(2 * high - low, most) if log else 2 * high - low
    bottom = low / 4 if values.min() > 0 and not log else 2 * low - high
    return ValueScale(log, unit, float(scaled.mean()), float(scaled.std()) or 1.0, bottom, top)


def _skewness(values: np.ndarray) -> float:
    deviation = values.std()
    return float((((values - values.mean()) / deviation) ** 3).mean()) if deviation > 0 else 0.0


def _number(cell: Any) -> float | None:
    """Return a cell that is a finite number, or a text of one; true and false are none."""
    if isinstance(cell, bool | np.bool_) or cell is None:
        return None
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _is_missing(cell: Any) -> bool:
    return says_missing(cell) or is_infinite(cell)
