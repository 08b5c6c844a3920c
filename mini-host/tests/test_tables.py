"""CSV, Parquet and partitioned tables keep the same promises."""

import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minihost.datasets import frames, schema, table
from minihost.errors import DataError

STRING = [{"name": "a", "type": "string"}, {"name": "b", "type": "string"}]
NASTY = [
    "007",
    "NA",
    "null",
    "1.0",
    " x ",
    "line\nbreak",
    "car\rriage",
    'quo"te',
    "com,ma",
    "=1+1",
    "é☃",
    "a\\b",
    "\\udcff",
    "\udcff",
]


@pytest.fixture(params=["csv", "parquet"])
def place(request, tmp_path):
    return tmp_path / f"data.{request.param}"


def write(place, columns, rows, **options):
    with table(place, options).writer(columns) as writer:
        writer.write(rows)
    return table(place, options)


def test_text_cells_come_back_as_written(place):
    found = write(place, STRING, [[text, text] for text in NASTY])
    assert list(found.text_rows()) == [[text, text] for text in NASTY]
    assert found.columns() == STRING


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2), max_size=5))
def test_any_text_comes_back(place, rows):
    assert list(write(place, STRING, rows).text_rows()) == rows


def test_a_data_frame_sees_the_names_of_files_again(place):
    found = write(place, STRING, [["/a\udcff.jpg", "x"], ["/b.jpg", "y"]])
    assert found.escaped
    frame = frames.unescaped(frames.read(found.pandas_source(), found.columns(), {}))
    assert frame["a"].tolist() == ["/a\udcff.jpg", "/b.jpg"]


def test_rows_of_every_type(place):
    columns = [
        {"name": kind, "type": kind}
        for kind in ("bigint", "int", "double", "boolean", "date", "datetimenotz", "dateonly", "array", "map", "object")
    ]
    when = pd.Timestamp("2020-12-31T00:00:00.101Z")
    rows = [
        [2**60, 1, 0.5, True, when, when, when, [0.5, 2.0], {"a": "b"}, {"c": [1]}],
        [None, 3.0, None, None, None, None, None, None, None, None],
    ]
    found = write(place, columns, rows)
    assert [column["type"] for column in found.columns()] == [column["type"] for column in columns]
    first, second = found.text_rows()
    assert first == [
        str(2**60), "1", "0.5", "true", "2020-12-31T00:00:00.101Z", "2020-12-31T00:00:00.101", "2020-12-31",
        "[0.5, 2.0]", '{"a": "b"}', '{"c": [1]}',
    ]  # fmt: skip
    assert second == ["", "3", *[""] * 8]


def test_an_empty_dataset_keeps_its_schema(place):
    found = write(place, STRING, [])
    assert found.exists()
    assert found.columns() == STRING
    assert list(found.text_rows()) == []
    assert list(frames.read(found.pandas_source(), found.columns(), {}).columns) == ["a", "b"]


def test_nothing_appears_until_the_writer_is_closed(place):
    writer = table(place).writer(STRING)
    writer.write([["1", "2"]])
    assert not place.exists()
    writer.close()
    assert place.exists()


def test_a_failed_write_keeps_what_was_there(place):
    write(place, STRING, [["old", "old"]])
    with pytest.raises(RuntimeError), table(place).writer(STRING) as writer:
        writer.write([["new", "new"]])
        raise RuntimeError
    assert list(table(place).text_rows()) == [["old", "old"]]
    assert [path.name for path in place.parent.iterdir() if "part" in path.name] == []


def test_comments_set_afterwards_are_kept_and_data_stays(place):
    found = write(place, STRING, [["1", "2"]])
    found.set_columns([{**STRING[0], "comment": "first"}, STRING[1]])
    assert table(place).columns()[0]["comment"] == "first"
    assert list(table(place).text_rows()) == [["1", "2"]]


