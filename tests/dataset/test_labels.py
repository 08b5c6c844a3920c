import pytest
from dataset.conftest import MemoryTable

from vision_recipes.dataset.cell_text import label_text
from vision_recipes.dataset.labels import find_labels
from vision_recipes.errors import LabelsError
from vision_recipes.training_settings import LabelSettings


def source_of(label_source: str = "dataset", label_pattern: str = "") -> LabelSettings:
    return LabelSettings(label_source, label_pattern, col_filename="path", col_label="label")


def test_paths_match_with_and_without_slash_and_in_any_composition(table):
    listing = ["/a.jpg", "/sub/b.jpg", "/caf\u00e9.jpg", "/d.jpg"]
    found = find_labels(
        listing,
        source_of(),
        table("path label", ("a.jpg", "x"), ("./sub//b.jpg", "y"), ("/cafe\u0301.jpg", "z"), ("sub\\b.jpg", "y")),
    )
    assert found.of == {"/a.jpg": "x", "/sub/b.jpg": "y", "/caf\u00e9.jpg": "z"}
    assert (len(found.unlabelled), len(found.repeated)) == (1, 1)


def test_labels_are_text_as_written(table):
    cells = ["007", "NA", "1.0", 7, True, "null", " egg", "日本"]
    listing = [f"/{index}" for index in range(len(cells))]
    found = find_labels(listing, source_of(), table("path label", *[(str(i), cell) for i, cell in enumerate(cells)]))
    assert list(found.of.values()) == ["007", "NA", "1.0", "7", "true", "null", " egg", "日本"]


@pytest.mark.parametrize("cell", [None, "", "  ", float("nan")])
def test_a_missing_label_is_counted(table, cell):
    found = find_labels(["/a", "/b"], source_of(), table("path label", ("a", cell), ("b", "x")))
    assert found.of == {"/b": "x"}
    assert found.without_label == ["/a"]
    assert label_text(cell) is None


def test_a_column_without_a_name_decides_nothing(table):
    found = find_labels(
        ["/a", "/b"], source_of(), MemoryTable("t", ["", "path", "label"], [("0", "a", "x"), ("drop", "b", "y")])
    )
    assert found.of == {"/a": "x", "/b": "y"}
    assert found.dropped == []


def test_conflicts_are_left_out_and_named(table):
    rows = [("a", "x"), ("a", "y"), ("a", "x"), ("b", "x"), ("/b", "x"), ("c", "z"), ("nowhere", "x")]
    found = find_labels(["/a", "/b", "/c"], source_of(), table("path label", *rows))
    assert found.of == {"/b": "x", "/c": "z"}
    assert found.rows.keys() == found.of.keys()
    assert found.conflicting == ["/a"]
    lines = "\n".join(found.remarks())
    assert "1 picture is listed with different labels and is not used: '/a'" in lines
    assert "1 row names a picture that is not in the folder: 'nowhere'" in lines


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../../b", "https://x/y.jpg", "a\0b"])
def test_only_listed_paths_are_given(table, path):
    found = find_labels(["/a", "/b"], source_of(), table("path label", (path, "x"), ("a", "y")))
    assert found.of == {"/a": "y"}
    assert found.without_picture == [path]


def test_rows_travel_with_their_picture(table):
    found = find_labels(["/a", "/b"], source_of(), table("path label age", ("b", "x", 3), ("a", "y", 4)))
    assert (found.rows["/a"]["age"], found.rows["/b"]["age"]) == (4, 3)


@pytest.mark.parametrize(
    ("columns", "rows", "says"),
    [
        ("path labels", [("a", "x")], "Did you mean 'labels'"),
        ("file label", [("a", "x")], "col_filename: dataset labels has no column 'path'"),
        ("path LABEL", [("a", "x")], "Did you mean 'LABEL'"),
        ("path label", [], "no rows"),
        ("path label", [("other.jpg", "x")], "right folder"),
        ("path label", [("deep2.jpg", "x")], "The nearest name is '/sub/deep.jpg'"),
        ("path label", [("a", "")], "1 row of labels without one"),
        ("path label", [("a", "x" * 9000)], "9000 characters"),
    ],
)
def test_unusable_tables_are_refused(table, columns, rows, says):
    with pytest.raises(LabelsError) as refusal:
        find_labels(["/a", "/sub/deep.jpg"], source_of(), table(columns, *rows))
    assert says in str(refusal.value)


