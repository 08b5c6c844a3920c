"""The schema of a dataset: a list of columns as the platform writes them, kept in a file beside the data.

`labels.csv` has its types in `labels.schema.json`: `{"columns": [{"name": …, "type": …, "comment": …}, …]}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from minihost.datasets.cells import STORAGE_TYPES
from minihost.errors import DataError

Columns = list[dict[str, Any]]
LIMIT = 16 << 20


def schema_file(data: Path) -> Path:
    """The schema file that belongs to a data file: `labels.schema.json` beside `labels.csv`."""
    return data.with_name(data.stem + ".schema.json")


def checked(columns: Iterable[Mapping[str, Any]], where: str) -> Columns:
    """Return the columns as plain dicts with a name and a known type each; raises `DataError` naming what is wrong."""
    found, names = [], set()
    for column in columns:
        if not isinstance(column, Mapping) or not isinstance(column.get("name"), str):
            raise DataError(f"Schema of {where}: a column is a dict with a `name` and a `type`, got {column!r}.")
        kind = column.get("type", "string")
        if kind not in STORAGE_TYPES:
            raise DataError(
                f"Schema of {where}: column {column['name']!r} has type {kind!r}; known: {', '.join(STORAGE_TYPES)}."
            )
        if column["name"] in names:
            raise DataError(f"Schema of {where}: two columns are called {column['name']!r}.")
        names.add(column["name"])
        found.append({**column, "type": kind})
    return found


def read(data: Path) -> dict[str, Any] | None:
    """Return what the schema file of a data file says, None when there is none; raises `DataError` for a broken one."""
    path = schema_file(data)
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read(LIMIT + 1)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as err:
        raise DataError(f"The schema file {path} cannot be read: {err}.") from err
    try:
        facts = json.loads(text)
        facts["columns"] = checked(facts["columns"], str(data))
    except (ValueError, TypeError, KeyError, RecursionError) as err:
        raise DataError(
            f"The schema file {path} is not a schema ({err}). Correct or delete it: all columns are text then."
        ) from err
    return dict(facts)


def write(data: Path, columns: Columns, **facts: Any) -> None:
    """Write the schema file of a data file, replacing what was there in one step."""
    path = schema_file(data)
    part = path.with_name(path.name + ".part")
    part.write_text(
        json.dumps({"columns": columns, **facts}, indent=2, ensure_ascii=True, default=str) + "\n", encoding="utf-8"
    )
    part.replace(path)


def aligned(header: list[str], declared: Columns) -> Columns:
    """Return one column for each name of a header: the declared one where it is known, else text.

    A hand edited table keeps the types of the columns it still has.
    """
    if [column["name"] for column in declared] == header:
        return declared
    by_name = {column["name"]: column for column in declared}
    return [by_name.get(name, {"name": name, "type": "string"}) for name in header]
