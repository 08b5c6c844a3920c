"""Labels without any parameter: where they come from, and which columns hold them."""

import pytest
from dataset.conftest import MemoryTable

from vision_recipes.dataset.labels import find_labels
from vision_recipes.errors import LabelsError
from vision_recipes.training_settings import CheckLabelsSettings, EvaluateSettings, RetrainSettings

PATHS = ["/cat/a.jpg", "/cat/b.jpg", "/dog/c.jpg"]


def table_of(columns, *rows):
    return MemoryTable("labels.csv", columns.split(), list(rows))


@pytest.mark.parametrize("settings", [RetrainSettings, EvaluateSettings, CheckLabelsSettings])
def test_the_default_takes_what_is_there(settings):
    table = table_of("path label", ("cat/a.jpg", "x"), ("cat/b.jpg", "y"))
    found = find_labels(PATHS, settings.from_params({}), table)
    assert (found.source, list(found.of.values())) == ("dataset", ["x", "y"])
    found = find_labels(PATHS, settings.from_params({}))
    assert (found.source, list(found.of.values())) == ("folder_names", ["cat", "cat", "dog"])
    found = find_labels(["/cat_1.jpg", "/dog_2.jpg"], settings.from_params({"label_pattern": "{label}_{number}.jpg"}))
    assert (found.source, list(found.of.values())) == ("file_names", ["cat", "dog"])


def test_what_is_chosen_counts_whatever_is_there(caplog):
    table = table_of("path label", ("cat/a.jpg", "x"))
    found = find_labels(PATHS, RetrainSettings(label_source="folder_names"), table)
    assert list(found.of.values()) == ["cat", "cat", "dog"]
    assert list(find_labels(PATHS, RetrainSettings(label_pattern="{label}_1.jpg"), table).of.values()) == ["x"]
    assert "they come from dataset labels.csv, so label_pattern is not used" in caplog.text


@pytest.mark.parametrize("source", ["auto", "dataset"])
@pytest.mark.parametrize(
    ("columns", "row", "expected"),
    [
        ("path label", ("cat/a.jpg", "x"), "x"),
        ("price Class photo", (3, "x", "/data/photos/cat/a.jpg"), "x"),
        ("kind file", ("x", "a.jpg"), "x"),
        ("file kind price note", ("a.jpg", "x", 12.5, None), "x"),
        ("file grade", ("a.jpg", 4), "4"),
        ("id file label", ("b", "C:/data/cat/a.jpg", "x"), "x"),
        ("images label suggested_label issue", ("/cat/a.jpg", "x", "y", "wrong_label"), "x"),
        ("neighbour images label", ("/cat/b.jpg", "/cat/a.jpg", "x"), "x"),
    ],
)
def test_obvious_columns_are_found_and_named(source, columns, row, expected, caplog):
    caplog.set_level("INFO", "vision_recipes")
    found = find_labels(PATHS, RetrainSettings(label_source=source), table_of(columns, row))
    assert found.of == {"/cat/a.jpg": expected}
    assert "labels: in dataset labels.csv, column " in caplog.text


@pytest.mark.parametrize(
    ("settings", "columns", "row", "says"),
    [
        ({}, "path kind colour", ("a.jpg", "x", "red"), "col_label: it is not obvious .*'path', 'kind', 'colour'"),
        ({}, "path label class", ("a.jpg", "x", "y"), "col_label: it is not obvious"),
        ({}, "images prediction label", ("a.jpg", '{"x": 1}', "x"), "col_label: it is not obvious"),
        ({}, "images truth label", ("a.jpg", "x", "y"), "col_label: it is not obvious"),
        ({}, "path", ("a.jpg",), "col_label: it is not obvious"),
        (
            {},
            "path other label",
            ("cat/a.jpg", "cat/b.jpg", "x"),
            "several columns hold paths of pictures .'path', 'other'.",
        ),
        ({}, "kind label", ("z.jpg", "x"), "no column holds paths .*the folder holds '/cat/a.jpg'.*'kind', 'label'"),
        ({"col_label": "path"}, "path label", ("a.jpg", "x"), "col_filename: no column holds paths"),
        ({"split_column": "part"}, "path part", ("a.jpg", "train"), "col_label: it is not obvious"),
    ],
)
def test_what_is_not_obvious_is_asked(settings, columns, row, says):
    with pytest.raises(LabelsError, match=says):
        find_labels(PATHS, RetrainSettings(**settings), table_of(columns, row))


def test_a_named_column_is_never_replaced():
    found = find_labels(PATHS, RetrainSettings(col_label="kind"), table_of("path kind label", ("cat/a.jpg", "x", "y")))
    assert found.of == {"/cat/a.jpg": "x"}


def test_an_empty_dataset_gives_no_label():
    with pytest.raises(LabelsError, match=r"labels.csv has no rows"):
        find_labels(PATHS, RetrainSettings(), table_of("path label"))


def test_pictures_without_any_label_name_the_three_ways():
    with pytest.raises(LabelsError) as caught:
        find_labels(["/a.jpg", "/b.jpg"], RetrainSettings())
    for words in ("names of sub-folders", "'/a.jpg', '/b.jpg'", "sub-folder", "label_pattern=", "label_dataset"):
        assert words in str(caught.value)


@pytest.mark.parametrize("parameter", ["col_label", "col_decision"])
def test_a_column_without_a_dataset_is_no_reason_to_read_folder_names(parameter):
    with pytest.raises(LabelsError, match=f"{parameter} names the column 'kind', but no label dataset is connected"):
        find_labels(PATHS, RetrainSettings(**{parameter: "kind"}))