def test_names_set_afterwards_rename_by_position(place):
    found = write(place, STRING, [["1", "2"]])
    found.set_columns([{"name": "x", "type": "string"}, {"name": "y", "type": "bigint"}])
    assert [column["name"] for column in table(place).columns()] == ["x", "y"]
    assert [column["type"] for column in table(place).columns()] == ["string", "bigint"]
    assert list(table(place).text_rows()) == [["1", "2"]]


def test_a_schema_of_another_width_cuts_rows_or_adds_empty_cells(place):
    """As where a schema is laid over a file without a header; the next writer gets the columns that were declared."""
    found = write(place, STRING, [["1", "2"], ["3", "4"]])
    found.set_columns([{"name": name, "type": "string"} for name in "xyz"])
    assert list(table(place).text_rows()) == [["1", "2", ""], ["3", "4", ""]]
    found.set_columns([{"name": "x", "type": "string"}])
    assert [column["name"] for column in table(place).columns()] == ["x"]
    assert list(table(place).text_rows()) == [["1"], ["3"]]
    found.set_columns([])
    assert table(place).columns() == []


def test_unknown_types_and_doubled_names_are_refused(place):
    with pytest.raises(DataError, match="type 'integer'; known: string"):
        table(place).set_columns([{"name": "a", "type": "integer"}])
    with pytest.raises(DataError, match="two columns are called 'a'"):
        table(place).set_columns([{"name": "a"}, {"name": "a"}])


def test_frames_are_written_by_position(place):
    frame = pd.DataFrame({"i": [1, 2], "f": [0.5, None], "b": [True, False], "s": ["007", None]})
    columns = frames.columns_of(frame)
    with table(place).writer(columns) as writer:
        writer.write_frame(frame)
    assert list(table(place).text_rows()) == [["1", "0.5", "true", "007"], ["2", "", "false", ""]]


def test_appending(tmp_path, place):
    old = write(place, STRING, [["1", "2"]])
    target = tmp_path / "new" / place.name
    target.parent.mkdir()
    with table(target).writer(STRING, append_to=old) as writer:
        writer.write([["3", "4"]])
    assert list(table(target).text_rows()) == [["1", "2"], ["3", "4"]]


class TestCsv:
    def test_a_file_without_schema_is_all_text(self, tmp_path):
        path = tmp_path / "x.csv"
        path.write_text("\ufeffa,b,b\n1,2\n\n3,4,5\n", encoding="utf-8")
        assert [(c["name"], c["type"]) for c in table(path).columns()] == [
            ("a", "string"),
            ("b", "string"),
            ("b_1", "string"),
        ]
        assert list(table(path).text_rows()) == [["1", "2", ""], ["3", "4", "5"]]

    def test_other_separators_and_encodings(self, tmp_path):
        path = tmp_path / "x.csv"
        path.write_bytes("a;b\né;2\n".encode("latin-1"))
        found = table(path, {"separator": ";", "encoding": "latin-1"})
        assert list(found.text_rows()) == [["é", "2"]]
        assert frames.read(found.pandas_source(), found.columns(), {})["a"].tolist() == ["é"]

    def test_a_row_that_is_too_long_is_named(self, tmp_path):
        path = tmp_path / "x.csv"
        path.write_text("a,b\n1,2\n1,2,3\n", encoding="utf-8")
        with pytest.raises(DataError, match="line 3: this row has 3 cells, the header has 2: '1', '2', '3'"):
            list(table(path).text_rows())
        with pytest.raises(DataError, match="line 3: this row has 3 cells"):
            frames.read(table(path).pandas_source(), table(path).columns(), {})

    def test_a_first_row_that_is_too_long_is_not_cut(self, tmp_path):
        path = tmp_path / "x.csv"
        path.write_text("a,b\n1,2,3\n", encoding="utf-8")
        with pytest.raises(DataError, match="line 2: this row has 3 cells"):
            frames.read(table(path).pandas_source(), table(path).columns(), {})

    def test_bytes_that_are_not_utf8_say_so(self, tmp_path):
        path = tmp_path / "x.csv"
        path.write_bytes(b"a\n\xff\xfe\n")
        with pytest.raises(DataError, match="is not a CSV file in utf-8"):
            list(table(path, {"encoding": "utf-8"}).text_rows())

    def test_hand_edited_tables_keep_the_types_of_known_columns(self, tmp_path):
        path = tmp_path / "x.csv"
        write(path, [{"name": "a", "type": "bigint"}, {"name": "b", "type": "double"}], [[1, 2.0]])
        path.write_text("b,c\n1,2\n", encoding="utf-8")
        assert [(c["name"], c["type"]) for c in table(path).columns()] == [("b", "double"), ("c", "string")]

    def test_a_broken_schema_file_is_named(self, tmp_path):
        path = tmp_path / "x.csv"
        path.write_text("a\n1\n", encoding="utf-8")
        schema.schema_file(path).write_text("{", encoding="utf-8")
        with pytest.raises(DataError, match=r"x\.schema\.json is not a schema"):
            table(path).columns()

    def test_large_cells(self, tmp_path):
        text = "x" * 300_000
        assert list(write(tmp_path / "x.csv", STRING, [[text, ""]]).text_rows()) == [[text, ""]]

    def test_a_single_empty_column_keeps_its_rows(self, tmp_path):
        columns = [{"name": "a", "type": "string"}]
        found = write(tmp_path / "x.csv", columns, [[None], ["x"], [None]])
        assert list(found.text_rows()) == [[""], ["x"], [""]]
        assert len(frames.read(found.pandas_source(), columns, {})) == 3


