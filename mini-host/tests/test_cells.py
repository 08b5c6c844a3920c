import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minihost.datasets import cells

names = st.text(st.sampled_from('a/\\udcf8e9\udc80\udcff\n,"é') | st.characters(codec="utf-8"), max_size=20)


@given(names)
@example("a\udcff")
@example("\\udcff")
@example("\\\udcff\\\\udc80")
def test_every_file_name_survives_escaping(name):
    written = cells.escape(name)
    written.encode("utf-8")
    assert cells.unescape(written) == name


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_ordinary_text_is_not_touched(text):
    if "\\udc" not in text:
        assert cells.escape(text) == text


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "string", ""),
        (float("nan"), "double", ""),
        (np.float32("nan"), "float", ""),
        (pd.NA, "bigint", ""),
        (pd.NaT, "date", ""),
        (True, "boolean", "true"),
        (np.bool_(False), "boolean", "false"),
        (True, "string", "true"),
        (3, "bigint", "3"),
        (np.int64(3), "bigint", "3"),
        (3.0, "bigint", "3"),
        (3.0, "double", "3.0"),
        (np.float32(0.1), "float", "0.1"),
        (np.float64(0.1), "double", "0.1"),
        ("007", "string", "007"),
        ("NA", "string", "NA"),
        ([1.5, 2], "array", "[1.5, 2]"),
        (np.array([1, 2]), "array", "[1, 2]"),
        ({"é": np.float64(1)}, "object", '{"é": 1.0}'),
        (dt.datetime(2020, 12, 31, 0, 0, 0, 101999), "date", "2020-12-31T00:00:00.101Z"),
        (dt.datetime(2020, 12, 31, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))), "date", "2020-12-31T00:00:00.000Z"),
        (pd.Timestamp("2020-12-31", tz="UTC"), "string", "2020-12-31T00:00:00.000Z"),
        (dt.datetime(2020, 12, 31, 7), "datetimenotz", "2020-12-31T07:00:00.000"),
        (dt.datetime(2020, 12, 31, 7), "dateonly", "2020-12-31"),
        (dt.date(2020, 12, 31), "dateonly", "2020-12-31"),
        (dt.date(2020, 12, 31), "string", "2020-12-31"),
        (dt.date(2020, 12, 31), "datetimenotz", "2020-12-31T00:00:00.000"),
        (dt.date(2020, 12, 31), "date", "2020-12-31T00:00:00.000Z"),
        (b"\xff", "string", "\udcff"),
    ],
)
def test_values_become_text(value, kind, text):
    assert cells.to_text(value, kind) == text


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("", "string", None),
        ("", "bigint", None),
        ("12", "int", 12),
        ("12.0", "int", 12),
        ("9007199254740993", "bigint", 9007199254740993),
        ("1e3", "double", 1000.0),
        ("true", "boolean", True),
        ("False", "boolean", False),
        ("[1, 2]", "array", "[1, 2]"),
        ("007", "string", "007"),
        ("2020-12-31T02:00:00.101+02:00", "date", dt.datetime(2020, 12, 31, 0, 0, 0, 101000, dt.UTC)),
        ("2020-12-31", "date", dt.datetime(2020, 12, 31, tzinfo=dt.UTC)),
        ("2020-12-31", "dateonly", dt.date(2020, 12, 31)),
        ("2020-12-31T07:00:00.000", "datetimenotz", dt.datetime(2020, 12, 31, 7)),
    ],
)
def test_text_becomes_values_by_type(text, kind, value):
    assert cells.from_text(text, kind) == value


@pytest.mark.parametrize(
    ("text", "kind"), [("x", "int"), ("1.5", "int"), ("yes", "boolean"), ("x", "double"), ("x", "date")]
)
def test_text_that_does_not_fit_is_refused(text, kind):
    with pytest.raises(ValueError, match=r".+"):
        cells.from_text(text, kind)


def test_sets_and_dates_inside_json():
    assert json.loads(cells.json_text({"a": {2, 1}, "b": dt.date(2020, 1, 2)})) == {
        "a": [1, 2],
        "b": "2020-01-02T00:00:00.000Z",
    }
