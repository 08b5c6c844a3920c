"""`dataiku.Dataset` as components write it: section 13.3 of the contract."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from minihost.errors import DataError


@pytest.fixture(params=["csv", "parquet"])
def out(request, dss):
    now = dss(outputs={"out": (None, None, {"format": request.param})})
    return now, now.dataiku.Dataset("out")


FRAME = pd.DataFrame(
    {
        "b": np.array([1, 2], "int64"),
        "i": np.array([1, 2], "int32"),
        "s": np.array([1, 2], "int16"),
        "t": np.array([1, 2], "int8"),
        "d": [0.5, None],
        "f": np.array([0.1, 2], "float32"),
        "y": [True, False],
        "w": pd.to_datetime(["2020-12-31T00:00:00.101Z", None]),
        "n": pd.array([1, None], dtype="Int64"),
        "m": pd.array([True, None], dtype="boolean"),
        "c": pd.Categorical(["p", "q"]),
        "o": [{"a": 1}, [1, "é"]],
        7: ["007", None],
    }
)
TYPES = {
    "b": "bigint", "i": "int", "s": "smallint", "t": "tinyint", "d": "double", "f": "float", "y": "boolean", "w": "date",
    "n": "bigint", "m": "boolean", "c": "string", "o": "string", "7": "string",
}  # fmt: skip


def test_frames_become_schema_and_data(out):
    now, dataset = out
    dataset.write_with_schema(FRAME)
    assert {column["name"]: column["type"] for column in dataset.read_schema()} == TYPES
    assert now.rows("out") == [
        ["1", "1", "1", "1", "0.5", "0.1", "true", "2020-12-31T00:00:00.101Z", "1", "true", "p", '{"a": 1}', "007"],
        ["2", "2", "2", "2", "", "2.0", "false", "", "", "", "q", '[1, "é"]', ""],
    ]


def test_dates_of_every_zone_are_written_in_utc(out):
    now, dataset = out
    moments = [pd.Timestamp("2020-06-01 12:00", tz="Europe/Paris"), pd.NaT]
    dataset.write_with_schema(pd.DataFrame({"aware": moments, "naive": [pd.Timestamp("2020-06-01 12:00"), pd.NaT]}))
    assert now.rows("out") == [["2020-06-01T10:00:00.000Z", "2020-06-01T12:00:00.000Z"], ["", ""]]


def test_columns_of_arrow_and_odd_types(out):
    pytest.importorskip("pyarrow")
    now, dataset = out
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None], dtype="int64[pyarrow]"),
            "t": pd.array([pd.Timestamp("2020-01-02", tz="UTC"), None], dtype="timestamp[us, tz=UTC][pyarrow]"),
            "f": pd.array([0.5, None], dtype="Float64"),
            "d": [dt.date(2020, 1, 2), None],
            "p": pd.period_range("2020-01", periods=2, freq="M"),
            "delta": pd.to_timedelta(["1 day", None]),
        }
    )
    dataset.write_with_schema(frame)
    assert [column["type"] for column in dataset.read_schema()] == [
        "bigint",
        "date",
        "double",
        "string",
        "string",
        "string",
    ]
    assert now.rows("out")[0][:5] == ["1", "2020-01-02T00:00:00.000Z", "0.5", "2020-01-02", "2020-01"]
    assert now.rows("out")[1] == ["", "", "", "", "2020-02", ""]


def test_a_second_write_overwrites(out):
    now, dataset = out
    dataset.write_with_schema(pd.DataFrame({"a": [1, 2]}))
    dataset.write_with_schema(pd.DataFrame({"b": ["x"]}))
    assert now.rows("out") == [["x"]]
    assert [column["name"] for column in dataset.read_schema()] == ["b"]


def test_a_dataset_is_written_several_times_in_one_run(out):
    now, dataset = out
    for width in (3, 1, 2):
        dataset.write_with_schema(pd.DataFrame([range(width)], columns=list("abc")[:width]))
        assert now.rows("out") == [[str(cell) for cell in range(width)]]
        dataset.write_schema([{"name": name, "type": "string"} for name in "wxyz"])
        assert [column["name"] for column in dataset.read_schema()] == list("wxyz")
        with dataset.get_writer() as writer:
            writer.write_row_array("1234")
        assert now.rows("out") == [list("1234")]


@pytest.mark.parametrize("kind", ["macro", "webapp"])
def test_rows_that_cannot_have_the_next_schema(dss, kind):
    dataset = dss(kind=kind, others={"out": (None, None, {"format": "parquet"})}).dataiku.Dataset("out")
    for frame in ({"a": ["x"]}, {"a": [1]}, {"a": ["y"], "b": [2]}):
        dataset.write_with_schema(pd.DataFrame(frame))
        assert dataset.get_dataframe().to_dict("list") == frame
    columns = [{"name": "a", "type": "bigint"}]
    if kind == "webapp":  # what is there is not staged: it is not given up
        with pytest.raises(DataError, match="column 'a' is bigint and cannot hold what was written"):
            dataset.write_schema(columns)
        assert dataset.get_dataframe()["a"].tolist() == ["y"]
        return
    dataset.write_schema(columns)
    with pytest.raises(DataError, match="has no data yet"):
        dataset.get_dataframe()
    with dataset.get_writer() as writer:
        writer.write_row_array([4])
    assert dataset.get_dataframe()["a"].tolist() == [4]


def test_append_mode(out):
    now, dataset = out
    dataset.write_with_schema(pd.DataFrame({"a": [1, 2]}))
    dataset.spec_item["appendMode"] = True
    dataset.write_dataframe(pd.DataFrame({"a": [3]}))
    assert now.rows("out") == [["1"], ["2"], ["3"]]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_appending_adds_to_what_was_there_and_to_what_this_run_wrote(dss, kind):
    now = dss(kind="macro", others={"out": ({"a": "bigint"}, [[1]], {"format": kind})})
    dataset = now.dataiku.Dataset("out")
    dataset.spec_item["appendMode"] = True
    for value in (2, 3):
        with dataset.get_writer() as writer:
            writer.write_row_dict({"a": value})
    assert dataset.get_dataframe()["a"].tolist() == [1, 2, 3]


def test_a_frame_of_nothing_is_an_empty_dataset(out):
    """What `pd.DataFrame([])` makes of an empty list of problems."""
    now, dataset = out
    dataset.write_with_schema(pd.DataFrame([]))
    assert dataset.read_schema(raise_if_empty=False) == []
    assert dataset.get_dataframe().shape == (0, 0)
    dataset.write_schema([{"name": "x", "type": "bigint"}])
    dataset.write_dataframe(pd.DataFrame([]))
    assert now.rows("out") == []


def test_columns_in_another_order_are_named_once(out, caplog):
    now, dataset = out
    dataset.write_schema([{"name": name, "type": "double"} for name in ("id", "yes", "no")])
    with dataset.get_writer() as writer:
        for _ in range(2):
            writer.write_dataframe(pd.DataFrame({"id": [1], "no": [0.25], "yes": [0.75]}))
        writer.write_dataframe(pd.DataFrame([[2, 0.5, 0.5]]))
    assert dataset.get_dataframe()["yes"].tolist() == [0.25, 0.25, 0.5]
    (message,) = caplog.messages
    assert "by position, as in DSS: column 'no' of the frame becomes 'yes'" in message


def test_write_dataframe_keeps_the_schema_and_writes_by_position(out):
    now, dataset = out
    dataset.write_schema([{"name": "x", "type": "bigint"}, {"name": "y", "type": "string"}])
    dataset.write_dataframe(pd.DataFrame({"other": [1.0, None], "names": ["a", "b"]}))
    assert [column["name"] for column in dataset.read_schema()] == ["x", "y"]
    assert now.rows("out") == [["1", "a"], ["", "b"]]
    with pytest.raises(DataError, match=r"has 2 columns \(x, y\), the frame has 1"):
        dataset.write_dataframe(pd.DataFrame({"one": [1]}))


@pytest.mark.parametrize("spelling", ["drop_and_create", "dropAndCreate"])
def test_both_spellings(out, spelling):
    _now, dataset = out
    frame = pd.DataFrame({"a": [1]})
    dataset.write_schema_from_dataframe(frame, **{spelling: True})
    dataset.write_schema([{"name": "a", "type": "string"}], **{spelling: True})
    dataset.write_with_schema(frame, **{spelling: True})
    dataset.write_schema_from_dataframe(frame, True)
    assert dataset.read_schema() == [{"name": "a", "type": "bigint"}]


def test_infer_schema(out):
    now, dataset = out
    dataset.write_dataframe(pd.DataFrame({"a": [1]}), infer_schema=True)
    dataset.write_from_dataframe(pd.DataFrame({"b": [2]}), True)
    assert (now.rows("out"), dataset.read_schema()) == ([["2"]], [{"name": "b", "type": "bigint"}])


def test_something_that_is_no_frame_is_refused(out):
    with pytest.raises(
        DataError,
        match=r"pandas DataFrame is expected, got list: \[\{'a': 1\}\]. \(mini-host/tests/test_dataset_writing.py, line",
    ):
        out[1].write_with_schema([{"a": 1}])


class TestWriter:
    def test_the_schema_is_looked_up_at_the_first_write(self, out):
        now, dataset = out
        with dataset.get_writer() as writer:
            for chunk in (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})):
                if not dataset.read_schema(raise_if_empty=False):
                    dataset.write_schema_from_dataframe(chunk)
                writer.write_dataframe(chunk)
        assert now.rows("out") == [["1"], ["2"]]

    def test_comments_set_after_all_chunks(self, out):
        now, dataset = out
        with dataset.get_writer() as writer:
            dataset.write_schema([{"name": "a", "type": "string"}])
            writer.write_row_dict({"a": "007"})
        schema = dataset.read_schema()
        schema[0]["comment"] = "said later"
        dataset.write_schema(schema)
        assert dataset.read_schema()[0]["comment"] == "said later"
        assert now.rows("out") == [["007"]]

    def test_rows_of_all_shapes(self, out):
        now, dataset = out
        dataset.write_schema(
            [{"name": name, "type": kind} for name, kind in {"a": "string", "b": "date", "c": "map"}.items()]
        )
        with dataset.get_writer() as writer:
            writer.write_row_dict({"c": {"k": 1}, "zzz": 1})
            writer.write_row_array(["x", dt.datetime(2020, 1, 2), None])
            writer.write_tuple(("y", None, '{"k": 2}'))
            with pytest.raises(DataError, match="has 3 columns, the row has 1 value\\."):
                writer.write_tuple(("y",))
        assert now.rows("out") == [
            ["", "", '{"k": 1}'],
            ["x", "2020-01-02T00:00:00.000Z", ""],
            ["y", "", '{"k": 2}'],
        ]

    def test_nothing_written_is_an_empty_output(self, out):
        now, dataset = out
        dataset.write_schema([{"name": "a", "type": "string"}])
        with dataset.get_writer():
            pass
        assert now.rows("out") == []
        assert dataset.get_dataframe().empty
        assert dataset.read_schema() == [{"name": "a", "type": "string"}]

    def test_nothing_written_without_any_schema(self, out):
        now, dataset = out
        with dataset.get_writer():
            pass
        assert now.table("out").exists()
        assert now.rows("out") == []

    def test_rows_without_any_schema_say_what_to_do(self, out):
        with pytest.raises(DataError, match="Call write_schema"), out[1].get_writer() as writer:
            writer.write_row_dict({"a": 1})

    def test_unclosed_writers_lose_their_data(self, out):
        now, dataset = out
        dataset.write_schema([{"name": "a", "type": "string"}])
        writer = dataset.get_writer()
        writer.write_row_dict({"a": "1"})
        assert not now.table("out").exists()
        writer.close()
        writer.close()
        assert now.rows("out") == [["1"]]
        with pytest.raises(DataError, match="closed already"):
            writer.write_row_dict({"a": "2"})

    def test_a_failed_block_keeps_what_was_there(self, out):
        now, dataset = out
        dataset.write_with_schema(pd.DataFrame({"a": [1]}))
        with pytest.raises(RuntimeError), dataset.get_writer() as writer:
            writer.write_row_dict({"a": 2})
            raise RuntimeError
        assert now.rows("out") == [["1"]]


class TestFlow:
    def test_strangers_are_refused_unless_the_flow_is_ignored(self, dss):
        now = dss({"mine": ({"a": "string"}, [["1"]])}, others={"other": ({"a": "string"}, [["2"]])})
        with pytest.raises(DataError, match=r"'PROJ.other' is neither an input nor an output"):
            now.dataiku.Dataset("other")
        assert list(now.dataiku.Dataset("other", ignore_flow=True).iter_tuples()) == [("2",)]
        with pytest.raises(DataError, match=r"There is no dataset 'nothing' in this job. Known: PROJ.mine, PROJ.other"):
            now.dataiku.Dataset("nothing")

    def test_outside_of_recipes_everything_is_open(self, dss):
        now = dss(others={"other": ({"a": "string"}, [["2"]])}, kind="choices")
        assert list(now.dataiku.Dataset("other", project_key="PROJ").iter_tuples()) == [("2",)]
        assert now.dataiku.Dataset.list() == ["other"]

    def test_inputs_are_not_written_to(self, dss):
        now = dss({"mine": ({"a": "string"}, [["1"]])})
        with pytest.raises(DataError, match="is an input of this recipe; it cannot be written"):
            now.dataiku.Dataset("mine").write_with_schema(pd.DataFrame({"a": [1]}))

    def test_names_of_datasets_and_folders_do_not_mix(self, dss):
        now = dss({"x": ({"a": "string"}, [["1"]]), "x/": {"f": b"1"}})
        assert now.dataiku.Folder("x").list_paths_in_partition() == ["/f"]
        assert list(now.dataiku.Dataset("x").iter_tuples()) == [("1",)]


class TestPartitions:
    DIMENSIONS = {"partitioning": {"dimensions": [{"name": "day", "type": "time"}, {"name": "shop", "type": "value"}]}}

    def now(self, dss):
        now = dss({"i": None}, {"o": None})
        for reference in (*now.job.inputs, *now.job.outputs):
            reference.options = dict(self.DIMENSIONS)
            reference.path = reference.path.removesuffix(".csv")
            reference.partitions = ["2024-05-01|paris"]
        return now

    def test_what_recipes_are_told(self, dss):
        now = self.now(dss)
        dataset = now.dataiku.Dataset("o")
        assert dataset.writePartition == "2024-05-01|paris"
        assert now.dataiku.Dataset("i").read_partitions == ["2024-05-01|paris"]
        variables = now.dataiku.get_flow_variables()
        assert variables == now.dataiku.dku_flow_variables
        assert variables["DKU_DST_day"] == "2024-05-01"
        assert variables["DKU_DST_shop"] == "paris"
        assert (variables["DKU_DST_YEAR"], variables["DKU_DST_MONTH"], variables["DKU_DST_DAY"]) == ("2024", "05", "01")
        assert variables["DKU_DST_DATE"] == "2024-05-01"
        assert variables["DKU_SRC_i_shop"] == "paris"
        assert dataset.get_config()["partitioning"] == self.DIMENSIONS["partitioning"]

    def test_one_partition_is_written_others_stay(self, dss):
        now = self.now(dss)
        now.dataiku.Dataset("o").write_with_schema(pd.DataFrame({"a": [1]}))
        now.job.outputs[0].partitions = ["2024-05-02|rome"]
        now.dataiku.Dataset("o").write_with_schema(pd.DataFrame({"a": [2]}))
        assert now.rows("o") == [["1"], ["2"]]
        assert now.dataiku.Dataset("o").list_partitions() == ["2024-05-01|paris", "2024-05-02|rome"]

    def test_recipes_do_not_choose_partitions(self, dss):
        dataset = self.now(dss).dataiku.Dataset("o")
        with pytest.raises(DataError, match="the job chooses"):
            dataset.set_write_partition("x")
        with pytest.raises(DataError, match="the job chooses"):
            dataset.add_read_partitions("x")

    def test_without_partitions_there_are_no_variables(self, dss):
        assert dss({"i": None}).dataiku.get_flow_variables() == {}
