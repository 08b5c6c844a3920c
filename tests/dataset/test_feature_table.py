"""Datasets of feature vectors, in each of the forms that people have them in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vision_recipes.dataset.feature_table import read_feature_table
from vision_recipes.errors import FeatureTableError

VECTORS = [[0.5, -1.0, 2.0], [1.5, 0.0, 3.0]]


@pytest.mark.parametrize("form", [list, json.dumps, np.asarray, lambda vector: np.asarray(vector, np.float32)])
def test_an_array_column_in_any_form(table, tmp_path: Path, form) -> None:
    rows = [("/a.jpg", form(VECTORS[0]), 0, "", 7), ("/b.jpg", form(VECTORS[1]), 0, "", None)]
    found = read_feature_table(table("images prediction error reason rooms", *rows), tmp_path, columns=["rooms"])
    assert found.paths == ["/a.jpg", "/b.jpg"] and found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.vectors, VECTORS)
    assert found.cells == {"rooms": [7, None]} and not found.rejected


def test_a_column_for_each_number(table, tmp_path: Path) -> None:
    rows = [("/a.jpg", 3, 0.5, 2.0, -1.0), ("/b.jpg", 4, 1.5, "3.0", "0")]
    found = read_feature_table(table("path room1 feature_1 feature_10 feature_2", *rows), tmp_path)
    np.testing.assert_array_equal(found.vectors, np.array(VECTORS)[:, [0, 1, 2]])
    assert found.cells == {"room1": [3, 4]}


def test_rows_without_a_usable_vector_are_listed_with_the_reason(table, tmp_path: Path) -> None:
    rows = [
        ("/a.jpg", VECTORS[0], None),
        ("/b.jpg", None, "truncated"),
        ("/c.jpg", [1.0, float("nan"), 0.0], None),
        ("/d.jpg", [1.0, 1e300, 0.0], None),
        ("/e.jpg", "not a vector", None),
        ("/f.jpg", "[0.5, NaN, 1.0]", None),
        ("/g.jpg", "[" * 100_000, None),
        (None, VECTORS[1], None),
    ]
    found = read_feature_table(table("images prediction reason", *rows), tmp_path)
    assert found.paths == ["/a.jpg"]
    reasons = [(row.path, row.reason) for row in found.rejected]
    assert reasons == [
        ("/b.jpg", "truncated"),
        ("/c.jpg", "not_finite"),
        ("/d.jpg", "not_finite"),
        ("/e.jpg", "no_vector"),
        ("/f.jpg", "not_finite"),
        ("/g.jpg", "no_vector"),
        ("", "no_path"),
    ]


@pytest.mark.parametrize(
    ("columns", "rows", "given", "words"),
    [
        ("images prediction", [], {}, "has no rows"),
        ("images a b", [("/a.jpg", [1.0], [2.0])], {}, "several columns hold arrays of numbers ('a', 'b')"),
        ("images price", [("/a.jpg", 1.0)], {}, "('images', 'price') holds arrays"),
        ("photo prediction", [("/a.jpg", [1.0])], {}, "has no column called images"),
        ("images prediction", [("/a.jpg", [1.0])], {"vector_column": "predictions"}, "Did you mean 'prediction'?"),
        ("images prediction", [("/a.jpg", [1.0])], {"path_column": "x"}, "path_column: dataset labels has no"),
        ("images prediction", [("/a.jpg", [1.0])], {"columns": ["rooms"]}, "columns: dataset labels has no"),
        ("images prediction", [("/a.jpg", [1.0]), ("/b.jpg", [1.0, 2.0])], {}, "row 2 (/b.jpg) has a vector of 2"),
        (
            "images prediction",
            [("/a.jpg", None)],
            {"vector_column": "prediction"},
            "has 1 row, none with a usable vector",
        ),
    ],
)
def test_what_is_wrong_with_the_dataset_is_said(table, tmp_path: Path, columns, rows, given, words) -> None:
    with pytest.raises(FeatureTableError) as error:
        read_feature_table(table(columns, *rows), tmp_path, **given)
    assert words in str(error.value)
