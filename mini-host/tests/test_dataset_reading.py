"""`dataiku.Dataset` as components read it: section 13.2 of the contract, sentence by sentence."""

import datetime as dt
import inspect
import io

import numpy as np
import pandas as pd
import pytest

from minihost.errors import DataError

PEOPLE = (
    {"id": "string", "n": "int", "x": "double", "ok": "boolean", "when": "date", "text": "string"},
    [
        ["01", 1, 0.5, True, "2020-12-31T00:00:00.101Z", "2021-01-01"],
        ["02", None, None, None, None, "NA"],
        ["03", 3, 2.0, False, "2021-06-01T12:00:00.000Z", ""],
    ],
)
WHOLE = (
    {"id": "string", "n": "int", "t": "tinyint", "ok": "boolean", "v": "array"},
    [["01", 1, 2, True, [1.5]], ["02", 2, 3, False, None]],
)


@pytest.fixture(params=["csv", "parquet"])
def people(request, dss):
    return dss({"people": (*PEOPLE, {"format": request.param})}).dataiku.Dataset("people")


@pytest.fixture(params=["csv", "parquet"])
def whole(request, dss):
    return dss({"whole": (*WHOLE, {"format": request.param})}).dataiku.Dataset("whole")


def test_the_signature_is_part_of_the_contract(people):
    assert str(inspect.signature(type(people).get_dataframe)).replace(" ", "") == (
        "(self,columns=None,sampling='head',sampling_column=None,limit=None,ratio=None,ascending=True,"
        "infer_with_pandas=True,parse_dates=True,bool_as_str=False,int_as_float=False,use_nullable_integers=False,"
        "categoricals=None,float_precision=None,na_values=None,keep_default_na=True,print_deep_memory_usage=True,"
        "skip_additional_data_checks=False,date_parser=None,override_dtypes=None,pandas_read_kwargs=None)"
    )


class TestInferred:
    def test_storage_types_are_ignored_but_for_dates(self, people):
        frame = people.get_dataframe()
        assert frame["id"].tolist() == [1, 2, 3]
        assert frame["n"].dtype == "float64"
        assert frame["ok"].dtype == object
        assert frame["text"].dtype == object
        assert frame["text"].isna().tolist() == [False, True, True]
        assert frame["text"][0] == "2021-01-01"

    def test_dates_are_utc_timestamps(self, people):
        frame = people.get_dataframe()
        assert str(frame["when"].dtype) == "datetime64[ns, UTC]"
        assert frame["when"][0] == pd.Timestamp("2020-12-31T00:00:00.101", tz="UTC")
        assert pd.isna(frame["when"][1])

    def test_a_column_that_is_no_date_stays_text(self, dss):
        now = dss({"t": ({"d": "string", "n": "string"}, [["2020-01-02T00:00:00.000Z", "x"], ["soon", "y"]])})
        now.table("t").set_columns([{"name": "d", "type": "date"}, {"name": "n", "type": "string"}])
        assert now.dataiku.Dataset("t").get_dataframe()["d"].tolist() == ["2020-01-02T00:00:00.000Z", "soon"]

    def test_the_other_two_date_types_have_no_zone(self, dss):
        now = dss({"t": ({"n": "datetimenotz", "d": "dateonly"}, [["2020-01-02T03:04:05.000", "2020-01-02"]])})
        frame = now.dataiku.Dataset("t").get_dataframe()
        assert [str(kind) for kind in frame.dtypes] == ["datetime64[ns]", "datetime64[ns]"]

    def test_dates_stay_text_when_asked(self, people):
        assert people.get_dataframe(parse_dates=False)["when"][0] == "2020-12-31T00:00:00.101Z"

    def test_booleans_are_inferred_from_true_and_false(self, whole):
        assert whole.get_dataframe()["ok"].dtype == bool
        assert whole.get_dataframe(bool_as_str=True)["ok"].tolist() == ["true", "false"]

    def test_na_values_and_defaults_can_be_set(self, people):
        frame = people.get_dataframe(keep_default_na=False, na_values=["03"])
        assert frame["text"].tolist() == ["2021-01-01", "NA", ""]
        assert frame["id"].isna().tolist() == [False, False, True]


