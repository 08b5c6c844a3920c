import sqlite3

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from minihost.datasets import csv_preview, previews, schema, table
from minihost.datasets.previews import preview
from minihost.errors import DataError


def every(path, size, options=None):
    """All rows of a dataset, page by page."""
    mark, found = "", []
    while True:
        page = preview(table(path, options), mark, size)
        assert page.first == len(found)
        assert page.mistake == ""
        found += page.rows
        mark = page.next
        if not mark:
            return found, page


ROWS = 'a;b\r\n"1;2";ä\r\n"two\r\nlines";""\r\n\r\n3;\r\nx;y\r\n;\r\nlast;row'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_csv_pages_have_the_rows_that_recipes_get(tmp_path, encoding, size):
    path = tmp_path / "some.csv"
    path.write_bytes(ROWS.encode(encoding))
    found, last = every(path, size)
    assert [[cell or "" for cell in row] for row in found] == list(table(path).text_rows())
    assert found[1] == ["two\r\nlines", None] and last.count == len(found)


def test_a_long_csv_file_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "COUNTED", 0)
    path = tmp_path / "long.csv"
    path.write_bytes(b"a,b\n" + b"123,some text\n" * 100_000 + b"\xff broken,\n")
    monkeypatch.setattr(csv_preview, "MOST_BYTES", 1 << 16)
    page = preview(table(path), size=50)
    assert len(page.rows) == 50 and page.is_estimate and abs(page.count - 100_000) < 10
    middle = preview(table(path), page.next, 50)
    assert (middle.first, middle.rows[0]) == (50, ["123", "some text"])


@pytest.mark.parametrize(
    ("text", "rows", "said"),
    [
        (b"a,b\n1,2\n3,4,5\n6,7\n", 1, "the next row has 3 cells"),
        (b'a,b\n1,"2\n3,4\n5,6\n', 0, "a quote opens a cell"),
        (b"a,b\n1,2\n" + "ä,2\n".encode() * 40_000 + b"\xff,2\n", 40_001, "a byte is not utf-8"),
        (b"a,b\n1,2\n" + b"x" * 300_000 + b"\n", 1, "a row has more than"),
    ],
)
def test_what_is_wrong_is_said_after_the_rows_before_it(tmp_path, monkeypatch, text, rows, said):
    if "more than" in said:
        monkeypatch.setattr(csv_preview, "MOST_BYTES", 1 << 16)
    path = tmp_path / "bad.csv"
    path.write_bytes(text)
    page = preview(table(path), size=100_000)
    assert (len(page.rows), page.next, page.count) == (rows, "", None)
    assert said in page.mistake and f"after row {rows}" in page.mistake


def test_types_come_from_the_schema_and_numbers_with_a_comma_are_read(tmp_path):
    path = tmp_path / "typed.csv"
    path.write_bytes(b"n;t\n1,5;x\n")
    schema.write(path, [{"name": "n", "type": "double"}, {"name": "other", "type": "string"}])
    page = preview(table(path))
    assert [column["type"] for column in page.columns] == ["double", "string"] and page.rows == [["1.5", "x"]]


def test_parquet_pages_begin_in_any_row_group(tmp_path):
    path = tmp_path / "some.parquet"
    values = {
        "n": list(range(1000)),
        "x": [None, [1.5], []] * 333 + [None],
        "b": [b"\xff"] * 1000,
        "t": ["", None] * 500,
    }
    pq.write_table(pa.table(values), path, row_group_size=130)
    found, last = every(path, 300)
    assert [row[0] for row in found] == list(range(1000)) and last.count == 1000
    assert found[1] == [1, [1.5], b"\xff", None] and found[2] == [2, [], b"\xff", ""]
    assert preview(table(path), "999").rows[0][0] == 999 and preview(table(path), "5000").rows == []


def test_a_table_of_a_database_and_one_in_partitions(tmp_path):
    with sqlite3.connect(tmp_path / "db.sqlite") as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)")
        connection.executemany(
            "INSERT INTO t VALUES (?, ?)", [(number, None if number % 2 else "") for number in range(25)]
        )
    found, last = every(f"sqlite:///{tmp_path}/db.sqlite::t", 10)
    assert found == [[number, None if number % 2 else ""] for number in range(25)] and last.count == 25
    (tmp_path / "parts").mkdir()
    for day in "12":
        (tmp_path / "parts" / f"2024-0{day}.csv").write_text(f"d\n{day}\n")
    assert every(tmp_path / "parts", 1, {"partitioning": {"dimensions": []}})[0] == [["1"], ["2"]]


@pytest.mark.parametrize("mark", ["x", "-1", "1e9", "9" * 40, "1--2"])
def test_marks_that_are_none(tmp_path, mark):
    (tmp_path / "a.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match="no place in a table"):
        preview(table(tmp_path / "a.csv"), mark)


def test_the_beginning_of_a_large_sheet(tmp_path, monkeypatch):
    import openpyxl

    book = openpyxl.Workbook()
    for row in [["n", "t"], *([number, "x"] for number in range(50)), ["no number", "x"]]:
        book.active.append(row)
    book.save(tmp_path / "some.xlsx")
    assert [column["type"] for column in preview(table(tmp_path / "some.xlsx"), size=5).columns] == ["string", "string"]
    monkeypatch.setattr(previews, "LARGEST_SHEET", 0)
    page = preview(table(tmp_path / "some.xlsx"), size=5)
    assert page.columns[0]["type"] == "bigint" and page.rows[-1] == ["4", "x"] and page.next == "5"
