"""The label table of a folder, and the split that folders give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vision_recipes.dataset.label_table import LabelTable, read_label_table, require_classes
from vision_recipes.dataset.labelled_images import ReadPictures
from vision_recipes.dataset.preparation import Prepared, prepare
from vision_recipes.errors import LabelsError
from vision_recipes.pictures import Picture
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import CheckLabelsSettings, RetrainSettings

BY_FOLDER = RetrainSettings(label_source="folder_names")


def table_of(tmp_path: Any, *paths: str, **given: Any) -> LabelTable:
    store = LocalStore(tmp_path)
    for path in paths:
        store.write("/" + path, b"never read")
    return read_label_table(store, given.pop("settings", BY_FOLDER), given.pop("labels", None), **given)


def prepared(table: LabelTable, settings: RetrainSettings = BY_FOLDER) -> Prepared:
    pictures = [Picture(path, digest=f"{place:064x}") for place, path in enumerate(table.labels)]
    features = np.random.default_rng(1).normal(size=(len(pictures), 32)).astype(np.float32)
    return prepare(ReadPictures(pictures, features=features), table, settings)


def sides(found: Prepared) -> dict[str, int]:
    return dict(zip(found.images.paths, found.images.sides.tolist(), strict=True))


def many(*folders: str, count: int = 5) -> list[str]:
    return [f"{folder}/{number}.jpg" for folder in folders for number in range(count)]


def test_folders_give_the_split(tmp_path, caplog):
    caplog.set_level("INFO", "vision_recipes")
    table = table_of(tmp_path, *many("train/cat", "train/dog", "val/cat", "val/dog", "Test/dog"), "test/loose.jpg")
    assert set(table.labels.values()) == {"cat", "dog"}
    found = sides(prepared(table))
    assert all(found[path] == {"train": 0, "val": 1, "Test": 2}[path.split("/")[1]] for path in found)
    assert "labels: the folders Test, test, train, val name a split and are not labels" in caplog.text
    assert "the split by folders replaces train_ratio" in caplog.text


def test_without_validation_folder_some_training_pictures_are_held_out(tmp_path):
    found = prepared(table_of(tmp_path, *many("train/cat", "train/dog", "test/cat", count=10)))
    counts = {side: sum(path.startswith(f"/{side}") for path in sides(found)) for side in ("train", "test")}
    assert counts == {"train": 20, "test": 10}
    assert all((side == 2) == path.startswith("/test") for path, side in sides(found).items())
    assert list(sides(found).values()).count(1) == 4
    assert any("no folder holds validation pictures" in remark for remark in found.remarks)


def test_a_class_that_is_in_no_training_folder_is_refused(tmp_path):
    with pytest.raises(LabelsError, match="the split by folders assigns no usable picture to training for 'dog'"):
        prepared(table_of(tmp_path, *many("train/cat", "val/dog")))
    with pytest.raises(LabelsError, match="the split by folders assigns no usable picture to training for 'dog'"):
        prepared(table_of(tmp_path, *many("train/cat", "train/fox", "test/dog")))


def test_the_order_of_the_rows_changes_neither_the_split_nor_the_model(tmp_path, table):
    """The same pictures, labels and seed: from folders, from a table, from a table in another order."""
    paths = [*many("cat", "dog", count=20), *many("cat/more", count=3)]
    folders = table_of(tmp_path, *paths, settings=RetrainSettings(label_source="folder_names"))
    rows = list(folders.labels.items())
    from_table = RetrainSettings(label_source="dataset", col_filename="images", col_label="label")
    for order in (rows, rows[::-1], sorted(rows, key=lambda row: row[0][::-1])):
        other = table_of(tmp_path, settings=from_table, labels=table("images label", *order))
        assert list(other.labels.items()) == list(folders.labels.items())
        assert sides(prepared(other, from_table)) == sides(prepared(folders))


def test_a_split_column_comes_before_the_folders(tmp_path, table):
    paths = many("train/cat", "train/dog", "val/cat", "val/dog")
    rows = [(path, "validation" if path.startswith("train") else "train") for path in paths]
    settings = RetrainSettings(label_source="folder_names", split_column="part", col_filename="path")
    found = sides(prepared(table_of(tmp_path, *paths, settings=settings, extra=table("path part", *rows)), settings))
    assert all(side == (1 if path.startswith("/train") else 0) for path, side in found.items())


def test_check_labels_takes_all_sides(tmp_path):
    table = table_of(tmp_path, *many("train/cat", "val/dog"), settings=CheckLabelsSettings(label_source="folder_names"))
    assert len(table.labels) == 10


def test_labels_that_look_alike_are_warned_of(tmp_path, table, caplog):
    settings = RetrainSettings(col_filename="path", col_label="label")
    table_of(tmp_path, "a.jpg", "b.jpg", settings=settings, labels=table("path label", ("a.jpg", "x"), ("b.jpg", "X")))
    assert "labels: these labels differ only in blanks, case or composition, and count as different: 'X', 'x'" in (
        caplog.messages
    )


def test_a_single_class_asks_for_a_second_sub_folder(tmp_path: Any) -> None:
    table = table_of(tmp_path, *many("egg"))
    with pytest.raises(LabelsError, match="'egg'.* Add a second sub-folder, with pictures of another label"):
        require_classes(table.labels, 10, table.source, splittable=True)


def test_many_pictures_without_label_are_counted_and_some_named(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    table_of(tmp_path, *many("egg", "ham"), *(f"{number}.jpg" for number in range(30)), settings=RetrainSettings())
    (line,) = [line for line in caplog.messages if "no label" in line]
    assert "30 pictures have no label" in line
    assert line.endswith("and 27 more")