class TestBySchema:
    def test_types_are_those_of_the_schema(self, whole):
        frame = whole.get_dataframe(infer_with_pandas=False)
        assert frame["id"].tolist() == ["01", "02"]
        assert frame["n"].dtype == "int64"
        assert frame["t"].dtype == "int64"
        assert frame["ok"].dtype == bool
        assert frame["v"][0] == "[1.5]"

    def test_a_missing_integer_fails(self, people):
        with pytest.raises(ValueError, match="NA"):
            people.get_dataframe(infer_with_pandas=False, columns=["n"])

    def test_unless_integers_are_nullable_or_floats(self, people, whole):
        assert people.get_dataframe(infer_with_pandas=False, columns=["n"], int_as_float=True)["n"].dtype == "float64"
        nullable = whole.get_dataframe(infer_with_pandas=False, use_nullable_integers=True)
        assert (str(nullable["n"].dtype), str(nullable["t"].dtype)) == ("Int32", "Int8")

    def test_dates_are_parsed_here_too(self, people):
        frame = people.get_dataframe(infer_with_pandas=False, columns=["when", "text"])
        assert str(frame["when"].dtype) == "datetime64[ns, UTC]"
        assert frame["text"][0] == "2021-01-01"

    def test_booleans_as_text(self, whole):
        assert whole.get_dataframe(infer_with_pandas=False, bool_as_str=True)["ok"].tolist() == ["true", "false"]


class TestWhichRowsAndColumns:
    def test_columns_are_chosen_and_ordered(self, people):
        assert list(people.get_dataframe(columns=["x", "id"]).columns) == ["x", "id"]

    def test_a_wrong_column_is_named(self, people):
        with pytest.raises(DataError, match="no column 'y'"):
            people.get_dataframe(columns=["y"])

    @pytest.mark.parametrize("limit", [0, 2, 50])
    def test_limit(self, people, limit):
        frame = people.get_dataframe(limit=limit)
        assert len(frame) == min(limit, 3)
        assert list(frame.columns) == list(PEOPLE[0])

    def test_no_rows_have_no_numbers(self, people):
        frame = people.get_dataframe(limit=0)
        assert str(frame.pop("when").dtype) == "datetime64[ns, UTC]"
        assert set(frame.dtypes) == {np.dtype(object)}
        whole = people.get_dataframe(limit=0, infer_with_pandas=False, use_nullable_integers=True, columns=["x", "n"])
        assert list(map(str, whole.dtypes)) == ["float64", "Int32"]

    def test_sampling(self, people):
        assert len(people.get_dataframe(sampling="random", limit=2)) == 2
        assert len(people.get_dataframe(sampling="random", ratio=1.0)) == 3
        ordered = people.get_dataframe(sampling="sort-column", sampling_column="id", ascending=False, limit=1)
        assert ordered["id"].tolist() == [3]
        by_value = people.get_dataframe(sampling="random-column", sampling_column="id", ratio=0.34)
        assert len(by_value) == 1
        with pytest.raises(DataError, match="head, random"):
            people.get_dataframe(sampling="tail")

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize(
        "options",
        [{}, {"columns": ["n", "id"]}, {"sampling": "random", "ratio": 0.9}, {"sampling": "sort-column", "sampling_column": "id"},
         {"sampling": "random-column", "sampling_column": "id", "ratio": 0.7, "columns": ["n", "id"]}],
    )  # fmt: skip
    def test_a_frame_may_be_changed(self, people, options):
        """pandas 2 warns where a frame is a slice of another one."""
        for frame in (people.get_dataframe(**options), *people.iter_dataframes(chunksize=1, **options)):
            frame["id"] = 0
            frame.loc[:, "more"] = 1
            assert set(frame["id"]) <= {0}

    def test_types_may_be_overridden(self, people):
        assert people.get_dataframe(override_dtypes={"id": "str"})["id"].tolist() == ["01", "02", "03"]
        assert str(people.get_dataframe(categoricals=["id"])["id"].dtype) == "category"
        assert len(people.get_dataframe(pandas_read_kwargs={"nrows": 1})) == 1

    def test_chunks_follow_the_same_rules(self, people):
        chunks = list(people.iter_dataframes(chunksize=2))
        assert [len(chunk) for chunk in chunks] == [2, 1]
        assert str(chunks[1]["when"].dtype) == "datetime64[ns, UTC]"
        assert [chunk["n"].dtype for chunk in chunks] == ["float64", "int64"]
        assert inspect.isgenerator(people.iter_dataframes())
        assert [len(chunk) for chunk in people.iter_dataframes(chunksize=2, limit=1)] == [1]
        assert sum(len(chunk) for chunk in people.iter_dataframes(chunksize=2, sampling="random", ratio=1.0)) == 3
        assert [len(c) for c in people.iter_dataframes(chunksize=2, sampling="sort-column", sampling_column="id")] == [
            2,
            1,
        ]

    def test_forced_types(self, people):
        names, dtypes, dates = people.get_dataframe_schema_st(people.read_schema(), columns=["id", "when"])
        assert (names, dates) == (["id", "when"], ["when"])
        chunk = next(people.iter_dataframes_forced_types(names, dtypes, dates))
        assert chunk["id"].tolist() == ["01", "02", "03"]


