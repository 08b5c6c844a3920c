"""Which label belongs to which picture: from a table, from folder names or from a pattern in file names.

Only paths that the folder's listing gives are ever returned, so no path from a table is opened. Labels are text as
written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.dataset.label_decisions import decide
from vision_recipes.dataset.paths import label_text, path_finder
from vision_recipes.errors import LabelsError, did_you_mean, listed
from vision_recipes.images.reading import hidden
from vision_recipes.stores import Table
from vision_recipes.training_settings import LabelSettings

LONGEST_LABEL = 1000
SHOWN = 20


@dataclass
class Labels:
    """The label of each picture that has one, by its path in the listing, and all that did not fit.

    `rows` holds the table's row of each labelled picture when labels come from a table, else nothing.
    """

    of: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    without_label: list[str] = field(default_factory=list)
    without_picture: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    conflicting: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def remarks(self) -> Iterator[str]:
        """Yield one line for each kind of thing that did not fit, for the log."""
        for names, meaning in (
            (self.without_picture, "rows name a picture that is not in the folder"),
            (self.without_label, "rows have no label"),
            (self.unlabelled, "pictures have no label and are not used"),
            (self.repeated, "pictures are listed more than once, with the same label; the first row counts"),
            (self.conflicting, "pictures are listed with different labels and are not used"),
            (self.dropped, "pictures are dropped by the column of decisions"),
        ):
            if names:
                yield f"{len(names)} {meaning}: {listed(map(repr, names), SHOWN)}"
        yield from _look_alikes(set(self.of.values()))


def find_labels(paths: Sequence[str], source: LabelSettings, table: Table | None = None) -> Labels:
    """Return the labels of the pictures in `paths`; raises LabelsError when there is none, or the table cannot be used.

    Paths match with or without leading slash and in any Unicode composition. A picture listed twice with the same label
    counts once; with two labels it is left out. Hidden files and folders (a name that starts with a dot) have no label
    unless a table names them.
    """
    if source.label_source == "dataset":
        return _from_table(paths, source, table)
    if source.label_source == "folder_names":
        read: Callable[[str], str | None] = _folder_name
        hint = "Put the pictures of each class into a sub-folder of that name, or choose another label_source."
    else:
        from vision_recipes.dataset import file_name_patterns

        read = file_name_patterns.reader(source.label_pattern)
        hint = f"label_pattern is {source.label_pattern!r}; it must fit the file names of the folder."
    found = Labels()
    for path in paths:
        label = None if hidden(path) else read(path)
        if label is None or not label.strip():
            found.unlabelled.append(path)
        else:
            found.of[path] = _bounded(label, path)
    if not found.of:
        raise LabelsError(
            f"None of the {len(paths)} files gives a label (the first ones: {listed(map(repr, paths), SHOWN)}). {hint}"
        )
    return found


def _from_table(paths: Sequence[str], source: LabelSettings, table: Table | None) -> Labels:
    if table is None:
        raise LabelsError(
            "label_source is dataset, but no label dataset is connected. "
            "Connect one, or choose folder_names or file_names."
        )
    for parameter in ("col_filename", "col_label", "col_decision"):
        column = getattr(source, parameter)
        if column and column not in table.columns:
            raise LabelsError(
                f"{parameter}: dataset {table.name} has no column {column!r}; it has {', '.join(table.columns)}."
                + did_you_mean(column, table.columns)
            )
    find, found, conflicting, first = path_finder(paths), Labels(), set(), None
    for row in table.rows():
        written = label_text(row.get(source.col_filename))
        label, dropped = decide(row, label_text(row.get(source.col_label)), source.col_decision)
        first = first or written
        path = find(written)
        if path is None:
            found.without_picture.append(str(written or ""))
        elif dropped:
            found.dropped.append(path)
        elif label is None:
            found.without_label.append(path)
        elif path not in found.of:
            found.of[path], found.rows[path] = _bounded(label, path), row
        elif found.of[path] == label:
            found.repeated.append(path)
        elif path not in conflicting:
            conflicting.add(path)
            found.conflicting.append(path)
    for path in conflicting:
        del found.of[path], found.rows[path]
    for path in paths:
        if path not in found.of and path not in conflicting:
            found.unlabelled.append(path)
    if not found.of:
        raise LabelsError(_nothing_matched(paths, source, table, found, first))
    return found


def _nothing_matched(
    paths: Sequence[str], source: LabelSettings, table: Table, found: Labels, first: str | None
) -> str:
    if first is None:
        return f"Dataset {table.name} has no rows with a path in column {source.col_filename!r}."
    if len(found.without_label) or len(found.conflicting):
        return (
            f"No picture has one label: {len(found.without_label)} rows of {table.name} have none in column "
            f"{source.col_label!r}, {len(found.conflicting)} pictures have several."
        )
    names = {path.rpartition("/")[2]: path for path in paths}
    inside = names.get(first.rpartition("/")[2])
    return (
        f"No row of {table.name} names a picture of the folder: column {source.col_filename!r} holds {first!r}, "
        f"the folder holds {str(paths[0]) if paths else 'nothing'!r}. "
        + (f"Write the sub-folder too, as in {inside!r}." if inside else "Is it the right column and the right folder?")
    )


def _bounded(label: str, path: str) -> str:
    if len(label) > LONGEST_LABEL:
        raise LabelsError(
            f"The label of {path} has {len(label)} characters ({label[:60]!r}…); at most {LONGEST_LABEL} are accepted. "
            "Is it the right column?"
        )
    return label


def _folder_name(path: str) -> str | None:
    parts = path.strip("/").split("/")
    return parts[-2] if len(parts) > 1 else None


def _look_alikes(labels: set[str]) -> Iterator[str]:
    alike: dict[str, list[str]] = {}
    for label in sorted(labels):
        alike.setdefault(unicodedata.normalize("NFKC", label).strip().casefold(), []).append(label)
    for group in alike.values():
        if len(group) > 1:
            names = ", ".join(map(repr, group))
            yield f"these labels differ only in blanks, case or composition, and count as different: {names}"
