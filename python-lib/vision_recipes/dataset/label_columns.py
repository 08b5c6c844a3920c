"""The columns of a label dataset that hold paths and labels, found where no parameter names them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vision_recipes.dataset.cell_text import column_text, folded, label_text
from vision_recipes.dataset.column_encoding import as_number
from vision_recipes.dataset.path_matching import match_paths
from vision_recipes.dataset.path_spelling import is_picture_name, quoted
from vision_recipes.errors import LabelsError, columns_listed
from vision_recipes.stores import Table
from vision_recipes.training_settings import LabelSettings

log = logging.getLogger("vision_recipes")

LABEL_NAMES = {"label", "labels", "class", "category", "truth", "prediction"}
"""Names of columns with labels. A table with two of them, such as a scored dataset, leaves the choice to people."""

_OF_RECIPES = "images"
"""What recipes call the picture of a row, also where other columns name further pictures, such as a neighbour."""

_SAMPLE = 1000

Rows = Sequence[Mapping[str, Any]]


def find_columns(paths: Sequence[str], source: LabelSettings, table: Table, rows: Rows) -> LabelSettings:
    """Return the settings with the names of both columns; raises LabelsError where one is neither given nor obvious.

    The column of paths is the only one whose cells are paths of the folder, or the one called images of several: as
    they are, or else as other spellings of them, names of pictures before mere numbers. The column of labels is the
    only one that is called so, or else the only one left that holds text, or the only one left.
    """
    if source.col_filename and source.col_label:
        return source
    if not rows:
        raise LabelsError(f"Dataset {table.name} has no rows, so no picture has a label.")
    path_column = source.col_filename or _path_column(paths, source, table, rows)
    label_column = source.col_label or _label_column(path_column, source, table, rows)
    log.info(
        "labels: in dataset %s, column %r holds the paths and %r the labels", table.name, path_column, label_column
    )
    return replace(source, col_filename=path_column, col_label=label_column)


def _path_column(paths: Sequence[str], source: LabelSettings, table: Table, rows: Rows) -> str:
    """Return the column that holds paths, by some of the rows, or by all of them where those name no picture."""
    some = rows[:: max(1, len(rows) // _SAMPLE)]
    fitting = _fitting(paths, source, table, some) or _fitting(paths, source, table, rows)
    own = [column for column in fitting if folded(column) == _OF_RECIPES]
    if len(fitting) == 1 or len(own) == 1:
        return (own or fitting)[0]
    if fitting:
        problem = f"several columns hold paths of pictures ({', '.join(map(repr, fitting))})"
    else:
        first = quoted(paths[0]) if paths else "nothing"
        problem = f"no column holds paths of the folder's files (the folder holds {first})"
    raise LabelsError(f"col_filename: {problem}. {_choose(table)}")


def _fitting(paths: Sequence[str], source: LabelSettings, table: Table, rows: Rows) -> list[str]:
    """Return the columns whose cells are paths of the folder, those that are so in the most exact way."""
    found = {}
    for column in table.columns:
        if column and column not in (source.col_label, source.group_column, source.split_column, source.col_decision):
            text = column_text(row.get(column) for row in rows)
            found[column] = match_paths(paths, (text(row.get(column)) for row in rows))
    exact = [column for column, matches in found.items() if matches.exact]
    names = [column for column, matches in found.items() if any(map(is_picture_name, matches.of))]
    return exact or names or [column for column, matches in found.items() if matches.of]


def _label_column(path_column: str, source: LabelSettings, table: Table, rows: Rows) -> str:
    taken = {"", path_column, source.col_decision, source.split_column, source.group_column, *source.extra_columns}
    others = [column for column in table.columns if column not in taken]
    named = [column for column in others if folded(column) in LABEL_NAMES]
    texts = [column for column in others if any(_is_text(row.get(column)) for row in rows)]
    for fitting in (named, texts, others):
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            break
    raise LabelsError(f"col_label: it is not obvious which column holds the labels. {_choose(table)}")


def _is_text(cell: Any) -> bool:
    return label_text(cell) is not None and as_number(cell) is None


def _choose(table: Table) -> str:
    return f"Dataset {table.name} has the columns {columns_listed(table.columns)}; name the right one."
