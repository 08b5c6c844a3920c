"""Columns of a table beside the vector: which can say something, and how their cells become numbers."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.dataset.column_encoding import as_category, as_number, is_infinite, says_missing
from vision_recipes.strict_json import require

NUMBER, CATEGORY, DATE = "number", "category", "date"
MOST_CATEGORIES, LONGEST_CATEGORY = 100, 200
_FEW = 12
_FARTHEST = 20.0
_SKEWED = 2.0


@dataclass(frozen=True)
class InputColumn:
    """A column as a model takes it: numbers or dates, standardised, or categories, one input each.

    `log`: of numbers, all above 0 and skewed, the logarithm. Numbers may be `categories` as well, when few. `gaps`:
    whether one input more says that the cell is missing. A missing number counts as the mean, an unknown category as
    none.
    """

    name: str
    kind: str
    mean: float = 0.0
    deviation: float = 1.0
    log: bool = False
    categories: tuple[str, ...] = ()
    gaps: bool = False

    def __post_init__(self) -> None:
        require(self.kind in (NUMBER, CATEGORY, DATE), f"kind {self.kind[:60]!r} is not number, category or date")
        require(self.deviation > 0, "deviation must be above 0")
        require(len(set(self.categories)) == len(self.categories) <= MOST_CATEGORIES, "categories must be some, once")

    @property
    def width(self) -> int:
        """How many inputs the column fills."""
        return (self.kind != CATEGORY) + len(self.categories) + self.gaps

    def encode(self, cells: Sequence[Any]) -> np.ndarray:
        """Return float32 (n, width)."""
        found = np.zeros((len(cells), self.width), np.float32)
        places = {category: place for place, category in enumerate(self.categories, self.kind != CATEGORY)}
        for row, cell in enumerate(cells):
            if self.kind != CATEGORY:
                number = self._standardised(cell)
                found[row, 0] = 0.0 if number is None else number
                found[row, -1] = number is None if self.gaps else found[row, -1]
            elif self.gaps and says_missing(cell):
                found[row, -1] = 1.0
            if places and not says_missing(cell) and (place := places.get(category_of(cell))) is not None:
                found[row, place] = 1.0
        return found

    def unknown(self, cells: Sequence[Any]) -> Counter[str]:
        """Return the cells, as texts, that are filled but say nothing to the model."""
        filled = (cell for cell in cells if not says_missing(cell))
        if self.kind == CATEGORY:
            texts = (category_of(cell) for cell in filled)
            return Counter(text[:60] for text in texts if text not in self.categories)
        return Counter(str(cell)[:60] for cell in filled if self._standardised(cell) is None)

    def _standardised(self, cell: Any) -> float | None:
        number = date_number(cell) if self.kind == DATE else as_number(cell)
        if number is None or (self.log and number <= 0):
            return None
        number = float(np.log(number)) if self.log else number
        return min(_FARTHEST, max(-_FARTHEST, (number - self.mean) / self.deviation))


def category_of(cell: Any) -> str:
    """Return a cell as the text of a category."""
    return (as_category(cell) or "")[:LONGEST_CATEGORY]


def date_number(cell: Any) -> float | None:
    """Return a date, or its ISO 8601 text, as days since 1970; None for anything else."""
    if isinstance(cell, datetime.date) and not isinstance(cell, datetime.datetime):
        return float((cell - datetime.date(1970, 1, 1)).days)
    try:
        moment = cell if isinstance(cell, datetime.datetime) else datetime.datetime.fromisoformat(str(cell).strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        return (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)).total_seconds() / 86400
    except (ValueError, TypeError, OverflowError):
        return None


def learn_column(name: str, cells: Sequence[Any]) -> tuple[InputColumn | None, str]:
    """Return what a column holds, and None with the reason when it can say nothing."""
    filled = [cell for cell in cells if not says_missing(cell) and not is_infinite(cell)]
    counts = Counter(map(category_of, filled))
    if len(counts) + (len(filled) < len(cells)) < 2:
        return None, "it is empty" if not filled else "all its cells are alike"
    gaps = len(filled) < len(cells)
    numbers = [as_number(cell) for cell in filled]
    if None not in numbers:
        return _of_numbers(name, NUMBER, np.array(numbers, np.float64), counts, gaps), ""
    dates = [date_number(cell) for cell in filled] if len(counts) > 1 else [None]
    if None not in dates:
        return _of_numbers(name, DATE, np.array(dates, np.float64), Counter(), gaps), ""
    if any(isinstance(cell, list | tuple | dict | set | np.ndarray) for cell in filled):
        return None, "its cells are lists or objects"
    common = [text for text, count in counts.most_common(MOST_CATEGORIES) if count > 1]
    if not common or (len(counts) > _FEW and sum(counts[text] for text in common) < len(filled) / 2):
        return None, f"nearly every cell is another text (such as {next(iter(counts))[:40]!r})"
    return InputColumn(name, CATEGORY, categories=tuple(sorted(common)), gaps=gaps), ""


def _of_numbers(name: str, kind: str, values: np.ndarray, counts: Counter[str], gaps: bool) -> InputColumn:
    log = kind == NUMBER and bool(values.min() > 0) and _skewness(values) > _SKEWED
    values = np.log(values) if log else values
    middle = float(values.mean())
    spread = float(values.std())
    few = 3 <= len(counts) <= _FEW and bool((values == np.rint(values)).all()) and not log
    common = tuple(sorted(text for text, count in counts.items() if count > 1)) if few else ()
    return InputColumn(name, kind, middle, spread if spread > 1e-9 * max(1.0, abs(middle)) else 1.0, log, common, gaps)


def encode_columns(columns: Sequence[InputColumn], cells: Mapping[str, Sequence[Any]], count: int) -> np.ndarray:
    """Return the inputs of all columns, float32 (count, total width)."""
    parts = [column.encode(cells[column.name]) for column in columns]
    return np.hstack(parts) if parts else np.zeros((count, 0), np.float32)


def gives_away(column: InputColumn, cells: Sequence[Any], values: np.ndarray, classes: int) -> bool:
    """Return whether a column says what the target (n,) is: then it is the target in other words, and no input."""
    if not classes:
        if column.kind == CATEGORY:
            return False
        numbers = [as_number(cell) for cell in cells]
        rows = np.array([row for row, number in enumerate(numbers) if number is not None], int)
        if len(rows) < 10 or len(set(values[rows])) < 10:
            return False
        given = _ranks(np.array([numbers[row] for row in rows], np.float64))
        return abs(float(np.corrcoef(given, _ranks(values[rows]))[0, 1])) > 0.9999
    texts = [category_of(cell) for cell in cells]
    of_class: dict[str, set[int]] = {}
    for text, value in zip(texts, values, strict=True):
        of_class.setdefault(text, set()).add(int(value))
    one_each = all(len(found) == 1 for found in of_class.values())
    return one_each and len(of_class) == classes == len({min(found) for found in of_class.values()})


def _ranks(values: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - counts / 2)[inverse])


def _skewness(values: np.ndarray) -> float:
    deviation = values.std()
    return float((((values - values.mean()) / deviation) ** 3).mean()) if deviation > 0 else 0.0
