import pytest

from minihost.datasets import table
from minihost.job import Reference
from minihost.ui.objects.label_index import LabelIndex, Wanted
from minihost.ui.objects.path_columns import path_column, picture_columns
from minihost.ui.objects.places import Place
from minihost.ui.objects.table_cells import cell_of


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "pictures"
    (place / "a").mkdir(parents=True)
    for number in range(6):
        (place / "a" / f"{number}.jpg").write_bytes(b"x")
    return Place("folder", "pics", Reference("", "MANAGED_FOLDER", "pics", "P", str(place)))


@pytest.mark.parametrize("before", ["/", "", "pics/", "/pics/", "pictures/", "FOLDER/"])
def test_a_column_of_paths_is_told_by_what_is_there(folder, before):
    before = before.replace("FOLDER", folder.reference.path)
    rows = [["x", "1.0", f"{before}a/{number}.jpg"] for number in range(6)] + [
        ["y", "2", f"{before}a/gone.jpg"],
        ["", "", ""],
    ]
    found = path_column(rows, folder)
    assert found.column == 2 and found.path(rows[3][2]) == "/a/3.jpg"
    assert picture_columns(rows, [folder])[2].prefix == found.prefix


@pytest.mark.parametrize(
    "cells",
    [
        ["a", "b"],
        ["/a/9.jpg", "/a/8.jpg"],
        ["../flow.jpg", "/../x.jpg"],
        ["", ""],
        ["/a", "/a/"],
        ["x" * 5000 + ".jpg"],
    ],
)
def test_other_columns_are_none(folder, cells):
    assert path_column([[cell] for cell in cells], folder) is None


def test_rows_of_a_picture_are_found_and_bytes_of_names_kept(tmp_path, folder):
    name = b"/a/\xff.jpg".decode("utf-8", "surrogateescape")
    columns = ["images", "label", "probability"]
    path = tmp_path / "scored.csv"
    with table(path).writer([{"name": one, "type": "string"} for one in columns]) as writer:
        writer.write(
            [["/a/1.jpg", "egg", "0.5"], [name, "ball", "x"], ["/a/1.jpg", "ball", "0.9"], ["/../out.jpg", "egg", "1"]]
        )
    found = path_column([["/a/1.jpg"], ["/a/2.jpg"]], folder)
    index = LabelIndex(table(path), columns, found)
    assert index.ready.wait(10) and index.mistake == ""
    captions = index.captions(["/a/1.jpg", name])
    assert (captions["/a/1.jpg"].label, captions["/a/1.jpg"].probability) == ("egg", 0.5)
    assert (captions[name].label, captions[name].probability) == ("ball", None)
    assert [row["label"] for row in index.rows_of("/a/1.jpg")] == ["egg", "ball"]
    assert dict(index.labels()) == {"ball": 2, "egg": 1}
    assert index.paths(Wanted(label="ball"), 0, 9) == ["/a/1.jpg", name] and index.paths(Wanted(), 1, 9) == [name]
    index.close()
    assert index.labels() == [] and index.counts() == {"errors": 0, "wrong": 0}


@pytest.mark.parametrize(
    ("value", "column", "kind", "text"),
    [
        (None, "string", "missing", ""),
        (float("nan"), "double", "nan", "NaN"),
        ("", "string", "blank", '""'),
        (1.5, "double", "number", "1.5"),
        ("1.5", "double", "number", "1.5"),
        (True, "boolean", "text", "true"),
        (b"\x00\xff", "string", "data", "2 bytes: AP8="),
        ({"a": [b"x", 1]}, "object", "data", '{"a": ["eA==", 1]}'),
        ("a\u202eb\x07", "string", "text", "a\\u202eb␇"),
    ],
)
def test_cells_can_be_told_apart(value, column, kind, text):
    found = cell_of(value, column)
    assert (found.kind, found.text) == (kind, text)


def test_long_cells_are_cut():
    found = cell_of("x" * 10_000, "string")
    assert len(found.text) == 4096 and found.is_cut and found.is_long
    assert cell_of(list(range(100_000)), "array").is_cut
