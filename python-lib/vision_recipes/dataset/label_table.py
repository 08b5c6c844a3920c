"""What tables, folder names or file names say of the pictures in a folder, before any picture is read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.dataset.labels import Labels, LabelSource, find_labels
from vision_recipes.dataset.paths import label_text
from vision_recipes.errors import LabelsError, SettingsError
from vision_recipes.images.reading import list_pictures
from vision_recipes.stores import Store, Table

log = logging.getLogger("vision_recipes")


@dataclass(frozen=True)
class Tables:
    """The datasets that are connected: labels with their columns, and more columns by picture."""

    labels: Table | None = None
    extra: Table | None = None


@dataclass(frozen=True)
class Columns:
    """The table columns that are read beside the label; an empty name means none."""

    split: str = ""
    group: str = ""
    extra: tuple[str, ...] = ()


@dataclass
class LabelTable:
    """The label of each path to use, and its cells in the split, group and extra columns."""

    labels: dict[str, str]
    split: Mapping[str, str | None] = field(default_factory=dict)
    group: Mapping[str, str | None] = field(default_factory=dict)
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    extra_source: str = ""


def read_label_table(
    pictures: Store,
    source: LabelSource,
    tables: Tables,
    columns: Columns = Columns(),  # noqa: B008 - frozen
) -> LabelTable:
    """Return the labelled pictures of a folder with their cells; raises PictureFolderError, LabelsError, SettingsError.

    With a split column, pictures whose cell is empty are left out.
    """
    paths = list_pictures(pictures)
    found = find_labels(paths, source, tables.labels)
    for remark in found.remarks():
        log.warning("labels: %s", remark)
    table = LabelTable(found.of)
    if columns.split:
        table.split = _cells(paths, found, tables, ("split_column", columns.split, source.col_filename))
        table.labels = {path: label for path, label in found.of.items() if table.split.get(path)}
        log.info("%d labelled pictures are left out by split_column", len(found.of) - len(table.labels))
        if not table.labels:
            raise LabelsError(f"split_column {columns.split!r} is empty for every labelled picture.")
    if columns.group:
        table.group = _cells(paths, found, tables, ("group_column", columns.group, source.col_filename))
    if columns.extra:
        joined = tables.extra or tables.labels
        if joined is None:
            raise SettingsError(
                f"extra_columns: {', '.join(columns.extra)} should join the pictures, but no dataset is connected. "
                "Connect extra_dataset, or labels with these columns."
            )
        from vision_recipes.dataset.extra_columns import join

        key = source.col_filename if source.col_filename not in columns.extra else ""
        table.extra, table.extra_source = join(joined, paths, columns.extra, key), joined.name
    elif tables.extra is not None:
        log.warning("dataset %s is connected, but extra_columns names none of its columns", tables.extra.name)
    return table


def require_classes(labels: Mapping[str, str], most_classes: int, *, splittable: bool) -> None:
    """Raise LabelsError when the labels alone rule out training: one class, too many, or one picture of each.

    `splittable` asks for a class with two pictures, so that one can be held out.
    """
    counts = Counter(labels.values())
    if len(counts) == 1:
        raise LabelsError(
            f"All labelled pictures have the label {next(iter(counts))!r}; training needs at least two classes."
        )
    if counts and splittable and max(counts.values()) < 2:
        raise LabelsError(
            f"Each of the {len(counts)} labels is on one picture only ({', '.join(map(repr, list(counts)[:4]))}), "
            "so none can be held out for validation. Add pictures, or check that the label column holds classes and "
            "not identifiers."
        )
    if len(counts) > most_classes:
        raise LabelsError(
            f"There are {len(counts)} different labels; a model may have {most_classes}. Is it the right column?"
        )


def _cells(paths: Sequence[str], found: Labels, tables: Tables, which: tuple[str, str, str]) -> dict[str, str | None]:
    """Return a column's cell as text for each picture; `which` is the parameter, the column and that of the paths."""
    from vision_recipes.dataset.extra_columns import join

    parameter, column, key = which
    rows: Mapping[str, Mapping[str, Any]]
    if tables.labels is not None and column in tables.labels.columns:
        rows = found.rows or join(tables.labels, paths, [column], key)
    elif tables.extra is not None and column in tables.extra.columns:
        rows = join(tables.extra, paths, [column], key)
    else:
        there = [f"{table.name} has {', '.join(table.columns)}" for table in (tables.labels, tables.extra) if table]
        raise LabelsError(
            f"{parameter}: no connected dataset has a column {column!r} "
            f"({'; '.join(there) or 'none is connected'}). Choose one of the columns, or leave it empty."
        )
    return {path: label_text(row.get(column)) for path, row in rows.items()}
