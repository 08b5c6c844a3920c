"""Which label belongs to which picture: from a table, from folder names or from a pattern in file names.

Only paths that the folder's listing gives are ever returned, so no path from a table is opened. Labels are text as
written.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.dataset.cell_text import column_text, folded
from vision_recipes.dataset.folder_labels import folder_labels
from vision_recipes.dataset.label_columns import find_columns
from vision_recipes.dataset.label_decisions import SUGGESTED, decide
from vision_recipes.dataset.path_matching import match_paths
from vision_recipes.dataset.path_spelling import quoted
from vision_recipes.dataset.path_suggestions import nearest_path, what_to_change
from vision_recipes.errors import LabelsError, columns_listed, did_you_mean, listed
from vision_recipes.images.reading import hidden
from vision_recipes.stores import Table
from vision_recipes.training_settings import LabelSettings
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

WAYS = (
    "Give labels in one of three ways: put the pictures of each class into a sub-folder of that name; give the pattern "
    "of the file names, such as label_pattern={label}_{number}.jpg; or connect a dataset with the path and the label "
    "of each picture (label_dataset)."
)
LONGEST_LABEL = 1000
SHOWN = 3
_SUGGESTED = 5


@dataclass
class Labels:
    """The label of each picture that has one, by its path in the listing, and all that did not fit.

    `source` is what gave the labels: a value of label_source other than auto.
    `rows` holds the table's row of each labelled picture when labels come from a table, else nothing. `sides` holds the
    side of the split of each labelled picture ("train", "validation", "test") when folders give one, else nothing.
    `notes` are sentences, without full stop, on how names and folders were read.
    """

    of: dict[str, str] = field(default_factory=dict)
    source: str = "dataset"
    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    sides: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    without_label: list[str] = field(default_factory=list)
    without_picture: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    conflicting: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def remarks(self) -> Iterator[str]:
        """Yield one line for each relaxed reading and for each kind of thing that did not fit, for the log."""
        yield from self.notes
        for names, meaning in (
            (self.without_label, ("row has no label", "rows have no label")),
            (self.unlabelled, ("picture has no label and is not used", "pictures have no label and are not used")),
            (
                self.repeated,
                (
                    "picture is listed more than once, with the same label; the first row counts",
                    "pictures are listed more than once, with the same label; the first row counts",
                ),
            ),
            (
                self.conflicting,
                (
                    "picture is listed with different labels and is not used",
                    "pictures are listed with different labels and are not used",
                ),
            ),
            (
                self.dropped,
                ("picture is dropped by the column of decisions", "pictures are dropped by the column of decisions"),
            ),
        ):
            if names:
                yield f"{counted(len(names), *meaning)}: {listed(map(repr, names), SHOWN)}"

    def look_alikes(self) -> Iterator[str]:
        """Yield a line for the labels of each group that people may have meant to be the same."""
        alike: dict[str, list[str]] = {}
        for label in sorted(set(self.of.values())):
            alike.setdefault(folded(label), []).append(label)
        for group in alike.values():
            if len(group) > 1:
                names = ", ".join(map(repr, group))
                yield f"these labels differ only in blanks, case or composition, and count as different: {names}"


def find_labels(paths: Sequence[str], source: LabelSettings, table: Table | None = None) -> Labels:
    """Return the labels of the pictures in `paths`; raises LabelsError when there is none, or the table cannot be used.

    Paths match as path_matching has it. A picture listed twice with the same label counts once; with two labels it is
    left out. Hidden files and folders (a name that starts with a dot) have no label unless a table names them.
    """
    chosen = _chosen_source(source, table)
    if chosen == "dataset":
        return _from_table(paths, source, table)
    found = _from_folders(paths, source) if chosen == "folder_names" else _from_names(paths, source.label_pattern)
    found.source = chosen
    found.of = {path: bounded(label, path) for path, label in found.of.items()}
    found.unlabelled = [path for path in paths if path not in found.of]
    return found


def _chosen_source(source: LabelSettings, table: Table | None) -> str:
    """Return what gives the labels; raises LabelsError when columns are named but no dataset is there to have them."""
    if source.label_source != "auto":
        return source.label_source
    if table is not None:
        if source.label_pattern:
            log.warning("labels: they come from dataset %s, so label_pattern is not used", table.name)
        return "dataset"
    for parameter in ("col_label", "col_decision"):
        if column := getattr(source, parameter):
            raise LabelsError(
                f"{parameter} names the column {column!r}, but no label dataset is connected. Connect it as "
                f"label_dataset, or leave {parameter} empty."
            )
    chosen = "file_names" if source.label_pattern else "folder_names"
    log.info("labels come from %s", "file names" if source.label_pattern else "the names of sub-folders")
    return chosen


def _from_folders(paths: Sequence[str], source: LabelSettings) -> Labels:
    read = folder_labels(paths)
    if not read.of:
        remarks = "".join(f"{remark}. " for remark in read.remarks)
        why = (
            ", since no label dataset is connected and label_pattern is empty" if source.label_source == "auto" else ""
        )
        raise LabelsError(
            f"Labels were looked for in the names of sub-folders{why}. {_no_label(paths)} {remarks}{WAYS}"
        )
    return Labels(read.of, sides=read.sides, notes=read.remarks)


def _from_names(paths: Sequence[str], pattern: str) -> Labels:
    from vision_recipes.dataset import file_name_patterns

    read = file_name_patterns.reader(pattern)
    named = {path: label for path in paths if not hidden(path) and (label := read(path)) and label.strip()}
    if not named:
        raise LabelsError(f"{_no_label(paths)} label_pattern is {pattern!r}; it must fit the file names of the folder.")
    return Labels(named)


def _no_label(paths: Sequence[str]) -> str:
    first = listed(map(repr, paths), _SUGGESTED)
    return f"None of the {counted(len(paths), 'file')} gives a label (the first ones: {first})."


def _from_table(paths: Sequence[str], source: LabelSettings, table: Table | None) -> Labels:
    if table is None:
        raise LabelsError(
            "label_source is dataset, but no label dataset is connected. Connect one as label_dataset, or leave "
            "label_source at auto and put the pictures of each class into a sub-folder of that name."
        )
    for parameter in ("col_filename", "col_label", "col_decision"):
        column = getattr(source, parameter)
        if column and column not in table.columns:
            raise LabelsError(
                f"{parameter}: dataset {table.name} has no column {column!r}; it has "
                f"{columns_listed(table.columns)}.{did_you_mean(column, table.columns)}"
            )
    rows = list(table.rows())
    source = find_columns(paths, source, table, rows)
    path_of, label_of = (column_text(row.get(name) for row in rows) for name in (source.col_filename, source.col_label))
    suggestion_of = column_text(row.get(SUGGESTED) for row in rows)
    matches = match_paths(paths, (path_of(row.get(source.col_filename)) for row in rows))
    found, conflicting = Labels(notes=matches.remarks), set()
    for row in rows:
        written = path_of(row.get(source.col_filename))
        suggested = suggestion_of(row.get(SUGGESTED))
        decision = row.get(source.col_decision) if source.col_decision else None
        label, dropped = decide(decision, label_of(row.get(source.col_label)), suggested, source.col_decision)
        path = matches.find(written)
        if path is None:
            found.without_picture.append(written or "")
        elif dropped:
            found.dropped.append(path)
        elif label is None:
            found.without_label.append(path)
        elif path not in found.of:
            found.of[path], found.rows[path] = bounded(label, path), row
        elif found.of[path] == label:
            found.repeated.append(path)
        elif path not in conflicting:
            conflicting.add(path)
            found.conflicting.append(path)
    for path in conflicting:
        del found.of[path], found.rows[path]
    found.unlabelled = [path for path in paths if path not in found.of and path not in conflicting]
    if not found.of:
        raise LabelsError(_nothing_matched(paths, source, table, found))
    ambiguous = set(matches.ambiguous)
    if missing := [name for name in found.without_picture if name not in ambiguous]:
        found.notes.append(_missing_pictures(missing, paths))
    return found


def _missing_pictures(names: Sequence[str], paths: Sequence[str]) -> str:
    nearest, shown = nearest_path(paths), []
    for name in names[:_SUGGESTED]:
        near = nearest(name)
        shown.append(quoted(name) + (f" (the nearest name is {quoted(near)})" if near else ""))
    named = listed([*shown, *map(quoted, names[_SUGGESTED:])], SHOWN)
    return f"{counted(len(names), 'row names', 'rows name')} a picture that is not in the folder: {named}"


def _nothing_matched(paths: Sequence[str], source: LabelSettings, table: Table, found: Labels) -> str:
    first = next(filter(None, found.without_picture), None)
    if found.without_label or found.conflicting:
        return (
            f"No picture has one label: {counted(len(found.without_label), 'row')} of {table.name} without one "
            f"in column {source.col_label!r}, {counted(len(found.conflicting), 'picture')} with several."
        )
    if first is None:
        return f"Dataset {table.name} has no rows with a path in column {source.col_filename!r}."
    return (
        f"No row of {table.name} names a picture of the folder: column {source.col_filename!r} holds {quoted(first)}, "
        f"the folder holds {quoted(str(paths[0])) if paths else 'nothing'}. {what_to_change(first, paths)}"
    )


def bounded(label: str, path: str) -> str:
    """Return the label of a picture; raises LabelsError when it is too long to be one."""
    if len(label) > LONGEST_LABEL:
        raise LabelsError(
            f"The label of {path} has {len(label)} characters ({label[:60]!r}…); at most {LONGEST_LABEL} are accepted. "
            "Is it the right column?"
        )
    return label
