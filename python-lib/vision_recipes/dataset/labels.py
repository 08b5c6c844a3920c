"""Which label belongs to which picture: from a table, from folder names or from a pattern in file names.

Only paths that the folder's listing gives are ever returned, so no path from a table is opened. Labels are text as
written.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from vision_recipes.dataset.label_decisions import decided
from vision_recipes.dataset.paths import label_text, path_finder
from vision_recipes.errors import LabelsError
from vision_recipes.images.reading import hidden
from vision_recipes.stores import Table

LONGEST_LABEL = 1000
SHOWN = 20


class LabelSource(Protocol):
    """The settings that say where labels come from; RetrainSettings and EvaluateSettings have them."""

    @property
    def label_source(self) -> str:
        """One of dataset, folder_names, file_names."""

    @property
    def label_pattern(self) -> str:
        """The pattern of file names, for file_names."""

    @property
    def col_filename(self) -> str:
        """The table's column of paths, for dataset."""

    @property
    def col_label(self) -> str:
        """The table's column of labels, for dataset."""


@dataclass
class Noted:
    """How often something happened, with the first few names."""

    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count one more, and remember its name while there are few."""
        self.count += 1
        if len(self.names) < SHOWN:
            self.names.append(name)

    def __str__(self) -> str:
        more = self.count - len(self.names)
        return ", ".join(repr(name) for name in self.names) + (f" and {more} more" if more else "")


@dataclass
class Labels:
    """The label of each picture that has one, by its path in the listing, and all that did not fit.

    `rows` holds the table's row of each labelled picture when labels come from a table, else nothing.
    """

    of: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    without_label: Noted = field(default_factory=Noted)
    without_picture: Noted = field(default_factory=Noted)
    unlabelled: Noted = field(default_factory=Noted)
    repeated: Noted = field(default_factory=Noted)
    conflicting: Noted = field(default_factory=Noted)
    dropped: Noted = field(default_factory=Noted)

    def remarks(self) -> Iterator[str]:
        """Yield one line for each kind of thing that did not fit, for the log."""
        for noted, meaning in (
            (self.without_picture, "rows name a picture that is not in the folder"),
            (self.without_label, "rows have no label"),
            (self.unlabelled, "pictures have no label and are not used"),
            (self.repeated, "pictures are listed more than once, with the same label; the first row counts"),
            (self.conflicting, "pictures are listed with different labels and are not used"),
            (self.dropped, "pictures are dropped by the column of decisions"),
        ):
            if noted.count:
                yield f"{noted.count} {meaning}: {noted}"
        yield from _look_alikes(set(self.of.values()))


def find_labels(paths: Sequence[str], source: LabelSource, table: Table | None = None) -> Labels:
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
            found.unlabelled.add(path)
        else:
            found.of[path] = _bounded(label, path)
    if not found.of:
        raise LabelsError(f"None of the {len(paths)} files gives a label (the first ones: {found.unlabelled}). {hint}")
    return found


def require_columns(table: Table, columns: Mapping[str, str]) -> None:
    """Raise LabelsError unless the table has every column; `columns` maps a parameter's name to the column it names."""
    for parameter, column in columns.items():
        if column not in table.columns:
            close = difflib.get_close_matches(column, table.columns, 1)
            raise LabelsError(
                f"{parameter}: dataset {table.name} has no column {column!r}; it has {', '.join(table.columns)}."
                + (f" Did you mean {close[0]!r}?" if close else "")
            )


def _from_table(paths: Sequence[str], source: LabelSource, table: Table | None) -> Labels:
    if table is None:
        raise LabelsError(
            "label_source is dataset, but no label dataset is connected. "
            "Connect one, or choose folder_names or file_names."
        )
    require_columns(table, {"col_filename": source.col_filename, "col_label": source.col_label})
    find, found, conflicting, first = path_finder(paths), Labels(), set(), None
    decision = str(getattr(source, "col_decision", ""))
    if decision:
        require_columns(table, {"col_decision": decision})
    read = decided(lambda row: label_text(row.get(source.col_label)), label_text, decision)
    for row in table.rows():
        written = label_text(row.get(source.col_filename))
        label, dropped = read(row)
        first = first or written
        path = find(written)
        if path is None:
            found.without_picture.add(str(written or ""))
        elif dropped:
            found.dropped.add(path)
        elif label is None:
            found.without_label.add(path)
        elif path not in found.of:
            found.of[path], found.rows[path] = _bounded(label, path), row
        elif found.of[path] == label:
            found.repeated.add(path)
        elif path not in conflicting:
            conflicting.add(path)
            found.conflicting.add(path)
    for path in conflicting:
        del found.of[path], found.rows[path]
    for path in paths:
        if path not in found.of and path not in conflicting:
            found.unlabelled.add(path)
    if not found.of:
        raise LabelsError(_nothing_matched(paths, source, table, found, first))
    return found


def _nothing_matched(paths: Sequence[str], source: LabelSource, table: Table, found: Labels, first: str | None) -> str:
    if first is None:
        return f"Dataset {table.name} has no rows with a path in column {source.col_filename!r}."
    if found.without_label.count or found.conflicting.count:
        return (
            f"No picture has one label: {found.without_label.count} rows of {table.name} have none in column "
            f"{source.col_label!r}, {found.conflicting.count} pictures have several."
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