class TestRows:
    def test_rows_are_dicts_cast_by_schema(self, people):
        row = next(iter(people.iter_rows(log_every=10)))
        assert dict(row) == {
            "id": "01", "n": 1, "x": 0.5, "ok": True, "text": "2021-01-01",
            "when": dt.datetime(2020, 12, 31, 0, 0, 0, 101000, dt.UTC),
        }  # fmt: skip
        assert (row["id"], row.get("zzz", 7), list(row.keys())) == ("01", 7, list(PEOPLE[0]))

    def test_empty_cells_are_none_and_text_stays_as_written(self, people):
        _first, second, third = people.iter_rows()
        assert second["text"] == "NA"
        assert (second["n"], second["ok"], third["text"]) == (None, None, None)

    def test_tuples(self, people):
        assert [row[0] for row in people.iter_tuples()] == ["01", "02", "03"]
        assert list(people.iter_tuples(columns=["n", "id"], limit=2)) == [(1, "01"), (None, "02")]
        assert len(list(people.iter_tuples(sampling="random", limit=2))) == 2
        assert len(list(people.iter_rows(sampling="random", ratio=1.0))) == 3

    def test_a_cell_that_does_not_fit_is_named(self, dss):
        dss_now = dss({"t": ({"n": "string"}, [["1"], ["x"]])})
        dss_now.table("t").set_columns([{"name": "n", "type": "int"}])
        with pytest.raises(DataError, match=r"row 2: .*'x'"):
            list(dss_now.dataiku.Dataset("t").iter_rows())


class TestSchemas:
    def test_a_schema_is_a_list_of_dicts_that_may_be_changed(self, people):
        schema = people.read_schema()
        assert isinstance(schema, list)
        assert schema[0] == {"name": "id", "type": "string"}
        schema[0]["comment"] = "changed"
        assert people.read_schema()[0] == {"name": "id", "type": "string"}

    def test_an_empty_schema_raises_unless_told_not_to(self, dss):
        dataset = dss(outputs={"o": None}).dataiku.Dataset("o")
        with pytest.raises(DataError, match="has no schema yet"):
            dataset.read_schema()
        assert dataset.read_schema(raise_if_empty=False) == []

    def test_data_that_is_not_there_says_so(self, dss):
        with pytest.raises(DataError, match="has no data yet"):
            dss({"o": None}).dataiku.Dataset("o").get_dataframe()