class TestParquet:
    def test_arrays_are_lists_of_numbers_for_other_programs(self, tmp_path):
        import pyarrow.parquet as pq

        columns = [
            {"name": "d", "type": "array"},
            {"name": "f", "type": "array", "arrayContent": {"type": "float"}},
            {"name": "s", "type": "array"},
            {"name": "mixed", "type": "array"},
        ]
        rows = [[[1, 2.5], [0.5], ["a"], [1, {"b": 2}]], ["[3, 4]", None, None, None]]
        found = write(tmp_path / "x.parquet", columns, rows)
        types = [str(field.type) for field in pq.read_schema(tmp_path / "x.parquet")]
        assert types == ["list<element: double>", "list<element: float>", "list<element: string>", "string"]
        assert pq.read_table(tmp_path / "x.parquet")["d"].to_pylist() == [[1.0, 2.5], [3.0, 4.0]]
        assert [json.loads(cell) if cell else None for cell in next(found.text_rows())] == [
            [1.0, 2.5],
            [0.5],
            ["a"],
            [1, {"b": 2}],
        ]

    def test_rows_are_written_in_groups(self, tmp_path, monkeypatch):
        import pyarrow.parquet as pq

        from minihost.datasets import parquet_table

        monkeypatch.setattr(parquet_table, "GROUP_ROWS", 10)
        write(tmp_path / "x.parquet", STRING, [["a", "b"]] * 25)
        assert pq.ParquetFile(tmp_path / "x.parquet").metadata.num_row_groups == 3

    def test_files_of_others_get_types_from_arrow(self, tmp_path):
        import pyarrow as pa
        import pyarrow.parquet as pq

        source = pa.table(
            {
                "i": pa.array([1], pa.int16()),
                "t": pa.array([0], pa.timestamp("us", "UTC")),
                "v": pa.array([[1.0]], pa.list_(pa.float32())),
                "d": pa.array(["x"]).dictionary_encode(),
            }
        )
        pq.write_table(source, tmp_path / "x.parquet")
        found = table(tmp_path / "x.parquet")
        assert [column["type"] for column in found.columns()] == ["smallint", "date", "array", "string"]
        assert list(found.text_rows()) == [["1", "1970-01-01T00:00:00.000Z", "[1.0]", "x"]]

    @pytest.mark.parametrize("kind", ["list", "large_list", "fixed"])
    def test_vectors_are_read_as_the_json_of_their_numbers(self, tmp_path, kind):
        """Quickly where every number is there and finite, number by number where not: the values are the same."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        vectors = [[0.0, 1.5], None, [1e-7, 0.1], [float("nan"), 2.0], [None, 1.0], [-1e300, 7.0]]
        of = {"list": pa.list_, "large_list": pa.large_list, "fixed": lambda item: pa.list_(item, 2)}[kind]
        for chosen in ([0, 1, 2, 5], [0, 3], [4, 1], [1]):
            held = [vectors[place] for place in chosen]
            pq.write_table(pa.table({"v": pa.array(held, of(pa.float64()))}), tmp_path / "x.parquet")
            found = [json.loads(cell) if cell else None for (cell,) in table(tmp_path / "x.parquet").text_rows()]
            assert repr(found) == repr(held)

    def test_numbers_reach_a_component_as_they_are_and_what_was_declared_counts(self, tmp_path):
        import pyarrow as pa
        import pyarrow.parquet as pq

        from minihost.dataiku_api.reading import ReadOptions, tuples

        columns = {"d": [0.1, float("nan"), None], "i": [1, None, 3], "s": ["7", "", None], "b": [True, None, False]}
        single = pa.array([0.1, None, 3.0], pa.float32())
        pq.write_table(pa.table({**columns, "f": single}), tmp_path / "x.parquet")
        found = list(tuples(table(tmp_path / "x.parquet"), ReadOptions()))
        assert found == [(0.1, 1, "7", True, 0.1), (None, None, None, None, None), (None, 3, None, False, 3.0)]
        kinds = {"d": "string", "i": "double", "s": "int", "b": "string", "f": "float"}
        declared = [{"name": name, "type": kind} for name, kind in kinds.items()]
        schema.write(tmp_path / "x.parquet", declared)
        found = list(tuples(table(tmp_path / "x.parquet"), ReadOptions()))
        assert repr(found[0]) == "('0.1', 1.0, 7, 'true', 0.1)"

    def test_a_value_that_does_not_fit_is_named(self, tmp_path):
        with (
            pytest.raises(DataError, match="column 'a' is tinyint"),
            table(tmp_path / "x.parquet").writer([{"name": "a", "type": "tinyint"}]) as writer,
        ):
            writer.write([[1000]])
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_is_not_parquet_is_named(self, tmp_path):
        (tmp_path / "x.parquet").write_text("no")
        with pytest.raises(DataError, match="is not a Parquet file"):
            table(tmp_path / "x.parquet").columns()


class TestPartitions:
    OPTIONS = {"partitioning": {"dimensions": [{"name": "day", "type": "time"}, {"name": "kind"}]}}

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    def test_one_is_written_and_wanted_ones_are_read(self, tmp_path, kind):
        options = {**self.OPTIONS, "format": kind}
        for partition in ("2024-01-01|a/b", "2024-01-02|c"):
            with table(tmp_path / "x", options, [partition]).writer(STRING) as writer:
                writer.write([[partition, ""]])
        everything = table(tmp_path / "x", options)
        assert everything.partitions() == ["2024-01-01|a/b", "2024-01-02|c"]
        assert [row[0] for row in everything.text_rows()] == ["2024-01-01|a/b", "2024-01-02|c"]
        one = table(tmp_path / "x", options, ["2024-01-02|c"])
        assert [row[0] for row in one.text_rows()] == ["2024-01-02|c"]
        assert frames.read(one.pandas_source(), one.columns(), {})["a"].tolist() == ["2024-01-02|c"]
        assert not table(tmp_path / "x", options, ["other"]).exists()


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(
        DataError, match="'xls' is not a format of datasets. Known: csv, parquet, tsv, xlsx. Save it as .xlsx"
    ):
        table(tmp_path / "x.xls")
