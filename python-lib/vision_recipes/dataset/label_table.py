"""What tables, folder names or file names say of the pictures in a folder, before any picture is read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.dataset.cell_text import column_text
from vision_recipes.dataset.extra_columns import join
from vision_recipes.dataset.labels import WAYS, find_labels
from vision_recipes.errors import LabelsError, SettingsError
from vision_recipes.images.reading import list_pictures
from vision_recipes.stores import Store, Table
from vision_recipes.training_settings import LabelSettings
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")


@dataclass
class LabelTable:
    """The label of each path to use, and its cells in the split, group and extra columns.

    The paths are in the order of the folder whatever gave the labels, since the split and the model depend on it.
    `source` is what gave the labels: dataset, folder_names or file_names.
    `split` is empty when nothing gives a split; `split_source` says in words what gives it.
    `feedback` holds the labels of the pictures that people corrected; they are the last ones of `labels`, too.
    """

    labels: dict[str, str]
    source: str
    split: Mapping[str, str | None] = field(default_factory=dict)
    split_source: str = ""
    group: Mapping[str, str | None] = field(default_factory=dict)
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    extra_source: str = ""
    feedback: Mapping[str, str] = field(default_factory=dict)


def read_label_table(
    pictures: Store, settings: LabelSettings, labels: Table | None, extra: Table | None = None
) -> LabelTable:
    """Return the labelled pictures of a folder with their cells; raises PictureFolderError, LabelsError, SettingsError.

    `labels` and `extra` are the datasets that are connected. With a split column, pictures whose cell is empty are left
    out.
    """
    paths = list_pictures(pictures)
    found = find_labels(paths, settings, labels)
    for remark in (*found.remarks(), *found.look_alikes()):
        log.warning("labels: %s", remark)
    ordered = {path: found.of[path] for path in paths if path in found.of}
    table = LabelTable(ordered, found.source, found.sides, "the split by folders" if found.sides else "")

    def cells(parameter: str) -> dict[str, str | None]:
        """Return, as text for each picture, the cell of the column that a parameter names."""
        column = getattr(settings, parameter)
        rows: Mapping[str, Mapping[str, Any]]
        if labels is not None and column in labels.columns:
            rows = found.rows or join(labels, paths, [column], settings.col_filename)
        elif extra is not None and column in extra.columns:
            rows = join(extra, paths, [column], settings.col_filename)
        else:
            there = [f"{table.name} has {', '.join(table.columns)}" for table in (labels, extra) if table]
            raise LabelsError(
                f"{parameter}: no connected dataset has a column {column!r} "
                f"({'; '.join(there) or 'none is connected'}). Choose one of the columns, or leave it empty."
            )
        text = column_text(row.get(column) for row in rows.values())
        return {path: text(row.get(column)) for path, row in rows.items()}

    if settings.split_column:
        table.split, table.split_source = cells("split_column"), f"split_column {settings.split_column!r}"
        table.labels = {path: label for path, label in ordered.items() if table.split.get(path)}
        left_out = counted(len(ordered) - len(table.labels), "labelled picture is", "labelled pictures are")
        log.info("%s left out by split_column", left_out)
        if not table.labels:
            raise LabelsError(f"split_column {settings.split_column!r} is empty for every labelled picture.")
    if settings.group_column:
        table.group = cells("group_column")
    if settings.extra_columns:
        joined = extra or labels
        if joined is None:
            raise SettingsError(
                f"extra_columns: {', '.join(settings.extra_columns)} should join the pictures, but no dataset is "
                "connected. Connect extra_dataset, or labels with these columns."
            )
        key = settings.col_filename if settings.col_filename not in settings.extra_columns else ""
        table.extra, table.extra_source = join(joined, paths, settings.extra_columns, key), joined.name
    elif extra is not None:
        log.warning("dataset %s is connected, but extra_columns names none of its columns", extra.name)
    return table


_ANOTHER_CLASS = {
    "folder_names": "Add a second sub-folder, with pictures of another label.",
    "file_names": "Add pictures of another label, or correct label_pattern.",
    "dataset": "Add rows with pictures of another label, or choose another column as col_label.",
}
"""What to do about a single class, by what gave the labels."""


def require_classes(labels: Mapping[str, str], most_classes: int, source: str = "", *, splittable: bool) -> None:
    """Raise LabelsError when the labels alone rule out training: one class, too many, or one picture of each.

    `source` is what gave the labels; `splittable` asks for a class with two pictures, so that one can be held out.
    """
    counts = Counter(labels.values())
    if len(counts) == 1:
        raise LabelsError(
            f"All labelled pictures have the label {next(iter(counts))!r}; training needs at least two classes. "
            f"{_ANOTHER_CLASS.get(source, WAYS)}"
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