class TestRawData:
    def test_a_real_excel_sheet(self, people):
        from openpyxl import load_workbook

        with people.raw_formatted_data(format="excel", format_params={"applyColoring": False}) as stream:
            head = stream.read(2)
            content = head + stream.read()
        book = load_workbook(io.BytesIO(content))
        assert book.sheetnames == ["Sheet1"]
        rows = [list(row) for row in book["Sheet1"].values]
        assert rows[0] == list(PEOPLE[0])
        assert rows[1][:4] == ["01", 1, 0.5, True]
        assert rows[2][1] is None

    def test_formulas_are_text_in_excel(self, dss):
        from openpyxl import load_workbook

        dataset = dss({"t": ({"a": "string"}, [["=1+1"], ["bad\x07char"]])}).dataiku.Dataset("t")
        sheet = load_workbook(dataset.raw_formatted_data(format="excel"))["Sheet1"]
        assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1", "s")
        assert sheet["A3"].value == "badchar"

    def test_tabs_and_json(self, people):
        text = people.raw_formatted_data(format="tsv-excel-header", columns=["id", "text"]).read().decode()
        assert text.splitlines() == ["id\ttext", "01\t2021-01-01", "02\tNA", "03\t"]
        assert people.raw_formatted_data(columns=["id"]).read().decode().split() == ["01", "02", "03"]
        assert (
            people.raw_formatted_data(format="json", columns=["id", "n"])
            .read()
            .decode()
            .startswith('[{"id": "01", "n": 1}')
        )
        with pytest.raises(DataError, match="excel, json"):
            people.raw_formatted_data(format="word")


@pytest.mark.parametrize("kind", [tuple, pd.Index, np.array])
def test_columns_are_any_sequence(people, kind):
    assert people.get_dataframe(columns=kind(["text", "id"])).columns.tolist() == ["text", "id"]
    assert list(next(people.iter_rows(columns=kind(["text", "id"])))) == ["text", "id"]


def test_the_column_that_decides_about_the_rows_need_not_be_read(people):
    whole = people.get_dataframe(columns=["id", "text"])
    last = people.get_dataframe(
        columns=["text"], sampling="sort-column", sampling_column="id", ascending=False, limit=1
    )
    assert last.columns.tolist() == ["text"]
    assert last["text"].tolist() == whole.sort_values("id")["text"].tolist()[-1:]
    some = people.get_dataframe(columns=["text"], sampling="random-column", sampling_column="id", ratio=1)
    assert len(some) == len(whole)
    one = {"columns": ["text"], "sampling": "random-column", "sampling_column": "id", "limit": 1}
    assert len(people.get_dataframe(**one)) == len(list(people.iter_tuples(**one))) == 1
    assert len(list(people.iter_rows(sampling="random-column", sampling_column="id", ratio=1))) == len(whole)
    with pytest.raises(DataError, match="needs sampling_column, got 'nothing'"):
        list(people.iter_rows(sampling="random-column", sampling_column="nothing"))
    with pytest.raises(DataError, match="needs sampling_column, got 'nothing'"):
        people.get_dataframe(sampling="sort-column", sampling_column="nothing")


def test_names(people):
    assert (people.name, people.short_name, people.full_name, people.project_key) == (
        "people",
        "people",
        "PROJ.people",
        "PROJ",
    )


def test_the_full_name_is_kept_as_given(dss):
    dataset = dss({"people": PEOPLE}).dataiku.Dataset("PROJ.people")
    assert (dataset.name, dataset.short_name) == ("PROJ.people", "people")


def test_definition_and_probing(people):
    config = people.get_config()
    assert config["partitioning"] == {"dimensions": []}
    assert config["schema"]["columns"][0]["name"] == "id"
    assert {"type", "params"} <= set(config)
    assert not hasattr(people.__class__, "to_html")
    assert people.get_location_info()["info"]["path"].endswith(("csv", "parquet"))
    assert people.get_files_info()["globalPaths"][0]["size"] > 0
    assert people.read_metadata()["tags"] == []
    assert people.list_partitions() == ["NP"]
    assert not people.read_partitions
    assert people.writePartition == ""


def test_inferred_text_columns_are_object_for_numpy_too(people):
    assert isinstance(people.get_dataframe()["text"].to_numpy(), np.ndarray)
    assert people.get_dataframe().select_dtypes("object").columns.tolist() == ["ok", "text"]
