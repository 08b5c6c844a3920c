"""Corrected pictures are kept under their labels, once each, or not at all."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from images.files import encoded, picture

from vision_recipes.dataset.feedback import LABEL, PATH
from vision_recipes.dataset.folder_labels import folder_labels
from vision_recipes.errors import LabelsError, OutputError
from vision_recipes.serving.feedback_folder import Correction, FeedbackFolder, cleaned_label, folder_name
from vision_recipes.stores import LocalStore

JPEG, PNG = encoded(picture(30, 20), "JPEG"), encoded(picture(31, 20), "PNG")


class Rows:
    """A table in memory; `full` makes writing fail."""

    name = "feedback"

    def __init__(self, columns=(), rows=()) -> None:
        self.columns, self._rows, self.full = list(columns), list(rows), False

    def rows(self):
        return iter(self._rows)

    def rewrite(self, more, rows) -> None:
        if self.full:
            raise OutputError("no space left")
        self.columns += [column.name for column in more]
        self._rows = [{name: row.get(name) for name in self.columns} for row in rows]


def name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def test_files_and_rows(tmp_path: Path) -> None:
    table = Rows()
    kept = FeedbackFolder(LocalStore(tmp_path), table)
    paths = [kept.keep(JPEG, Correction("egg", "crane", 0.75)), kept.keep(PNG, Correction("007", "egg", 0.5))]
    assert paths == [f"/egg/{name_of(JPEG)}.jpg", f"/007/{name_of(PNG)}.png"]
    assert [(tmp_path / path[1:]).read_bytes() for path in paths] == [JPEG, PNG]
    assert table.columns == ["path", "label", "predicted_label", "probability", "time"]
    assert {PATH, LABEL} <= {*table.columns}, "what vision-retrain reads"
    assert [tuple(row.values())[:4] for row in table.rows()] == [
        (paths[0], "egg", "crane", 0.75),
        (paths[1], "007", "egg", 0.5),
    ]
    assert kept.counts() == {"egg": 1, "007": 1}
    assert folder_labels(LocalStore(tmp_path).paths()).of == {paths[0]: "egg", paths[1]: "007"}


def test_the_last_label_of_a_picture_counts(tmp_path: Path) -> None:
    table = Rows(["path", "label", "note"], [{"path": "/other.jpg", "label": "x", "note": "of a person"}])
    (tmp_path / "egg").mkdir()
    (tmp_path / "egg" / "mine.jpg").write_bytes(JPEG)
    kept = FeedbackFolder(LocalStore(tmp_path), table)
    for label in ("egg", "crane", "crane"):
        kept.keep(JPEG, Correction(label, "egg", 0.5))
    assert LocalStore(tmp_path).paths() == [f"/crane/{name_of(JPEG)}.jpg", "/egg/mine.jpg"]
    assert [(row["path"], row["label"], row["note"]) for row in table.rows()] == [
        ("/other.jpg", "x", "of a person"),
        (f"/crane/{name_of(JPEG)}.jpg", "crane", None),
    ]
    assert kept.counts() == {"crane": 1}


def test_a_table_that_cannot_be_written_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    table = Rows()
    kept = FeedbackFolder(LocalStore(tmp_path), table)
    kept.keep(JPEG, Correction("egg", "egg", 0.5))
    table.full = True
    for content in (JPEG, PNG):
        with pytest.raises(OutputError):
            kept.keep(content, Correction("crane", "egg", 0.5))
    assert LocalStore(tmp_path).paths() == [f"/egg/{name_of(JPEG)}.jpg"]
    assert [row["label"] for row in table.rows()] == ["egg"]


def test_several_visitors_at_a_time_lose_no_row(tmp_path: Path) -> None:
    table = Rows()
    kept = FeedbackFolder(LocalStore(tmp_path), table)
    contents = [encoded(picture(20 + number, 20), "PNG") for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        paths = list(pool.map(lambda content: kept.keep(content, Correction("egg", "egg", 0.5)), contents))
    assert sorted(row["path"] for row in table.rows()) == sorted(paths) == LocalStore(tmp_path).paths()


@pytest.mark.parametrize(
    "label", ["a/b", "../up", ".hidden", "back\\slash", " blank", "x" * 300, "new\nline", "…" * 90, "__MACOSX"]
)
def test_labels_that_are_no_folder_names(tmp_path: Path, label: str) -> None:
    with pytest.raises(LabelsError, match="cannot be the name of a folder"):
        FeedbackFolder(LocalStore(tmp_path)).keep(JPEG, Correction(label, "egg", 0.5))
    assert LocalStore(tmp_path).paths() == []
    table = Rows()
    kept = FeedbackFolder(LocalStore(tmp_path), table)
    path = kept.keep(JPEG, Correction(label, "egg", 0.5))
    folder = path.split("/")[1]
    assert LocalStore(tmp_path).paths() == [path] == [f"/{folder}/{name_of(JPEG)}.jpg"]
    assert folder.isascii() and not folder.startswith(".") and len(folder) < 80
    assert kept.counts() == {label: 1}


def test_labels_alike_have_folders_of_their_own() -> None:
    assert folder_name("a/b") != folder_name("a_b") == "a_b"
    assert folder_name("a/b") != folder_name("a\\b")
    assert folder_name("Ei, gekocht (weich)") == "Ei, gekocht (weich)"


def test_new_labels_are_tidied_and_known_ones_are_found() -> None:
    known = ["egg", " odd  one", "NA"]
    assert [cleaned_label(text, known) for text in ("egg", " EGG ", " odd  one", "na", "two\u00a0 words")] == [
        *("egg", "egg", " odd  one", "NA", "two words"),
    ]
    refused = {"": "empty", "  ": "empty", "x" * 101: "this one has 101", "a\u202eb": "U\\+202E", "a\x00b": "U\\+0000"}
    for text, message in refused.items():
        with pytest.raises(LabelsError, match=message):
            cleaned_label(text, known)
