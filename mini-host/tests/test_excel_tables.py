"""Excel files as datasets: types of cells, sheets, what is refused by file, sheet and cell."""

import datetime as dt
import io
import re
import zipfile

import pytest
from openpyxl import Workbook

from minihost.datasets import excel_workbook, frames, layouts, table
from minihost.errors import DataError

HEAD = ["path", "n", "x", "ok", "day", "moment", "text"]
FIRST = ["a.jpg", 1, 0.5, True, dt.date(2026, 1, 2), dt.datetime(2026, 1, 2, 3, 4, 5), "007"]
SECOND = ["b.jpg", None, 2, False, None, dt.datetime(2026, 1, 3), "=1+1"]


@pytest.fixture
def save(tmp_path):
    """Return a maker of Excel files of sheets: name -> rows."""

    def save(name="labels.xlsx", **sheets):
        book = Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for number, row in enumerate(rows, start=1):
                for place, value in enumerate(row, start=1):
                    if value is not None:
                        cell = sheet.cell(number, place, value)
                        if value == "=1+1":
                            cell.data_type = "s"
        book.save(tmp_path / name)
        return tmp_path / name

    return save


def changed(path, part, change):
    """Write a part of an Excel file anew."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts.get(part, b""))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def with_texts(path, xml):
    """Give a file a table of texts, and let cell A2 refer to its first one."""
    changed(path, "[Content_Types].xml", lambda old: old.replace(b"</Types>", TEXTS_TYPE + b"</Types>"))
    changed(path, SHEET, lambda old: re.sub(rb'<c r="A2".*?</c>', b'<c r="A2" t="s"><v>0</v></c>', old))
    return changed(path, "xl/sharedStrings.xml", lambda _old: xml)


TEXTS_TYPE = (
    b'<Override PartName="/xl/sharedStrings.xml" ContentType='
    b'"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)
TEXTS = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</sst>'
SHEET = "xl/worksheets/sheet1.xml"


def test_types_are_those_of_the_cells(save):
    found = table(save(Data=[HEAD, FIRST, SECOND]))
    kinds = {column["name"]: column["type"] for column in found.columns()}
    assert kinds == {
        "path": "string", "n": "bigint", "x": "double", "ok": "boolean", "day": "dateonly",
        "moment": "datetimenotz", "text": "string",
    }  # fmt: skip
    assert list(found.text_rows()) == [
        ["a.jpg", "1", "0.5", "true", "2026-01-02", "2026-01-02T03:04:05.000", "007"],
        ["b.jpg", "", "2.0", "false", "", "2026-01-03T00:00:00.000", "=1+1"],
    ]
    frame = frames.with_dates(frames.read(found.pandas_source(), found.columns(), {}), found.columns())
    assert frame["x"].tolist() == [0.5, 2.0]
    assert str(frame["day"].dtype).startswith("datetime64")


def test_labels_that_are_numbers_and_texts_are_text(save):
    found = table(save(Data=[["label"], [1], ["1a"], [2.5], [True], [dt.date(2026, 1, 2)], [dt.time(1, 2)]]))
    assert [row[0] for row in found.text_rows()] == ["1", "1a", "2.5", "true", "2026-01-02", "01:02:00"]


def test_blank_rows_and_columns_around_the_table(save):
    rows = [
        [],
        [None, "  "],
        [None, "path", None, " label "],
        [None, "a.jpg", None, "cat"],
        [],
        [None, "b.jpg", None, 1],
    ]
    found = table(save(Data=[*rows, [], [None, " "]]))
    assert [column["name"] for column in found.columns()] == ["path", "label"]
    assert list(found.text_rows()) == [["a.jpg", "cat"], ["", ""], ["b.jpg", "1"]]


def test_a_column_without_a_name_is_called_by_its_letter(save):
    found = table(save(Data=[["path", None, "label"], ["a.jpg", 1, "cat"]]))
    assert [column["name"] for column in found.columns()] == ["path", "B", "label"]


def test_sheets(save, caplog):
    layouts._logged.clear()
    path = save(Notes=[["a"], [1]], Labels=[["b"], [2]], Empty=[])
    assert list(table(path).text_rows()) == [["1"]]
    assert "sheet 'Notes' is read, not 'Labels', 'Empty'" in caplog.text
    assert list(table(path, {"sheet": "Labels"}).text_rows()) == [["2"]]
    with pytest.raises(DataError, match="no sheet 'Label'. Did you mean 'Labels'"):
        table(path, {"sheet": "Label"}).columns()
    with pytest.raises(DataError, match=r"sheet 'Empty' is empty. The other sheets are 'Notes', 'Labels'"):
        table(path, {"sheet": "Empty"}).columns()


def test_a_value_beside_the_table_is_named(save):
    with pytest.raises(DataError, match="sheet 'Data', cell D3: 'note' stands where the header"):
        list(table(save(Data=[["a", "b"], [1, 2], [3, 4, None, "note"]])).text_rows())


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ('<c r="A2"><f>1+1</f><v></v></c>', "cell A2: it holds a formula without its result. Open the file in Excel"),
        ('<c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "cell A2: it holds the error #DIV/0!. Correct the formula"),
        ('<c r="A2" t="s"><v>999</v></c>', "sheet 'Data' is damaged after row 1: IndexError"),
        ('<c r="A2"><v>one</v></c>', "sheet 'Data' is damaged after row 1: .*'one'"),
        ('<c r="ZZZ2"><v>1</v></c>', "more than 1048576 rows or 16384 columns"),
        ('</row><row r="9999999"><c r="A9999999"><v>1</v></c>', "more than 1048576 rows or 16384 columns"),
        ('<c r="A2"><v>1</v>', "is damaged"),
    ],
)
def test_a_bad_cell_is_named(save, cell, message):
    path = save(Data=[["a"], [1]])
    changed(path, SHEET, lambda xml: xml.replace(b'<c r="A2" t="n"><v>1</v></c>', cell.encode()))
    with pytest.raises(DataError, match=message):
        table(path).columns()


def test_integers_that_another_program_wrote_with_a_point_are_integers(save):
    path = save(Data=[["a"], [1]])
    changed(path, SHEET, lambda xml: xml.replace(b"<v>1</v>", b"<v>1.0</v>"))
    assert table(path).columns() == [{"name": "a", "type": "bigint"}]
    assert list(table(path).text_rows()) == [["1"]]


def test_results_of_formulas_count(save):
    path = save(Data=[["a"], [1]])
    cell = b'<c r="A2"><f>SUM(1,1)</f><v>2</v></c></row><row r="3"><c r="A3" t="str"><f>""</f><v></v></c>'
    changed(path, SHEET, lambda xml: xml.replace(b'<c r="A2" t="n"><v>1</v></c>', cell))
    assert list(table(path).text_rows()) == [["2"]]


def test_blank_cells_with_a_style_are_no_formulas(save):
    path = save(Data=[["a", "b"], [1, "x"], [2, "y"]])
    blank = b'<c r="A2" s="0"/>'
    changed(path, SHEET, lambda xml: xml.replace(b'<c r="A2" t="n"><v>1</v></c>', blank))
    assert list(table(path).text_rows()) == [["", "x"], ["2", "y"]]


def test_what_openpyxl_warns_of_is_not_shown(save, recwarn):
    path = save(Data=[["a"], [1]])
    extension = b'</sheetData><extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"/></extLst>'
    changed(path, SHEET, lambda xml: re.sub(b"</sheetData>.*</worksheet>", extension + b"</worksheet>", xml))
    assert list(table(path).text_rows()) == [["1"]]
    assert not recwarn.list


def test_a_wrong_size_of_the_sheet_does_not_matter(save):
    path = save(Data=[["a", "b"], [1, 2], [3, 4]])
    changed(path, SHEET, lambda xml: xml.replace(b'<dimension ref="A1:B3"', b'<dimension ref="A1:A2"'))
    assert list(table(path).text_rows()) == [["1", "2"], ["3", "4"]]


def test_texts_of_the_table_of_texts(save):
    xml = TEXTS.format(
        '<si><r><t>東</t></r><r><t xml:space="preserve">京 </t></r><rPh sb="0" eb="1"><t>トウ</t></rPh></si>'
    )
    assert list(table(with_texts(save(Data=[["a"], ["x"]]), xml.encode())).text_rows()) == [["東京 "]]


def test_rich_text_without_its_pronunciation(save):
    path = save(Data=[["a"], [1]])
    cell = '<c r="A2" t="inlineStr"><is><r><t>東</t></r><r><t>京</t></r><rPh sb="0" eb="1"><t>トウ</t></rPh></is></c>'
    changed(path, SHEET, lambda xml: xml.replace(b'<c r="A2" t="n"><v>1</v></c>', cell.encode()))
    assert list(table(path).text_rows()) == [["東京"]]


class TestHostile:
    def test_no_excel_file(self, tmp_path):
        path = tmp_path / "x.xlsx"
        for content, message in (
            (b"a,b\n1,2\n", "is not an Excel file .* A text file is named .csv"),
            (b"", "is not an Excel file"),
            (b"\xd0\xcf\x11\xe0" + bytes(100), "protected by a password, or an old .xls file"),
        ):
            path.write_bytes(content)
            with pytest.raises(DataError, match=message):
                table(path).columns()

    def test_a_zip_of_something_else(self, tmp_path):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("a.txt", "a")
        (tmp_path / "x.xlsx").write_bytes(content.getvalue())
        with pytest.raises(DataError, match="is not a complete Excel file"):
            table(tmp_path / "x.xlsx").columns()

    @pytest.mark.parametrize("part", [SHEET, "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml"])
    def test_a_part_that_is_cut_or_damaged(self, save, part):
        for change in (lambda xml: xml[: len(xml) // 2], lambda xml: b"\0" + xml, lambda xml: b""):
            path = with_texts(save(Data=[["a"], ["x"]]), TEXTS.format("<si><t>x</t></si>").encode())
            changed(path, part, change)
            with pytest.raises(DataError, match="is damaged|not a complete Excel file"):
                table(path).columns()

    @pytest.mark.parametrize("part", [SHEET, "xl/styles.xml", "[Content_Types].xml"])
    @pytest.mark.parametrize("declared", ['<!ENTITY x "1">', '<!ATTLIST c x CDATA "1">'])
    @pytest.mark.parametrize("comment", [1, 100_000, 3_000_000])
    def test_document_types_are_refused(self, save, part, declared, comment):
        start = f"<?xml version='1.0'?><!-- {'x' * comment} --><!DOCTYPE a [{declared}]>".encode()
        path = changed(save(Data=[["a"], [1]]), part, lambda xml: start + re.sub(rb"^<\?xml.*?\?>", b"", xml))
        with pytest.raises(DataError, match="begins with a document type, or with a MiB of comments"):
            table(path).columns()

    @pytest.mark.parametrize("part", ["xl/styles.xml", SHEET])
    def test_what_unpacks_to_too_much_is_refused_before_it_is(self, save, monkeypatch, part):
        monkeypatch.setattr(excel_workbook, "SMALL_PART", 1 << 20)
        path = changed(save(Data=[["a"], ["x"]]), part, lambda xml: xml + b" " * (2 << 20))
        with pytest.raises(DataError, match=r".xml unpacks to 2 MiB, \d+ times its size"):
            table(path).columns()


def test_it_is_not_written(save):
    path = save(Data=[["a"], [1]])
    for write in (lambda: table(path).writer([]), lambda: table(path).set_columns([])):
        with pytest.raises(DataError, match=r"Excel files are read and not written. Choose a .csv or .parquet file"):
            write()
