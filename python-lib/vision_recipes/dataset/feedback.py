"""Pictures whose labels people corrected (feedback): which they are, and how they join those of a training."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import BinaryIO

from vision_recipes.dataset.cell_text import column_text
from vision_recipes.dataset.label_table import LabelTable
from vision_recipes.dataset.labels import bounded
from vision_recipes.dataset.path_matching import match_paths
from vision_recipes.dataset.path_spelling import quoted
from vision_recipes.errors import LabelsError, columns_listed, listed
from vision_recipes.images.reading import hidden
from vision_recipes.pictures import Picture
from vision_recipes.stores import Store, Table
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

PATH, LABEL = "path", "label"
"""The columns of a feedback dataset that are read."""

_OWN_NAME = re.compile(r"[0-9a-f]{16}\.\w+")
"""The name that vision-try gives a picture: the first digits of its SHA-256."""

_SHOWN = 5


class WithFeedback:
    """A folder of pictures with another one inside it, under a name that it has no files in; for reading."""

    def __init__(self, pictures: Store, feedback: Store) -> None:
        self.name = pictures.name
        self._pictures, self._feedback = pictures, feedback
        self._listed, self._corrected = pictures.paths(), feedback.paths()
        number, self.prefix = 1, "/feedback"
        while any(path.startswith(self.prefix + "/") for path in self._listed):
            number += 1
            self.prefix = f"/feedback-{number}"

    def paths(self) -> list[str]:
        """Return the path of every file: those of the folder, then those inside it."""
        return [*self._listed, *(self.prefix + path for path in self._corrected)]

    def open(self, path: str) -> BinaryIO:
        """Return a stream over a file of either folder; raises OSError."""
        return self._of(path)[0].open(self._of(path)[1])

    def size(self, path: str) -> int | None:
        """Return the size in bytes, or None when there is no such file."""
        return self._of(path)[0].size(self._of(path)[1])

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """Write one file whole."""
        self._of(path)[0].write(self._of(path)[1], content)

    def delete(self, path: str) -> None:
        """Delete one file."""
        self._of(path)[0].delete(self._of(path)[1])

    def _of(self, path: str) -> tuple[Store, str]:
        inside = path.startswith(self.prefix + "/")
        return (self._feedback, path[len(self.prefix) :]) if inside else (self._pictures, path)


def join_feedback(
    pictures: Store, table: LabelTable, feedback: Store | None, corrections: Table | None
) -> tuple[Store, LabelTable]:
    """Return pictures and labels with those of the feedback; the same as given when there is none.

    `corrections` is a table with a path and a label in each row, of the pictures in the folder `feedback`, or, without
    one, of `pictures`; its last row of a picture counts, before the name of its folder. Raises LabelsError.
    """
    paths = (feedback or pictures).paths()
    apart = feedback is not None and (feedback.name != pictures.name or paths != pictures.paths())
    named: Mapping[str, str] = {}
    if apart:
        named = _of_folders(paths)
    elif feedback is not None:
        named = {path: label for path, label in table.labels.items() if _has_own_name(path)}
    written, joined = _of_table(paths, corrections), pictures
    labels = _one_of_each({**named, **written}, written)
    if feedback is not None and apart:
        joined = WithFeedback(pictures, feedback)
        labels = {joined.prefix + path: label for path, label in labels.items()}
    elif table.split:
        labels = {path: label for path, label in labels.items() if table.split.get(path)}
    if not labels:
        log.info("feedback: there is none, so nothing changes")
        return pictures, table
    new = set(labels.values()) - set(table.labels.values())
    log.info(
        "feedback: %s of %s%s",
        counted(len(labels), "picture joins the training,", "pictures join the training,"),
        counted(len(set(labels.values())), "label"),
        f"; new labels: {listed(map(repr, sorted(new)), _SHOWN)}" if new else "",
    )
    others = {path: label for path, label in table.labels.items() if apart or path not in {*named, *written}}
    split = {**dict.fromkeys(labels, "train"), **table.split} if table.split else table.split
    return joined, replace(table, labels={**others, **labels}, split=split, feedback=labels)


def _has_own_name(path: str) -> bool:
    return _OWN_NAME.fullmatch(PurePosixPath(path).name) is not None


def _of_folders(paths: Sequence[str]) -> dict[str, str]:
    """Return the name of the folder that each picture lies in."""
    parts = {path: path.split("/") for path in paths if not hidden(path)}
    return {path: bounded(names[-2], path) for path, names in parts.items() if len(names) > 2}


def _of_table(paths: Sequence[str], table: Table | None) -> dict[str, str]:
    """Return the label that the last row of each picture gives it."""
    if table is None or not table.columns or not (rows := list(table.rows())):
        return {}
    if missing := [name for name in (PATH, LABEL) if name not in table.columns]:
        raise LabelsError(
            f"feedback_dataset: {table.name} has no column {' and no column '.join(map(repr, missing))}; it has "
            f"{columns_listed(table.columns)}. Connect the dataset that vision-try writes, or rename the columns."
        )
    path_of, label_of = (column_text(row.get(name) for row in rows) for name in (PATH, LABEL))
    matches = match_paths(paths, (path_of(row.get(PATH)) for row in rows))
    found: dict[str, str] = {}
    absent = []
    for row in rows:
        written, label = path_of(row.get(PATH)), label_of(row.get(LABEL))
        path = matches.find(written)
        if path is None:
            absent.append(written or "")
        elif label is not None:
            found.pop(path, None)
            found[path] = bounded(label, path)
    for remark in matches.remarks:
        log.warning("feedback: %s", remark)
    if absent:
        log.warning(
            "feedback: %s a picture that is not in the folder: %s",
            counted(len(absent), "row names", "rows name"),
            listed(map(quoted, absent), _SHOWN),
        )
    return found


def _one_of_each(labels: Mapping[str, str], written: Mapping[str, str]) -> Mapping[str, str]:
    """Return the labels without the files that vision-try wrote for the same picture under another label before.

    The one that the table named last counts; where it names none of them, none is used.
    """
    order = {path: place for place, path in enumerate(written, start=1)}
    same: dict[str, list[str]] = {}
    for path in labels:
        if _has_own_name(path):
            same.setdefault(PurePosixPath(path).stem, []).append(path)
    unclear = []
    for paths in same.values():
        if len({labels[path] for path in paths}) > 1:
            last = max(paths, key=lambda path: order.get(path, 0))
            unclear += [] if last in order else paths[:1]
            paths = paths if last not in order else [path for path in paths if path != last]
            labels = {path: label for path, label in labels.items() if path not in paths}
    if unclear:
        log.warning(
            "feedback: %s under several labels and not used, since no row tells which is right: %s",
            counted(len(unclear), "picture lies", "pictures lie"),
            listed(map(quoted, unclear), _SHOWN),
        )
    return labels


class SameBytes:
    """Finds, as pictures are read, those that the feedback repeats: one of each stays, with the label given there."""

    def __init__(self, table: LabelTable) -> None:
        self._table = table
        self._paths: dict[str, list[str]] = {}
        self._given: dict[str, set[str]] = {}
        self._repeats: list[str] = []

    def repeats(self, picture: Picture) -> bool:
        """Return whether a picture of the feedback has the bytes of one before it, which then stays in its place."""
        feedback = self._table.feedback
        if not feedback:
            return False
        earlier = self._paths.setdefault(picture.digest, [])
        if picture.path not in feedback or not earlier:
            earlier.append(picture.path)
            return False
        given = self._given.setdefault(picture.digest, {feedback[path] for path in earlier if path in feedback})
        given.add(feedback[picture.path])
        self._repeats.append(picture.path)
        return True

    def correct(self) -> None:
        """Give the files that stayed the feedback's labels, once all pictures are read."""
        labels, changed, unclear = self._table.labels, [], []
        for path in self._repeats:
            del labels[path]
        for digest, given in self._given.items():
            paths = self._paths[digest]
            if len(given) > 1:
                unclear.append(paths[0])
                continue
            (label,) = given
            for path in paths:
                if labels[path] != label:
                    changed.append(f"{quoted(path)} ({labels[path]!r}, now {label!r})")
                    labels[path] = label
        if self._given:
            log.info("feedback: %s in the folder already", counted(len(self._given), "picture is", "pictures are"))
        if changed:
            log.warning(
                "feedback: %s another label, which counts: %s",
                counted(len(changed), "picture gets", "pictures get"),
                listed(changed, _SHOWN),
            )
        if unclear:
            log.warning(
                "feedback: %s several labels there, and keeps its own: %s",
                counted(len(unclear), "picture has", "pictures have"),
                listed(map(quoted, unclear), _SHOWN),
            )
