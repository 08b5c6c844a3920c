"""Columns of a table that join the pictures: found by path, and what they hold, learned from the rows to train on."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vision_recipes.dataset.cell_text import column_text
from vision_recipes.dataset.column_encoding import as_category, as_number, encode, is_infinite, is_known, says_missing
from vision_recipes.dataset.path_matching import PathMatches, match_paths
from vision_recipes.errors import SettingsError, columns_listed, did_you_mean
from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import ExtraColumn
from vision_recipes.stores import Table
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

MAX_CATEGORIES = 500
_SAMPLE = 1000
FEW = 12
"""Whole numbers of at most so many values, such as the place of a photo in an upload, also count as categories."""

_Text = Callable[[Any], str | None]
Rows = Mapping[str, Mapping[str, Any]]


def join(
    table: Table, paths: Sequence[str], names: Sequence[str], key: str = "", what: str = "extra columns"
) -> dict[str, dict[str, Any]]:
    """Return the cells of the columns `names` for each picture that the table knows, by its path in the listing.

    `key` is the column that holds the paths; without one, or when the table has none of that name, it is the column
    that matches most pictures. The last row of a picture counts. `what` names the columns in messages. Raises
    SettingsError when columns are missing or no row matches.
    """
    require_columns(table, names)
    candidates = [key] if key in table.columns else [name for name in table.columns if name not in names]
    rows = list(table.rows())
    chosen, text, found = _best_match(table, rows, candidates, paths, what)
    for remark in found.remarks:
        log.warning("%s: %s", what, remark)
    joined: dict[str, dict[str, Any]] = {}
    repeated = without_picture = 0
    for row in rows:
        path = found.find(text(row.get(chosen)))
        if path is None:
            without_picture += 1
        else:
            repeated += path in joined
            joined[path] = {name: row.get(name) for name in names}
    log.info(
        "%s come from %s by column %r; of %s, %d not in it",
        what,
        table.name,
        chosen,
        counted(len(paths), "file"),
        len(paths) - len(joined),
    )
    if without_picture:
        unused = counted(without_picture, "row", "rows")
        log.info("%s of %s not used: the folder has no file of that name", unused, table.name)
    if repeated:
        again = counted(repeated, "row names", "rows name")
        log.warning("%s a picture of %s again; the last row counts", again, table.name)
    return joined


def require_columns(table: Table, names: Sequence[str]) -> None:
    """Raise SettingsError for columns that a table lacks."""
    absent = [name for name in names if name not in table.columns]
    if absent:
        raise SettingsError(
            f"extra columns: {', '.join(map(repr, absent))} should join the pictures, but dataset {table.name} has "
            f"{columns_listed(table.columns)}." + did_you_mean(absent[0], table.columns)
        )


def path_column(table: Table, paths: Sequence[str], what: str = "extra columns") -> str:
    """Return the column that holds the paths of the folder's files; raises SettingsError when none does.

    It is found by some of the rows, or by all of them where those name no file.
    """
    rows = list(table.rows())
    some = rows[:: max(1, len(rows) // _SAMPLE)]
    try:
        return _best_match(table, some, table.columns, paths, what)[0]
    except SettingsError:
        return _best_match(table, rows, table.columns, paths, what)[0]


def _best_match(
    table: Table, rows: Sequence[Mapping[str, Any]], candidates: Sequence[str], paths: Sequence[str], what: str
) -> tuple[str, _Text, PathMatches]:
    """Return the column that names most files, what reads its cells, and the files; SettingsError when none does."""
    matches = {column: _matches(rows, column, paths) for column in candidates}
    chosen = max(candidates, key=lambda column: (matches[column][1].exact, len(matches[column][1].of)), default="")
    if not chosen or not matches[chosen][1].of:
        raise SettingsError(
            f"{what}: no column of {table.name} holds paths of the folder's files (the first is "
            f"{paths[0] if paths else 'none'!r}). Give the dataset a column with the pictures' paths."
        )
    return chosen, *matches[chosen]


def _matches(rows: Sequence[Mapping[str, Any]], column: str, paths: Sequence[str]) -> tuple[_Text, PathMatches]:
    text = column_text(row.get(column) for row in rows)
    return text, match_paths(paths, (text(row.get(column)) for row in rows))


def encode_table(
    columns: Sequence[ExtraColumn], paths: Sequence[str], extra: Table | None, model: str
) -> Callable[[Picture], np.ndarray] | None:
    """Return a function from a picture to its encoded columns, float32 (width,); None when `columns` is empty.

    `extra` is the table with the columns that the network of `model` was trained with. Raises SettingsError without it.
    """
    if not columns:
        return None
    names = list(dict.fromkeys(column.name for column in columns))
    if extra is None:
        raise SettingsError(
            f"extra_dataset: model {model!r} was trained with the columns {', '.join(names)} beside the pictures; "
            "none is connected. Connect a dataset with these columns and one with the pictures' paths."
        )
    joined = join(extra, paths, names)
    for column in {column.name: column for column in columns}.values():
        _warn_of_unknown(column, [row.get(column.name) for row in joined.values()])
    encoded = {path: encode(columns, row) for path, row in joined.items()}
    unknown = encode(columns, None)
    return lambda picture: encoded.get(picture.path, unknown)


def _warn_of_unknown(column: ExtraColumn, cells: Sequence[Any]) -> None:
    """Warn of cells that are filled but say nothing to the model."""
    unknown = Counter(str(cell).strip()[:60] for cell in cells if not says_missing(cell) and not is_known(column, cell))
    if unknown:
        log.warning(
            "extra column %r: %d of %d cells hold %s: %s",
            column.name,
            unknown.total(),
            len(cells),
            "no usable number and count as missing"
            if column.kind == "number"
            else "values that the model was not trained with",
            _some(unknown),
        )


def _some(counts: Counter[str]) -> str:
    """Return up to five values, the most common first, and how many more there are."""
    more = f" and {len(counts) - 5} more" if len(counts) > 5 else ""
    return ", ".join(repr(text) for text, _ in counts.most_common(5)) + more


def learn(names: Sequence[str], rows: Rows, source: str) -> tuple[ExtraColumn, ...]:
    """Return what the columns hold, learned from the rows of the pictures to train on; `source` names their table.

    A column whose cells are all numbers (or true and false) becomes a number, standardised; other cells are categories.
    Among numbers, NaN, N/A, null and the like are missing, and so are infinite numbers.
    Whole numbers of few values become both, so that the first of three photos may differ from the second and third
    alike. Raises SettingsError for a column without values, or with texts that hardly ever come twice.
    """
    learned: list[ExtraColumn] = []
    for name in dict.fromkeys(names):
        cells = [row.get(name) for row in rows.values()]
        filled = _numbers(name, cells) or [cell for cell in cells if as_category(cell) is not None]
        if not filled:
            raise SettingsError(f"extra_columns: column {name!r} of {source} is empty for all pictures to train on.")
        numbers, texts = [as_number(cell) for cell in filled], Counter(str(as_category(cell)) for cell in filled)
        columns = _of_categories(name, texts, source) if None in numbers else _of_numbers(name, texts, numbers)
        learned += columns
        log.info(
            "extra column %r: %s, %d of %s missing",
            name,
            " and ".join(_described(column) for column in columns),
            len(cells) - len(filled),
            counted(len(cells), "cell"),
        )
    return tuple(learned)


def _numbers(name: str, cells: Sequence[Any]) -> list[Any]:
    """Return the cells that hold numbers; none when any other holds more than a spelling of missing or an infinity."""
    numbers = [cell for cell in cells if as_number(cell) is not None]
    infinite = Counter(str(cell).strip()[:60] for cell in cells if is_infinite(cell))
    if len(numbers) + infinite.total() + sum(map(says_missing, cells)) < len(cells):
        return []
    if infinite:
        log.warning("extra column %r: %d infinite cells count as missing: %s", name, infinite.total(), _some(infinite))
    return numbers


def _of_numbers(name: str, texts: Counter[str], numbers: Sequence[float | None]) -> list[ExtraColumn]:
    values = np.array(numbers, np.float64)
    middle = float(values.mean())
    spread = float(values.std())
    columns = [ExtraColumn(name, "number", middle, spread if spread > 1e-9 * max(1.0, abs(middle)) else 1.0)]
    if 3 <= len(texts) <= FEW and (values == np.rint(values)).all():
        columns.append(ExtraColumn(name, "category", categories=tuple(sorted(texts))))
    return columns


def _of_categories(name: str, counts: Counter[str], source: str) -> list[ExtraColumn]:
    common = [text for text, count in counts.most_common(MAX_CATEGORIES) if count > 1]
    if not common or (len(counts) > FEW and sum(counts[text] for text in common) < counts.total() / 2):
        example = next(iter(counts))
        raise SettingsError(
            f"extra_columns: column {name!r} of {source} holds {len(counts)} different texts in {counts.total()} rows "
            f"(such as {example[:60]!r}), so it is no category that pictures share. Choose other columns."
        )
    if len(common) < len(counts):
        rare = counted(len(counts) - len(common), "rare value counts", "rare values count")
        log.warning("extra column %r: %s as unknown", name, rare)
    return [ExtraColumn(name, "category", categories=tuple(sorted(common)))]


def _described(column: ExtraColumn) -> str:
    if column.kind == "number":
        return f"a number ({column.mean:.4g} on average, give or take {column.scale:.4g})"
    return counted(len(column.categories), "category", "categories")
