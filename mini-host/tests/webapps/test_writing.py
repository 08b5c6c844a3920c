"""Web apps write datasets as in DSS: at once, whole, wherever they lie, and not half when that fails."""

import errno
import os

import pandas as pd
import pytest

from minihost.errors import DataError

ROWS = pd.DataFrame({"path": ["/a/1.jpg", "/b/2.jpg"], "label": ["007", "NA"]})


@pytest.fixture(params=["disk", "sqlite", "memory"])
def dataset(request, dss, tmp_path):
    """A dataset that does not exist yet, in a folder that does not exist yet."""
    places = {
        "disk": str(tmp_path / "new" / "deep" / "rows.csv"),
        "sqlite": f"sqlite:///{tmp_path}/new/rows.db::rows",
        "memory": f"memory://{tmp_path.name}/rows.csv",
    }
    now = dss(others={"rows": None}, kind="webapp")
    now.job.work_dir = str(tmp_path / "job" / "work")
    (reference,) = [one for one in now.job.others if one.name == "rows"]
    reference.path = places[request.param]
    return now.dataiku.Dataset("rows")


def read(dataset):
    return dataset.get_dataframe(infer_with_pandas=False, keep_default_na=False).to_dict("list")


def test_rows_are_there_when_the_writer_is_closed_and_replace_those_before(dataset):
    assert dataset.read_schema(raise_if_empty=False) == []
    for frame in (ROWS, ROWS[:1], pd.concat([ROWS, ROWS]).assign(probability=0.5)):
        dataset.write_with_schema(frame)
        assert read(dataset) == frame.to_dict("list")
    dataset.write_schema([{"name": "path", "type": "string"}, {"name": "label", "type": "string"}])
    with dataset.get_writer() as writer:
        writer.write_row_dict({"label": "new", "path": "/c/3.jpg"})
    assert read(dataset) == {"path": ["/c/3.jpg"], "label": ["new"]}


def test_a_writer_that_fails_leaves_what_was_there(dataset):
    dataset.write_with_schema(ROWS)
    with pytest.raises(ZeroDivisionError), dataset.get_writer() as writer:
        writer.write_row_dict({"path": "/lost.jpg"})
        raise ZeroDivisionError
    assert read(dataset) == ROWS.to_dict("list")
    dataset.write_with_schema(ROWS[:1])
    assert read(dataset) == ROWS[:1].to_dict("list")


@pytest.mark.parametrize("dataset", ["disk"], indirect=True)
def test_a_full_disk_leaves_what_was_there(dataset, tmp_path, monkeypatch):
    dataset.write_with_schema(ROWS)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
        with pytest.raises(OSError, match="No space left"):
            dataset.write_with_schema(ROWS[:1])
    assert read(dataset) == ROWS.to_dict("list")
    assert [path.name for path in (tmp_path / "new" / "deep").iterdir() if "part" in path.name] == []


@pytest.mark.parametrize("dataset", ["sqlite"], indirect=True)
def test_a_table_that_cannot_be_written_is_told(dataset, tmp_path):
    (tmp_path / "new").write_text("a file")
    with pytest.raises(DataError, match="is a file, not a folder"):
        dataset.write_with_schema(ROWS)
