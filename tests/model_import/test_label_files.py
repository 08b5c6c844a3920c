"""Labels as other programs write them are read as they are meant, or refused with both counts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_import.label_files import has_labels, read_foreign_labels

NAMES = ("cat", "dog", "große Eiche")
LINES = "\n".join(NAMES)
TABLE = "0{s}cat\n1{s}dog\n2{s}große Eiche\n"


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        LINES.replace("\n", "\r\n") + "\r\n\r\n",
        LINES.replace("\n", "\r"),
        *(TABLE.format(s=separator) for separator in (",", ";", "\t", "|", " ", ": ", ". ", ") ")),
        "index,label\n" + TABLE.format(s=","),
        "label;index\ngroße Eiche;2\ncat;0\ndog;1\n",
        "Class ID,Class Name\n2,große Eiche\n0,cat\n1,dog\n",
        "label,name\n" + TABLE.format(s=","),
        "name,synset,id\ncat,n1,0\ndog,n2,1\ngroße Eiche,n3,2\n",
        "1,cat\n2,dog\n3,große Eiche\n",
        "name\n" + LINES,
        "cat,0\ngroße Eiche,2\ndog,1\n",
        json.dumps(NAMES),
        json.dumps({name: place for place, name in enumerate(NAMES)}),
        json.dumps({"dog": 1, "große Eiche": 2, "cat": 0}),
        json.dumps({str(place): name for place, name in enumerate(NAMES)}),
        json.dumps({str(place + 1): name for place, name in enumerate(NAMES)}),
        json.dumps({str(place): ["n0144", name] for place, name in enumerate(NAMES)}),
        json.dumps({"tfjsVersion": "1.3.1", "labels": NAMES, "imageSize": 224}),
        json.dumps({"model_type": "vit", "id2label": dict(enumerate(NAMES)), "label2id": {"x": 7}}),
        json.dumps({"class_indices": {"cat": 0, "dog": 1, "große Eiche": 2}}),
        json.dumps([{"id": place, "name": name} for place, name in enumerate(NAMES)][::-1]),
        json.dumps({"categories": [{"id": place + 1, "name": name} for place, name in enumerate(NAMES)]}),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_labels_are_read_in_the_order_of_the_scores(text, encoding):
    assert read_foreign_labels(text.encode(encoding), "the labels", 3) == NAMES


@pytest.mark.parametrize(
    "names",
    [
        ("n01440764 tench, Tinca tinca", "n01443537 goldfish, Carassius auratus"),
        ("7 dwarfs", "3 pigs"),
        ("1, or one", "1, or two"),
        ("name", "label"),
        ("0", "1"),
        ("007", "NA"),
        ("2023", "2024"),
        ("a;b", "c;d"),
    ],
)
def test_text_stays_as_it_is_written(names):
    assert read_foreign_labels("\n".join(names).encode(), "labels.txt", len(names)) == names


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20), min_size=2, max_size=9))
def test_json_gives_back_any_names(names):
    assert read_foreign_labels(json.dumps(names).encode(), "labels.json", len(names)) == tuple(names)
    numbered = {str(place): name for place, name in enumerate(names)}
    assert read_foreign_labels(json.dumps(numbered).encode(), "labels.json", len(names)) == tuple(names)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cat\ndog\n", "2 names, but the network gives 3 scores"),
        (b'["cat", "dog"]', "2 names, but the network gives 3 scores"),
        (b'{"cat": 0, "dog": 1, "egg": 2, "elk": 3}', "4 names, but the network gives 3 scores"),
        (b'{"cat": 0, "dog": 0, "egg": 1}', "not 0 to 2, each once"),
        (b'{"0": "cat", "2": "dog", "3": "egg"}', "not 0 to 2, each once"),
        (b'{"cat": "x", "dog": "y", "egg": "z"}', "its names have no numbers"),
        (b'{"cat": 0, "cat": 1, "egg": 2}', "given twice"),
        (b'{"cat": 0.5, "dog": 1, "egg": 2}', "no labels that can be read"),
        (b'{"cat": 0,', "no labels that can be read"),
        (b"[" * 100_000, "no labels that can be read"),
        (b"[[1], [2], [3]]", "is not a name"),
        (b"id,label\n0,cat\n0,dog\n1,egg\n", "numbers are not 0 to 2, each once"),
        (b"\0\1\2\xff", "not text in UTF-8, UTF-16 or Windows-1252"),
        (b'["cat", "dog", "' + b"a" * 10_001 + b'"]', "more than 10000 characters"),
        (b"", "0 names, but the network gives 3 scores"),
    ],
)
def test_other_files_are_refused_with_what_is_wrong(content, message):
    with pytest.raises(ModelFolderError, match=f"^the labels .*{message}"):
        read_foreign_labels(content, "the labels", 3)


def test_json_about_other_things_has_no_labels():
    assert has_labels(b'{"labels": ["A", "B"], "imageSize": 224}')
    assert has_labels(b'{"id2label": {"0": "A", "1": "B"}}')
    for content in (
        b"{}",
        b'{"labels": "none"}',
        b'{"class_name": "Sequential", "config": {}}',
        b"[1]",
        b"{",
        b"\xff\0",
    ):
        assert not has_labels(content)


@pytest.mark.parametrize("head", [",label", ",0", "Unnamed: 0,name"])
def test_a_series_of_pandas_is_a_table(head):
    assert read_foreign_labels(f"{head}\n0,cat\n1,dog\n".encode(), "labels.csv", 2) == ("cat", "dog")
    with pytest.raises(ModelFolderError, match="has 2 names, but the network gives 3"):
        read_foreign_labels(f"{head}\n0,cat\n1,dog\n".encode(), "labels.csv", 3)


@pytest.mark.parametrize("first", ["# my labels", "names:"])
def test_a_heading_is_no_label(first):
    with pytest.raises(ModelFolderError, match="a comment or a heading"):
        read_foreign_labels(f"{first}\ncat\ndog\n".encode(), "labels.txt", 3)
