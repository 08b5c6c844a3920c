"""Data frames to text and back: what a component gets from `get_dataframe`, and what becomes of the frame it writes."""

from __future__ import annotations

import contextlib
import io
import itertools
import warnings
from collections.abc import Iterator
from typing import Any

from minihost.datasets import cells
from minihost.datasets.schema import Columns
from minihost.datasets.text_stream import TextOf
from minihost.errors import DataError


def text_columns(frame: Any, types: list[str]) -> list[list[str]]:
    """Return the text of a frame's cells, column by column, for columns of these storage types."""
    return [_texts(frame.iloc[:, place], kind) for place, kind in enumerate(types)]


def _texts(series: Any, kind: str) -> list[str]:
    code = getattr(series.dtype, "kind", "O")
    if not isinstance(series.dtype, _numpy_dtype()) and type(series.dtype).__name__ != "DatetimeTZDtype":
        code = "O"
    if code == "b":
        return ["true" if value else "false" for value in series.tolist()]
    if code in "iu":
        return [str(value) for value in series.tolist()]
    if code == "f":
        if kind in cells.INTEGERS:
            return [cells.to_text(value, kind) for value in series.tolist()]
        values = series.tolist() if series.dtype.itemsize == 8 else series.astype(str).tolist()
        return ["" if value in ("nan", "<NA>") or value != value else str(value) for value in values]
    if code == "M":
        return _moments(series, kind)
    return [cells.to_text(value, kind) for value in series.tolist()]


def _numpy_dtype() -> type:
    import numpy as np

    return np.dtype


def _moments(series: Any, kind: str) -> list[str]:
    import numpy as np

    if series.dt.tz is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    moments = series.to_numpy().astype("datetime64[ms]")
    texts = np.datetime_as_string(moments, unit="D" if kind == "dateonly" else "ms").tolist()
    end = "Z" if kind not in ("dateonly", "datetimenotz") else ""
    return ["" if text == "NaT" else text + end for text in texts]


def columns_of(frame: Any) -> Columns:
    """Return the schema of a frame: numbers, booleans and dates by their dtype, everything else text."""
    return [
        {"name": str(name), "type": storage_type(frame.iloc[:, place].dtype)}
        for place, name in enumerate(frame.columns)
    ]


def storage_type(dtype: Any) -> str:
    """Return the storage type for a dtype of numpy or pandas."""
    code, size = getattr(dtype, "kind", "O"), getattr(dtype, "itemsize", 0)
    if type(dtype).__name__ in ("CategoricalDtype", "SparseDtype", "PeriodDtype", "IntervalDtype"):
        return "string"
    if code == "i":
        return {1: "tinyint", 2: "smallint", 4: "int"}.get(size, "bigint")
    if code == "u":
        return {1: "smallint", 2: "int"}.get(size, "bigint")
    if code == "f":
        return "float" if size <= 4 else "double"
    return {"b": "boolean", "M": "date"}.get(code, "string")


def read(source: dict[str, Any], columns: Columns, arguments: dict[str, Any]) -> Any:
    """Return stored text as one frame or, with `chunksize` among pandas.read_csv's arguments, as an iterator of frames.

    Raises `DataError` where it is no table, also at a first row that is too long: pandas would cut it with a warning.
    """
    import pandas as pd

    names = [column["name"] for column in columns]
    if not names:
        return iter([pd.DataFrame()]) if "chunksize" in arguments else pd.DataFrame()
    if arguments.get("nrows") == 0:  # from no text, as the platform sends it: pandas calls columns not read int64
        source = {"filepath_or_buffer": io.StringIO(), "header": None}
    frames = _guarded(source, {"names": names, "index_col": False, "low_memory": False, **arguments})
    return frames if "chunksize" in arguments else next(frames)


