"""`raw_formatted_data`: a dataset as Excel and JSON, cell by cell."""

import datetime as dt
import io
import json

import pandas as pd
import pytest
from openpyxl import load_workbook

MOMENT, DAY = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"


@pytest.fixture
def cells_of(dss):
    """Return the cells of the one column of a dataset in an Excel export, as (value, kind, number format)."""

    def export(kind, texts):
        dataset = dss({"t": ({"a": "string"}, [[text] for text in texts])}).dataiku.Dataset("t")
        dataset._reading().set_columns([{"name": "a", "type": kind}])
        sheet = load_workbook(io.BytesIO(dataset.raw_formatted_data(format="excel").read()))["Sheet1"]
        return [(cell.value, cell.data_type, cell.number_format) for cell in sheet["A"]][1:]

    return export


@pytest.mark.parametrize(
    ("kind", "text", "value", "number_format"),
    [
        ("date", "2020-12-31T00:00:00.000Z", dt.datetime(2020, 12, 31), MOMENT),
        ("date", "2020-12-31T23:30:15.101Z", dt.datetime(2020, 12, 31, 23, 30, 15, 101000), MOMENT),
        ("date", "2020-12-31T23:30:00.000+02:00", dt.datetime(2020, 12, 31, 21, 30), MOMENT),
        ("date", "1900-03-01T00:00:00.000Z", dt.datetime(1900, 3, 1), MOMENT),
        ("date", "9999-12-31T23:59:59.999Z", dt.datetime(9999, 12, 31, 23, 59, 59, 999000), MOMENT),
        ("datetimenotz", "2020-12-31T10:00:00.000", dt.datetime(2020, 12, 31, 10), MOMENT),
        ("dateonly", "2024-02-29", dt.datetime(2024, 2, 29), DAY),
    ],
)
def test_dates_are_dates_in_excel(cells_of, kind, text, value, number_format):
    assert cells_of(kind, [text]) == [(value, "d", number_format)]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "1900-02-28T00:00:00.000Z"),
        ("date", "1850-01-01T00:00:00.000Z"),
        ("date", "0001-01-01T00:00:00.000+10:00"),
        ("date", "10000-01-01T00:00:00.000Z"),
        ("date", "9999-12-31T23:59:59.999-01:00"),
        ("date", "31/12/2020"),
        ("datetimenotz", "1899-12-31T10:00:00.000"),
        ("dateonly", "1900-02-28"),
        ("bigint", "9007199254740993"),
        ("bigint", "-9007199254740993"),
        ("bigint", "1e3x"),
        ("double", "nan"),
        ("double", "-inf"),
        ("boolean", "yes"),
        ("string", "01"),
        ("string", "2020-12-31T00:00:00.000Z"),
    ],
)
def test_what_a_cell_cannot_hold_is_text(cells_of, kind, text):
    assert cells_of(kind, [text]) == [(text, "s", "General")]


def test_numbers_and_truth_values(cells_of):
    assert [cell[0] for cell in cells_of("bigint", ["9007199254740992", "-3", "", "7"])] == [2**53, -3, None, 7]
    assert [cell[0] for cell in cells_of("double", ["0.1", "1e308", "", "2"])] == [0.1, 1e308, None, 2]
    assert [cell[0] for cell in cells_of("boolean", ["true", "false", "", "true"])] == [True, False, None, True]


def test_pandas_reads_them_as_dates(dss):
    dataset = dss({"t": ({"d": "date"}, [["2020-12-31T10:00:00.000Z"], [None], ["2021-01-01T00:00:00.000Z"]])})
    frame = pd.read_excel(io.BytesIO(dataset.dataiku.Dataset("t").raw_formatted_data(format="excel").read()))
    assert frame["d"].dtype.kind == "M"
    assert frame["d"].iloc[0] == pd.Timestamp("2020-12-31 10:00")


def test_json_has_no_numbers_that_json_lacks(dss):
    dataset = dss({"t": ({"f": "double", "i": "bigint"}, [["nan", "9007199254740993"]])}).dataiku.Dataset("t")

    def refuse(text):
        raise AssertionError(text)

    rows = json.loads(dataset.raw_formatted_data(format="json").read(), parse_constant=refuse)
    assert rows[0]["i"] == 9007199254740993
