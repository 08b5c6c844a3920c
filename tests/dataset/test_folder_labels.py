"""Labels from folder names: which level holds the labels, and folders that are a split."""

from __future__ import annotations

import pytest

from vision_recipes.dataset.folder_labels import folder_labels
from vision_recipes.dataset.labels import find_labels
from vision_recipes.errors import LabelsError
from vision_recipes.training_settings import LabelSettings


def labels(*paths: str) -> dict[str, str]:
    return folder_labels([f"/{path}" for path in paths]).of


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["cat/1.jpg", "dog/2.jpg"], "cat dog"),
        (["photos/cat/1.jpg", "photos/dog/2.jpg"], "cat dog"),
        (["a/b/cat/1.jpg", "a/b/dog/2.jpg"], "cat dog"),
        (["cat/images/1.jpg", "dog/images/2.jpg"], "cat dog"),
        (["photos/cat/images/1.jpg", "photos/dog/images/2.jpg"], "cat dog"),
        (["cat/x/images/1.jpg", "dog/x/images/2.jpg"], "cat dog"),
        (["car/1.jpg", "plane/2.jpg", "train/3.jpg"], "car plane train"),
        (["photos/car/1.jpg", "photos/train/2.jpg", "photos/Test/3.jpg"], "car train Test"),
        (["car/images/1.jpg", "train/images/2.jpg"], "car train"),
        (["train/cat/1.jpg", "train/dog/2.jpg"], "cat dog"),
        (["egg/1.jpg", "train/not_egg/2.jpg"], "egg not_egg"),
        (["cat/1.jpg", "cat/2.jpg"], "cat cat"),
    ],
)
def test_the_level_that_varies_holds_the_labels(paths, expected):
    found = folder_labels([f"/{path}" for path in paths])
    assert list(found.of.values()) == expected.split()
    assert found.sides == {}


@pytest.mark.parametrize(
    ("paths", "expected", "sides"),
    [
        (["train/cat/1.jpg", "val/dog/2.jpg"], "cat dog", "train validation"),
        (["Train/cat/1.jpg", "VALID/dog/2.jpg", "Testing/cat/3.jpg"], "cat dog cat", "train validation test"),
        (["training/cat/1.jpg", "validation/dog/2.jpg"], "cat dog", "train validation"),
        (["data/train/cat/1.jpg", "data/test/dog/2.jpg"], "cat dog", "train test"),
        (["train/cat/images/1.jpg", "val/dog/images/2.jpg"], "cat dog", "train validation"),
        (["train/images/cat/1.jpg", "val/images/dog/2.jpg"], "cat dog", "train validation"),
        (["images/train/cat/1.jpg", "images/val/dog/2.jpg"], "cat dog", "train validation"),
        (["cat/train/1.jpg", "cat/val/2.jpg", "dog/train/3.jpg"], "cat cat dog", "train validation train"),
        (["train/car/1.jpg", "train/train/2.jpg", "val/train/3.jpg"], "car train train", "train train validation"),
        (["a/train/cat/1.jpg", "b/val/dog/2.jpg"], "cat dog", "train validation"),
    ],
)
def test_train_val_and_test_are_a_split_and_never_labels(paths, expected, sides):
    found = folder_labels([f"/{path}" for path in paths])
    assert list(found.of.values()) == expected.split()
    assert list(found.sides.values()) == sides.split()
    assert any("name a split and are not labels" in remark for remark in found.remarks)


def test_hidden_and_loose_files_are_unlabelled():
    paths = [
        *("/train/cat/1.jpg", "/val/dog/2.jpg", "/test/x.jpg", "/loose.jpg", "/labels/readme.txt"),
        *("/train/.ipynb_checkpoints/1-checkpoint.jpg", "/train/cat/.DS_Store", "/__MACOSX/cat/1.jpg"),
    ]
    found = find_labels(paths, LabelSettings("folder_names"))
    assert found.of == {"/train/cat/1.jpg": "cat", "/val/dog/2.jpg": "dog"}
    assert len(found.unlabelled) == 6
    assert any(remark.startswith("6 pictures have no label and are not used") for remark in found.remarks())


def test_other_folders_beside_them_make_it_no_split():
    assert labels("train/cat/1.jpg", "val/dog/2.jpg", "car/bus/3.jpg") == {
        "/train/cat/1.jpg": "cat",
        "/val/dog/2.jpg": "dog",
        "/car/bus/3.jpg": "bus",
    }
    assert labels("car/1.jpg", "plane/2.jpg", "plane/train/3.jpg", "plane/val/4.jpg")["/plane/val/4.jpg"] == "val"


def test_a_split_without_labels_is_refused():
    with pytest.raises(LabelsError, match="The folders test, train name a split|the folders test, train name a split"):
        find_labels(["/train/1.jpg", "/test/2.jpg"], LabelSettings("folder_names"))


def test_the_level_is_said_where_it_is_not_the_last():
    (remark,) = folder_labels(["/cat/images/1.jpg", "/dog/images/2.jpg"]).remarks
    assert remark == "all pictures are in folders 'images', so the folders above them are the labels"


@pytest.mark.parametrize("ends", [("training_set", "test_set"), ("Train", "Holdout"), ("train", "dev")])
def test_other_usual_names_of_a_split(ends):
    paths = [f"/{side}/{side}/{label}/{n}.jpg" for side in ends for label in ("cats", "dogs") for n in range(2)]
    found = folder_labels(paths)
    assert set(found.of.values()) == {"cats", "dogs"}
    assert set(found.sides.values()) == {"train", {"dev": "validation"}.get(ends[1], "test")}


def test_what_looks_like_a_split_and_is_none_is_told():
    found = folder_labels(["/train/cat/1.jpg", "/train/dog/2.jpg", "/extra/cat/3.jpg", "/extra/dog/4.jpg"])
    assert set(found.of.values()) == {"cat", "dog"}
    assert any("'extra', 'train' above the labels are no split" in remark for remark in found.remarks)


def test_two_levels_that_vary_are_told():
    found = folder_labels([f"/{kind}/{fold}/{n}.jpg" for kind in ("cat", "dog") for fold in "12" for n in range(2)])
    assert set(found.of.values()) == {"1", "2"}
    assert any("those above them, 'cat', 'dog', vary as well" in remark for remark in found.remarks)
