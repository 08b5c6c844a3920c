"""Pictures with the labels that visitors gave them: kept in a folder, and in a table, for vision-retrain to take."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from vision_recipes.errors import LabelsError, OutputError
from vision_recipes.images.formats import sniff
from vision_recipes.images.reading import hidden
from vision_recipes.rows import Column
from vision_recipes.stores import EditableTable, Store

COLUMNS = (
    Column("path", "string", "Path of the picture in the feedback folder, with its leading slash"),
    Column("label", "string", "The right label, as a visitor gave it"),
    Column("predicted_label", "string", "The label that the model predicted"),
    Column("probability", "double", "Probability of the predicted label"),
    Column("time", "string", "When the label was given, in UTC"),
)
LONGEST = 100
"""Characters of a new label."""

_EXTENSIONS = {"JPEG": "jpg", "TIFF": "tif", "HEIF": "heic"}
_OWN_FILE = re.compile(r"/([^/]+)/([0-9a-f]{16})\.[a-z]{3,4}")
_DIGITS = 16
_LONGEST_NAME = 120
"""Bytes of a folder's name, which storages limit."""


@dataclass(frozen=True)
class Correction:
    """What is kept of a picture beside its bytes: the right label, and what the model said."""

    label: str
    predicted_label: str
    probability: float


class FeedbackFolder:
    """A folder that takes corrected pictures as `/LABEL/HASH.jpg`, and a table, if there is one, with a row for each.

    A picture that is corrected again moves; its last label counts. For several threads at a time.
    """

    def __init__(self, folder: Store, table: EditableTable | None = None) -> None:
        self._folder, self.table = folder, table
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """What the user calls the folder."""
        return self._folder.name

    def counts(self) -> Counter[str]:
        """Return how many pictures were kept so far for each label: that of the table, else the name of the folder."""
        with self._lock:
            labels = {row.get("path"): str(row.get("label")) for row in self._rows()}
            kept = [(path, _parts(path)[0]) for path in self._folder.paths()]
        return Counter(labels.get(path, folder) for path, folder in kept if folder)

    def keep(self, content: bytes, correction: Correction) -> str:
        """Keep a picture that can be read and return its path; raises OutputError, LabelsError, with nothing kept."""
        digest = sha256(content).hexdigest()[:_DIGITS]
        name = folder_name(correction.label)
        if name != correction.label and self.table is None:
            raise LabelsError(
                f"The label {correction.label!r} cannot be the name of a folder, and no table keeps the labels. Give "
                "another label, or choose a feedback_dataset in the settings of the web app."
            )
        kind = str(sniff(content))
        path = f"/{name}/{digest}.{_EXTENSIONS.get(kind, kind.lower())}"
        with self._lock:
            earlier = [one for one in self._folder.paths() if _parts(one)[1] == digest]
            if path not in earlier:
                self._folder.write(path, content)
            try:
                self._write_row(path, earlier, correction)
            except Exception:
                if path not in earlier:
                    self._folder.delete(path)
                raise
            self._delete(one for one in earlier if one != path)
        return path

    def _write_row(self, path: str, earlier: Sequence[str], correction: Correction) -> None:
        """Write the table with a row for the picture, in place of those that it had."""
        if self.table is None:
            return
        columns = self.table.columns
        missing = [column for column in COLUMNS if column.name not in columns]
        kept = [row for row in self._rows() if row.get("path") not in {path, *earlier}]
        row = {
            "path": path,
            "label": correction.label,
            "predicted_label": correction.predicted_label,
            "probability": correction.probability,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self.table.rewrite(missing, [*kept, row])

    def _rows(self) -> list[Mapping[str, Any]]:
        return list(self.table.rows()) if self.table is not None and self.table.columns else []

    def _delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            try:
                self._folder.delete(path)
            except Exception as err:  # hosts raise types of their own
                raise OutputError(
                    f"The picture is kept with its new label, but {path} in folder {self.name}, with the earlier one, "
                    f"could not be deleted: {err}. Delete it before the next training."
                ) from err


def cleaned_label(text: str, known: Sequence[str]) -> str:
    """Return a label as it is kept: a known one as it is, also if it was typed in other letter case; a new one tidied.

    Raises LabelsError for an empty or long label and for characters that cannot be seen.
    """
    if text in known:
        return text
    label = unicodedata.normalize("NFC", " ".join(text.split()))
    if not label:
        raise LabelsError("The label is empty. Choose one of the list, or write a new one.")
    if len(label) > LONGEST:
        raise LabelsError(f"A label is a line of at most {LONGEST} characters; this one has {len(label)}.")
    if hidden := next((one for one in label if not one.isprintable()), ""):
        raise LabelsError(f"The label has a character that cannot be seen, U+{ord(hidden):04X}. Write it without.")
    return next((one for one in known if one.casefold() == label.casefold()), label)


def folder_name(label: str) -> str:
    """Return a label as the name of a folder: as it is where that is possible on every storage."""
    fine = label.isprintable() and not re.search(r"[/\\]", label) and not hidden(f"/{label}/picture.jpg")
    if fine and label == label.strip() and 0 < len(label.encode()) <= _LONGEST_NAME:
        return label
    tidy = re.sub(r"[^\w-]+", "_", label, flags=re.ASCII).strip("_")[:60]
    return f"{tidy or 'label'}-{sha256(label.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _parts(path: str) -> tuple[str, str]:
    """Return the folder and the hash of a picture that was kept; two empty texts for any other file."""
    found = _OWN_FILE.fullmatch(path)
    return (found[1], found[2]) if found else ("", "")