def _guarded(source: dict[str, Any], arguments: dict[str, Any]) -> Iterator[Any]:
    """Frames as pandas reads them; from where its rows are not as long as the header, out of the rows themselves: they
    come mended, or name what is wrong."""
    rows = source.get("rows")
    source = {key: value for key, value in source.items() if key != "rows"}
    done = 0
    if source["filepath_or_buffer"] is not None:
        try:
            for frame in _parsed(source, arguments):
                yield frame
                done += len(frame)
            return
        except DataError:
            if rows is None:
                raise
    if "nrows" in arguments:
        arguments = {**arguments, "nrows": arguments["nrows"] - done}
    assert rows is not None
    text = TextOf(itertools.islice(rows(), done, None), "")
    for frame in _parsed({"filepath_or_buffer": text, "header": None}, arguments):
        frame.index += done
        yield frame


def _parsed(source: dict[str, Any], arguments: dict[str, Any]) -> Iterator[Any]:
    import pandas as pd

    place = getattr(source["filepath_or_buffer"], "name", source["filepath_or_buffer"])
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            found = pd.read_csv(**{**source, **arguments})
            for frame in found if "chunksize" in arguments else [found]:
                yield _plain_text(frame)
        except (pd.errors.ParserError, pd.errors.ParserWarning, UnicodeError) as err:
            raise DataError(f"{place} cannot be read as a table: {err}") from err
        except OSError as err:
            raise DataError(f"{place} cannot be read: {err.strerror}.") from err


def _plain_text(frame: Any) -> Any:
    """Return the frame with its text columns as `object`: components know no string type of pandas' own."""
    for name in frame.columns:
        if type(frame[name].dtype).__name__ == "StringDtype":
            frame[name] = frame[name].astype("object")
    return frame


def dtypes(columns: Columns, *, nullable: bool, bool_as_str: bool, int_as_float: bool) -> dict[str, Any]:
    """Return the dtype of each column by its storage type; dates, lists and the rest are text."""
    chosen: dict[str, Any] = {}
    for column in columns:
        kind = column["type"]
        if kind in cells.INTEGERS:
            whole = f"Int{cells.INTEGERS[kind]}" if nullable else "int64"
            chosen[column["name"]] = "float64" if int_as_float else whole
        elif kind in cells.FLOATS:
            chosen[column["name"]] = f"float{cells.FLOATS[kind]}"
        elif kind == "boolean" and not bool_as_str:
            chosen[column["name"]] = "boolean" if nullable else "bool"
        else:
            chosen[column["name"]] = "object"
    return chosen


def with_dates(frame: Any, columns: Columns) -> Any:
    """Return the frame with its date columns parsed: `date` to moments in UTC, the other two without zone."""

    for column in columns:
        name, kind = column["name"], column["type"]
        if kind not in cells.DATES or name not in frame.columns:
            continue
        try:
            frame[name] = _parsed_dates(frame[name].astype("object"), utc=kind == "date")
        except (ValueError, TypeError):
            continue  # as pandas' own parse_dates does: what is no date leaves the column as text
    return frame


def _parsed_dates(texts: Any, *, utc: bool) -> Any:
    """Moments in nanoseconds; a year that these cannot hold keeps the coarser unit. Raises as `pandas.to_datetime`."""
    import pandas as pd

    if pd.__version__.startswith("1."):  # of environments for older plugins: it knows neither the format nor units
        return pd.to_datetime(texts, utc=utc)
    moments = pd.to_datetime(texts, utc=utc, format="ISO8601")
    with contextlib.suppress(ValueError, pd.errors.OutOfBoundsDatetime):
        moments = moments.dt.as_unit("ns")
    return moments


def unescaped(frame: Any) -> Any:
    """Return the frame with the text of file names as it was before it was escaped."""
    import pandas as pd

    for name in frame.columns:
        if frame[name].dtype.kind == "O":
            texts = [cells.unescape(cell) if isinstance(cell, str) else cell for cell in frame[name].tolist()]
            frame[name] = pd.Series(texts, index=frame.index, dtype="object")
    return frame
