"""What is known of a picture beside its pixels: its label in the file name or folder, and its row in a table."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.dataset.extra_columns import join, path_column, require_columns
from vision_recipes.dataset.feature_table import passed_on
from vision_recipes.dataset.key_join import join_by_key
from vision_recipes.dataset.labels import find_labels
from vision_recipes.errors import SettingsError, columns_listed, did_you_mean
from vision_recipes.rows import Column
from vision_recipes.stores import Table
from vision_recipes.training_settings import ExtractSettings, LabelSettings

log = logging.getLogger("vision_recipes")

LABEL = Column("label", "string", "The label that the picture's file name or folder gives")


@dataclass
class ColumnsBeside:
    """The columns, and the cells of each picture that has some, by its path in the listing."""

    columns: list[Column] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def cells(self, path: str) -> dict[str, Any]:
        """Return the cells of a picture; those that are not known are None."""
        return dict.fromkeys((column.name for column in self.columns), None) | self.rows.get(path, {})


def columns_beside(
    paths: Sequence[str], table: Table | None, settings: ExtractSettings, taken: Iterable[str]
) -> ColumnsBeside:
    """Return the label of each picture (where asked for), then the columns of `table`; `taken` are names not to use.

    Raises LabelsError when no picture has a label, SettingsError when the table has no such columns or no row fits.
    """
    found = ColumnsBeside()
    if settings.labelled:
        source = "file_names" if settings.label_source == "auto" else settings.label_source
        labels = find_labels(paths, LabelSettings(label_source=source, label_pattern=settings.label_pattern))
        for line in labels.remarks():
            log.warning("labels: %s", line)
        found.columns.append(LABEL)
        found.rows = {path: {LABEL.name: label} for path, label in labels.of.items()}
    if table is not None:
        _join(found, paths, table, settings, [*taken, *(column.name for column in found.columns)])
    return found


def _join(
    found: ColumnsBeside, paths: Sequence[str], table: Table, settings: ExtractSettings, taken: Sequence[str]
) -> None:
    key = settings.col_filename
    if key and key not in table.columns:
        raise SettingsError(
            f"col_filename: dataset {table.name} has no column {key!r}; it has {columns_listed(table.columns)}."
            + did_you_mean(key, table.columns)
        )
    if settings.key_pattern:
        chosen = settings.extra_columns or tuple(table.columns)
        require_columns(table, chosen)
        rows = join_by_key(table, paths, settings.key_pattern, key)
        joined = {path: {name: row.get(name) for name in chosen} for path, row in rows.items()}
    else:
        key = key or path_column(table, paths)
        chosen = settings.extra_columns or tuple(name for name in table.columns if name != key)
        joined = join(table, paths, chosen, key)
    names = _free_names(chosen, taken)
    if renamed := [f"{old!r} is {new!r}" for old, new in names.items() if old != new]:
        log.warning("columns of %s whose names are taken get other ones: %s", table.name, ", ".join(renamed))
    for name, kind in passed_on(table, (), chosen):
        found.columns.append(Column(names[name], kind, f"{name} of {table.name}"))
    for path, row in joined.items():
        found.rows.setdefault(path, {}).update({names[name]: cell for name, cell in row.items()})


def _free_names(names: Iterable[str], taken: Sequence[str]) -> dict[str, str]:
    """Return a name for each column that no other has, in any case: the same, or with _2, _3 … behind it."""
    used, free = {name.casefold() for name in taken}, {}
    for name in dict.fromkeys(names):
        new, number = name, 2
        while new.casefold() in used:
            new, number = f"{name}_{number}", number + 1
        used.add(new.casefold())
        free[name] = new
    return free
