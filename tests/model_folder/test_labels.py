"""Labels of a model: text as written, ids 0 to n-1, names that repeat kept apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.catalogue import imagenet_labels
from vision_recipes.model_folder.labels import read_labels, unique_keys, write_labels
from vision_recipes.model_import.label_files import read_foreign_labels

NAMES = st.lists(
    st.text(st.characters(codec="utf-8"), max_size=20).filter(lambda t: "\r" not in t), min_size=1, max_size=30
)


@given(NAMES)
def test_names_come_back_as_they_were_written(names):
    assert read_labels(write_labels(names), "labels", len(names)) == tuple(names)


def test_nothing_is_read_as_missing_or_as_a_number():
    names = ("NA", "007", "null", "1.0", "", " x ", 'say "hi", twice', "two\nlines")
    assert read_labels(write_labels(names), "labels", len(names)) == names


def test_rows_may_come_in_any_order():
    assert read_labels(b"id,className\n2,c\n0,a\n1,b\n", "labels", 3) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"id,className\n0,a\n1,b\n", "names 2 classes, but the network gives 3"),
        (b"id,className\n0,a\n1,b\n2,c\n3,d\n", "names 4 classes"),
        (b"id,className\n0,a\n1,b\n1,c\n", "the id 1 is given twice"),
        (b"id,className\n0,a\n1,b\n3,d\n", "first missing id is 2"),
        (b"id,className\n0,a\n-1,b\n2,d\n", "not a number from 0"),
        (b"id,className\n0,a,b\n", "not a number from 0 and a name"),
        (b"0,a\n1,b\n2,c\n", "must start with the line id,className"),
        (b"", "it is empty"),
        (b'id,className\n0,"a\n', "cannot be read"),
        (b"id,className\n0,\xff\n", "UTF-8"),
        (b"id,className\n0," + b"a" * 10_001 + b"\n", "10001 characters"),
    ],
)
def test_other_tables_are_refused(content, told):
    with pytest.raises(ModelFolderError, match=told):
        read_labels(content, "model_labels.csv", 3)


@given(NAMES)
def test_keys_are_unique_and_tell_the_name(names):
    keys = unique_keys(names)
    assert len(set(keys)) == len(names)
    assert all(key.startswith(name) for key, name in zip(keys, names, strict=True))


def test_a_name_that_occurs_twice_gets_its_id():
    assert unique_keys(("crane", "egg", "crane")) == ("crane (0)", "egg", "crane (2)")


def test_imagenet_keeps_both_cranes_and_both_maillots():
    keys = unique_keys(imagenet_labels())
    assert len(keys) == 1000
    assert {"crane (134)", "crane (517)"} <= set(keys)
    assert sum(key.startswith("maillot (") for key in keys) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"cat\ndog\negg\n",
        b"0 cat\n1 dog\n2 egg\n",
        b"id,className\n0,cat\n1,dog\n2,egg\n",
        b"0,cat\r\n2,egg\r\n1,dog\r\n",
    ],
    ids=["lines", "teachable machine", "table", "table without a head"],
)
def test_labels_of_other_tools_are_read(content):
    assert read_foreign_labels(content, "labels.txt", 3) == ("cat", "dog", "egg")


def test_names_that_only_look_numbered_stay():
    assert read_foreign_labels(b"7 dwarfs\n3 pigs\n", "labels.txt", 2) == ("7 dwarfs", "3 pigs")


def test_too_few_names_are_told():
    with pytest.raises(ModelFolderError, match="2 names, but the network gives 3 scores"):
        read_foreign_labels(b"cat\ndog\n", "labels.txt", 3)
