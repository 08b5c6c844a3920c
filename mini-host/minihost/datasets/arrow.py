"""Storage types of the platform and types of Arrow, one to the other."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from minihost.datasets import cells
from minihost.datasets.schema import Columns

METADATA = b"minihost.schema"


def arrow_schema(columns: Columns, values: Sequence[Sequence[Any]]) -> Any:
    """Return the Arrow schema for these columns; what they leave open about arrays is read off the first values."""
    import pyarrow as pa

    fields = [
        pa.field(column["name"], _arrow_type(column, first)) for column, first in zip(columns, values, strict=True)
    ]
    return pa.schema(fields, metadata={METADATA: json.dumps(columns, default=str).encode()})


def _arrow_type(column: dict[str, Any], values: Sequence[Any] = ()) -> Any:
    import pyarrow as pa

    kind = column["type"]
    if kind == "array":
        return _list_type(column, values)
    return {
        "tinyint": pa.int8(),
        "smallint": pa.int16(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.timestamp("ms", tz="UTC"),
        "datetimenotz": pa.timestamp("ms"),
        "dateonly": pa.date32(),
    }.get(kind, pa.string())


def _list_type(column: dict[str, Any], values: Sequence[Any]) -> Any:
    import pyarrow as pa

    content = (column.get("arrayContent") or {}).get("type")
    if content in cells.STORAGE_TYPES and content not in cells.JSON_TYPES:
        return pa.list_(_arrow_type({"type": content}))
    items = [item for value in values if (found := as_list(value)) is not None for item in found]
    if all(isinstance(item, int | float) and not isinstance(item, bool) or item is None for item in items):
        return pa.list_(pa.float64())
    if all(isinstance(item, str) or item is None for item in items):
        return pa.list_(pa.string())
    return pa.string()


def as_list(value: Any) -> list[Any] | None:
    """Return a cell of an `array` column as a list: given as one, as a numpy array or as JSON text; None for a null."""
    if isinstance(value, str):
        value = json.loads(value) if value else None
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, tuple | set):
        value = list(value)
    if cells.is_null(value):
        return None
    return value if isinstance(value, list) else [value]


def natives(values: Sequence[Any], kind: str, arrow_type: Any) -> list[Any]:
    """Return the cells of a column as Arrow takes them; values that fit as they are pass quickly."""
    ready: tuple[type, ...] = ()
    if kind in cells.INTEGERS:
        ready = (int,)
    elif kind == "boolean":
        ready = (bool,)
    elif str(arrow_type) == "string":
        ready = (str,)
    if kind in cells.FLOATS:
        return [
            value if type(value) is float and value == value else native(value, kind, arrow_type) for value in values
        ]
    return [value if type(value) in ready else native(value, kind, arrow_type) for value in values]


def native(value: Any, kind: str, arrow_type: Any) -> Any:
    """Return a cell's value as Arrow takes it; raises ValueError where it does not fit the column."""
    import pyarrow as pa

    if pa.types.is_list(arrow_type):
        found = as_list(value)
        if found is None:
            return None
        return natives(found, _storage(arrow_type.value_type)["type"], arrow_type.value_type)
    if cells.is_null(value):
        return None
    if kind in cells.INTEGERS or kind in cells.FLOATS or kind == "boolean":
        if isinstance(value, str):
            value = cells.from_text(value, kind)
        if value is None:
            return None
        if kind in cells.FLOATS:
            return float(value)
        return bool(value) if kind == "boolean" else cells.from_text(cells.to_text(value, kind), kind)
    if kind in cells.DATES:
        return _moment(value, kind)
    return cells.to_text(value, kind)


def _moment(value: Any, kind: str) -> Any:
    if isinstance(value, dt.date):
        value = cells.date_text(value, kind)
    return cells.parse_date(str(value), kind) if value != "" else None


def texts_of(column: Any, kind: str) -> list[str]:
    """Return the texts of the cells of an Arrow array."""
    quick = _texts_of_vectors(column) if kind == "array" else None
    return cells.to_texts(column.to_pylist(), kind) if quick is None else quick


def stored_cells(column: Any, kind: str) -> list[Any]:
    """Return the cells of an Arrow array: numbers where it holds them in this very type, None for null; else texts."""
    import pyarrow.compute as pc

    own = _storage(column.type)["type"]
    if kind in cells.INTEGERS and own in cells.INTEGERS:
        return list(column.to_pylist())
    if kind == own == "double":
        return list((pc.if_else(pc.is_nan(column), None, column) if _has_nan(column) else column).to_pylist())
    return texts_of(column, kind)


def _has_nan(column: Any) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(pc.is_nan(column)).as_py())


def _texts_of_vectors(column: Any) -> list[str] | None:
    """Return lists of floating-point numbers as JSON, many times faster than number by number.

    None for other columns, and where a number is missing or not finite, which is for `cells` to write.
    """
    import numpy as np
    import orjson
    import pyarrow.compute as pc

    if _storage(column.type).get("arrayContent", {}).get("type") not in cells.FLOATS:
        return None
    numbers = column.flatten()
    if numbers.null_count or not np.isfinite(found := numbers.to_numpy(zero_copy_only=False).astype(np.float64)).all():
        return None
    ends = np.cumsum(pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False))
    vectors = zip(np.split(found, ends[:-1]), column.is_valid().to_pylist(), strict=True)
    option = orjson.OPT_SERIALIZE_NUMPY
    return [
        orjson.dumps(vector, option=option).decode().replace(",", ", ") if valid else "" for vector, valid in vectors
    ]


def columns_of(found: Any) -> Columns:
    """Return the platform's columns for an Arrow schema: those in its metadata where they fit, else by Arrow type."""
    own = [{"name": field.name, **_storage(field.type)} for field in found]
    try:
        kept = json.loads((found.metadata or {})[METADATA])
        if [column["name"] for column in kept] == found.names and all(c["type"] in cells.STORAGE_TYPES for c in kept):
            return list(kept)
    except (KeyError, ValueError, TypeError, RecursionError):
        pass
    return own


def _storage(kind: Any) -> dict[str, Any]:
    import pyarrow.types as types

    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return {"type": "array", "arrayContent": _storage(kind.value_type)}
    for test, name in (
        (types.is_boolean, "boolean"),
        (types.is_int8, "tinyint"),
        (types.is_int16, "smallint"),
        (types.is_int32, "int"),
        (types.is_integer, "bigint"),
        (types.is_float64, "double"),
        (types.is_floating, "float"),
        (types.is_decimal, "double"),
        (types.is_date, "dateonly"),
        (types.is_map, "map"),
        (types.is_struct, "object"),
    ):
        if test(kind):
            return {"type": name}
    if types.is_timestamp(kind):
        return {"type": "date" if kind.tz else "datetimenotz"}
    return {"type": "string"}
