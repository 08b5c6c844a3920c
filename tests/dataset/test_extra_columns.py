"""Columns of a table beside the pictures: joined by path, learned once, encoded the same way when scoring."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vision_recipes.dataset.column_encoding import as_category, encode
from vision_recipes.dataset.extra_columns import encode_table, join, learn
from vision_recipes.errors import SettingsError
from vision_recipes.preprocessing import ExtraColumn

PATHS = ["/a.jpg", "/sub/b.jpg", "/c.jpg"]


def rows(name: str, *cells: Any) -> dict[str, dict[str, Any]]:
    return {f"/{place}.jpg": {name: cell} for place, cell in enumerate(cells)}


def test_rows_are_joined_by_the_column_that_holds_paths(table: Any) -> None:
    given = table(
        "note file price town",
        ("/c.jpg", "a.jpg", 3, "Rome"),
        ("", "/sub/b.jpg", None, "Oslo"),
        ("", "../../etc/passwd", 1, "x"),
    )
    joined = join(given, PATHS, ["price", "town"])
    assert joined == {"/a.jpg": {"price": 3, "town": "Rome"}, "/sub/b.jpg": {"price": None, "town": "Oslo"}}
    assert list(join(given, PATHS, ["price"], key="note")) == ["/c.jpg"]
    assert list(join(given, PATHS, ["price"], key="not there")) == ["/a.jpg", "/sub/b.jpg"]


def test_the_last_row_of_a_picture_counts(table: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert join(table("file n", ("a.jpg", 1), ("a.jpg", 2)), PATHS, ["n"]) == {"/a.jpg": {"n": 2}}
    assert "1 row names a picture" in caplog.text


def test_tables_that_do_not_fit_are_told(table: Any) -> None:
    with pytest.raises(SettingsError, match="'prize' should join .* has 'file', 'price'. Did you mean 'price'"):
        join(table("file price", ("a.jpg", 1)), PATHS, ["prize"])
    with pytest.raises(SettingsError, match="no column of labels holds paths .*'/a.jpg'"):
        join(table("file price", ("elsewhere.jpg", 1)), PATHS, ["price"])
    with pytest.raises(SettingsError, match="no column"):
        join(table("price", (1,)), PATHS, ["price"])


def test_numbers_are_standardised_and_missing_ones_are_the_mean() -> None:
    given = rows("price", 1.5, "2.5", None, "", 6, float("nan"), 7.25)
    (column,) = learn(["price"], given, "labels")
    values = np.array([encode([column], row) for row in given.values()])
    assert column.kind == "number" and values.shape == (7, 1) and values.dtype == np.float32
    assert values[[2, 3, 5], 0].tolist() == [0, 0, 0]
    present = values[[0, 1, 4, 6], 0]
    assert present.mean() == pytest.approx(0, abs=1e-6) and present.std() == pytest.approx(1, abs=1e-5)
    assert encode([column], None).tolist() == [0] == encode([column], {"price": "dear"}).tolist()


@pytest.mark.parametrize("cells", [(1, 2, 3, 1), ("1", "2", "3", "1"), (1.0, 2.0, 3.0, 1.0)])
def test_whole_numbers_of_few_values_are_categories_too(cells: tuple[Any, ...]) -> None:
    number, place = learn(["order"], rows("order", *cells), "labels")
    assert (number.kind, place.kind, place.categories) == ("number", "category", ("1", "2", "3"))
    if not isinstance(cells[0], str):
        assert encode((place,), {"order": 2}).tolist() == [0, 1, 0] == encode((place,), {"order": 2.0}).tolist()
    assert encode((place,), {"order": 9}).tolist() == [0, 0, 0]


def test_many_or_broken_numbers_are_numbers_alone() -> None:
    for cells in (range(40), (0.5, 1.5, 2.5), (0, 1, 0, 1), (True, False, True), ("true", "FALSE", "true")):
        (column,) = learn(["x"], rows("x", *cells), "labels")
        assert column.kind == "number"


def test_texts_are_categories_and_unseen_ones_are_none_of_them() -> None:
    (column,) = learn(["town"], rows("town", "Oslo", "Rome", "007", "Oslo", " Rome", None, "007"), "labels")
    assert column == ExtraColumn("town", "category", categories=("007", "Oslo", "Rome"))
    assert encode((column,), {"town": "Rome "}).tolist() == [0, 0, 1]
    for unseen in ("Paris", None, "", float("nan"), 7):
        assert encode((column,), {"town": unseen}).tolist() == [0, 0, 0]


def test_rare_categories_count_as_unknown(caplog: pytest.LogCaptureFixture) -> None:
    (column,) = learn(["town"], rows("town", "Oslo", "Oslo", "Rome", "Rome", "Bern"), "labels")
    assert column.categories == ("Oslo", "Rome")
    assert "1 rare value counts" in caplog.text


def test_columns_that_say_nothing_are_refused() -> None:
    with pytest.raises(SettingsError, match="'town' of labels is empty"):
        learn(["town"], rows("town", None, "", " "), "labels")
    with pytest.raises(SettingsError, match="30 different texts in 30 rows"):
        learn(["note"], rows("note", *(f"text {place}" for place in range(30))), "labels")


def test_huge_and_constant_numbers_stay_finite() -> None:
    for cells in ((1e308, -1e308, 5), (7, 7, 7), (1e-300, 1e-300), (10**400, 1, 2)):
        given = rows("x", *cells)
        columns = learn(["x"], given, "labels")
        for row in [*given.values(), {"x": 1e308}, {"x": -(10**30)}]:
            assert np.isfinite(encode(columns, row)).all()
            assert np.abs(encode(columns, row)).max() <= 100


def test_a_column_asked_for_twice_counts_once() -> None:
    assert len(learn(["x", "x"], rows("x", 0.5, 1.5), "labels")) == 1


@pytest.mark.parametrize(
    "trained", [("1", "2", "3"), ("1.0", "2.0", "3.0"), (1, 2, 3), (1.0, 2.0, 3.0), (" 1", "2.00", 3)]
)
@pytest.mark.parametrize("beside", [(), ("cover",)])
def test_whole_numbers_are_alike_however_a_table_writes_them(trained: tuple[Any, ...], beside: tuple[str, ...]) -> None:
    columns = learn(["place"], rows("place", *2 * (*trained, *beside)), "labels")
    expected = [encode(columns, {"place": cell}).tolist() for cell in trained]
    assert len({tuple(row) for row in expected}) == 3
    for cells in ((1, 2, 3), (1.0, 2.0, 3.0), ("1", "2", "3"), ("1.0", "2.0 ", " 3.000"), np.float32([1, 2, 3])):
        assert [encode(columns, {"place": cell}).tolist() for cell in cells] == expected


def test_models_trained_before_know_their_categories_however_written() -> None:
    column = ExtraColumn("place", "category", categories=("1.0", "2.0", "True"))
    assert encode((column,), {"place": 1}).tolist() == [1, 0, 0] == encode((column,), {"place": "1.0"}).tolist()
    assert encode((column,), {"place": True}).tolist() == [0, 0, 1]


def test_identifiers_are_texts_as_written() -> None:
    texts = [
        "007",
        "7",
        "1e5",
        "100000",
        "1.10",
        "1.1",
        "1.50",
        "+7",
        "0x7",
        "00.0",
        "7.",
        ".0",
        "12345678901234567890",
    ]
    assert [as_category(text) for text in texts] == texts
    assert {as_category(cell) for cell in (0, -0.0, "-0.0", "0.0", "-0", "0")} == {"0"}
    assert {as_category(cell) for cell in (True, np.True_, "true", "TRUE ")} == {"true"}


@pytest.mark.parametrize("missing", ["NaN", "nan", "NA", "N/A", "null", "None", "", " ", "<NA>", None, float("nan")])
def test_spellings_of_missing_leave_a_column_of_numbers_one(missing: Any) -> None:
    (column,) = learn(["price"], rows("price", "1.5", missing, "2.5", missing, "4.0"), "labels")
    assert (column.kind, column.mean) == ("number", pytest.approx(8 / 3))
    assert encode((column,), {"price": missing}).tolist() == [0]
    _, place = learn(["place"], rows("place", "1", missing, "2", "3"), "labels")
    assert place.categories == ("1", "2", "3")


def test_na_among_texts_is_a_text() -> None:
    (column,) = learn(["country"], rows("country", "NA", "DE", "NA", "DE"), "labels")
    assert column.categories == ("DE", "NA")


@pytest.mark.parametrize("huge", ["inf", "-Infinity", "1e400", float("inf"), 10**400, -(10**400)])
def test_infinite_numbers_count_as_missing_and_are_named(huge: Any, caplog: pytest.LogCaptureFixture) -> None:
    (column,) = learn(["price"], rows("price", 1.5, huge, 2.5), "labels")
    assert (column.kind, column.mean) == ("number", 2.0)
    assert f"column 'price': 1 infinite cells count as missing: '{str(huge)[:60]}'" in caplog.text
    assert encode((column,), {"price": huge}).tolist() == [0]


def test_values_unknown_to_the_model_are_told_when_scoring(table: Any, caplog: pytest.LogCaptureFixture) -> None:
    columns = (ExtraColumn("town", "category", categories=("Oslo", "Rome")), ExtraColumn("price", "number", 1.0, 2.0))
    towns = ["Oslo", "Rome ", None, "NA", "Kiel", "Kiel", "Bonn", "Ulm", "Linz", "Graz", "Wien"]
    given = table("file town price", *((f"{place}.jpg", town, place) for place, town in enumerate(towns)))
    encode_table(columns, [f"/{place}.jpg" for place in range(11)], given, "mine")
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "'town': 7 of 11 cells hold values that the model was not trained with" in warning
    assert warning.endswith("'Kiel', 'Bonn', 'Ulm', 'Linz', 'Graz' and 1 more")
    caplog.clear()
    encode_table(columns[1:], ["/a.jpg", "/b.jpg"], table("file price", ("a.jpg", "1,5"), ("b.jpg", "n/a")), "mine")
    assert "'price': 1 of 2 cells hold no usable number and count as missing: '1,5'" in caplog.text
    both = (ExtraColumn("place", "number", 1.0, 2.0), ExtraColumn("place", "category", categories=("1", "2", "3")))
    caplog.clear()
    encode_table(both, ["/a.jpg", "/b.jpg"], table("file place", ("a.jpg", "7"), ("b.jpg", "3.0")), "mine")
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "'place': 1 of 2 cells hold values" in warning