def test_a_missing_table_is_refused():
    with pytest.raises(LabelsError, match="no label dataset is connected"):
        find_labels(["/a"], source_of(), None)


def test_folder_names_are_labels():
    listing = ["/egg/1.jpg", "/train/not_egg/2.jpg", "/loose.jpg", "/.trash/3.jpg", "/egg/.DS_Store", "/egg/Thumbs.db"]
    found = find_labels(listing, source_of("folder_names"))
    assert found.of == {"/egg/1.jpg": "egg", "/train/not_egg/2.jpg": "not_egg"}
    assert len(found.unlabelled) == 4


def test_file_names_are_labels():
    found = find_labels(["/lisa_pic_01.jpg", "/readme.txt"], source_of("file_names", "{label}_pic_{number}"))
    assert found.of == {"/lisa_pic_01.jpg": "lisa"}
    with pytest.raises(LabelsError, match="must fit the file names"):
        find_labels(["/readme.txt"], source_of("file_names", "{label}_pic_{number}"))


def test_labels_that_look_alike_are_told(table):
    found = find_labels(["/a", "/b", "/c"], source_of(), table("path label", ("a", "Egg"), ("b", "egg "), ("c", "ham")))
    assert "'Egg', 'egg '" in "\n".join(found.look_alikes())


@pytest.mark.parametrize("column", [" label", "label ", "Label", "\ufefflabel"])
def test_a_column_that_is_nearly_that_one_is_suggested(table, column):
    labels = table("path label", ("a", "x"))
    labels.columns[1] = column
    with pytest.raises(LabelsError) as refusal:
        find_labels(["/a"], source_of(), labels)
    assert f"it has 'path', {column!r}. Did you mean {column!r}?" in str(refusal.value)


def test_a_column_of_whole_numbers_is_written_without_decimals(table):
    listing = ["/1.jpg", "/2.jpg", "/3.jpg"]
    found = find_labels(listing, source_of(), table("path label", (1.0, 7.0), (2.0, None), (3, 8.0), (None, 9.0)))
    assert found.of == {"/1.jpg": "7", "/3.jpg": "8"}


def test_rows_that_match_nothing_are_named_with_the_nearest_name(table):
    listing = ["/cat/picture_01.jpg", "/cat/picture_02.jpg"]
    found = find_labels(
        listing, source_of(), table("path label", ("cat/picture_01.jpg", "x"), ("cat/pictre_02.jpg", "y"))
    )
    assert (
        "1 row names a picture that is not in the folder: 'cat/pictre_02.jpg' "
        "(the nearest name is '/cat/picture_02.jpg')" in found.remarks()
    )


@pytest.mark.parametrize(
    ("written", "listing", "says"),
    [
        ("C:\\Users\\me\\photos\\x.jpg", ["/cat/a.jpg"], "cut 'C:\\Users\\me\\photos\\'"),
        (
            "/home/me/x/1.jpg",
            ["/cat/1.jpg"],
            "A picture of that name is '/cat/1.jpg'. If it is meant, cut '/home/me/x/'",
        ),
        ("D:\\me\\cat\\1.jpg", ["/dog/1.jpg"], "cut 'D:\\me\\cat\\' from the paths and write its folder instead"),
        ("photos/cat/1.jpg", ["/cat/1.jpg", "/1.jpg"], "Several pictures have that file name ('/cat/1.jpg', '/1.jpg')"),
        ("1.jpg", ["/cat/1.jpg", "/dog/1.jpg"], "Several pictures have that file name"),
    ],
)
def test_paths_that_match_nothing_are_told_what_to_change(table, written, listing, says):
    with pytest.raises(LabelsError) as refusal:
        find_labels(listing, source_of(), table("path label", (written, "x")))
    assert says in str(refusal.value)
    assert "Write the sub-folder too" not in str(refusal.value)
