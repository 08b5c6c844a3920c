"""What a test gives as a dataset or folder, checked and brought into one form."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minihost.datasets.cells import STORAGE_TYPES
from minihost.errors import JobError
from minihost.suggestions import did_you_mean


def copied(source: Path, place: Path, name: str) -> Path:
    """Copy a folder, or the file of a dataset with its schema file, under a name; raises `JobError` without one."""
    place.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        return Path(shutil.copytree(source, place / name, dirs_exist_ok=True))
    if not source.is_file():
        raise JobError([f"{name!r}: there is no file or folder {source} (looked for in {Path.cwd()})."])
    schema = source.with_suffix(".schema.json")
    if schema.is_file():
        shutil.copyfile(schema, place / f"{name}.schema.json")
    return Path(shutil.copyfile(source, place / f"{name}{source.suffix}"))


def is_frame(content: Any) -> bool:
    """Whether it is a data frame; pandas is not imported for that."""
    return hasattr(content, "iloc") and hasattr(content, "columns")


def rows(name: str, content: Any) -> list[Mapping[str, Any]]:
    """Return rows as dicts, from a list of them or from a dict of columns; raises `JobError` for anything else."""
    if isinstance(content, Mapping):
        lengths = {key: len(values) for key, values in content.items() if isinstance(values, list | tuple)}
        if len(lengths) == len(content) and len(set(lengths.values())) <= 1:
            return [dict(zip(content, row, strict=True)) for row in zip(*content.values(), strict=True)]
        listing = ", ".join(f"{key} has {length}" for key, length in lengths.items())
        got = f"a dict whose lists differ in length ({listing})" if len(lengths) == len(content) else repr(content)
    else:
        if isinstance(content, list | tuple) and all(isinstance(row, Mapping) for row in content):
            return list(content)
        got = repr(content)
    expected = "a data frame, a list of dicts, a dict of equally long lists, or a Path is expected"
    raise JobError([f"The dataset {name!r} is {got[:200]}; {expected}."])


def files(name: str, content: Any) -> dict[str, bytes]:
    """Return the files of a folder, path -> bytes; raises `JobError` for what is neither bytes nor text."""
    wrong = content
    if isinstance(content, Mapping):
        unusable = {path: data for path, data in content.items() if not isinstance(data, bytes | str)}
        if not unusable:
            return {path: data.encode() if isinstance(data, str) else data for path, data in content.items()}
        wrong = unusable
    raise JobError([f"The folder {name!r} has {wrong!r:.200}; a dict of path: bytes or text, or a Path is expected."])


def columns(rows: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the schema of rows: each column's name, and the type that holds all its values."""
    names = dict.fromkeys(key for row in rows for key in row)
    return [{"name": key, "type": _type_of([row.get(key) for row in rows])} for key in names]


def typed(name: str, columns: list[dict[str, Any]], types: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the columns of a dataset with these types; raises `JobError` for other columns and unknown types."""
    names = [column["name"] for column in columns]
    for column, kind in types.items():
        if column not in names:
            near = did_you_mean(column, names)
            raise JobError([f"types of {name!r}: there is no column {column!r}.{near} Columns: {', '.join(names)}."])
        if kind not in STORAGE_TYPES:
            near, known = did_you_mean(str(kind), STORAGE_TYPES), ", ".join(STORAGE_TYPES)
            raise JobError(
                [f"types of {name!r}: {column!r} is {kind!r}, which is no storage type.{near} Known: {known}."]
            )
    return [{**column, "type": types.get(column["name"], column["type"])} for column in columns]


def _type_of(values: list[Any]) -> str:
    """The storage type that holds all values of a column; text where they differ."""
    kinds: tuple[tuple[Any, str], ...] = ((bool, "boolean"), (int, "bigint"), (float, "double"), (dt.date, "date"))
    kinds += ((list, "array"), (dict, "object"))
    found = {
        next((name for kind, name in kinds if isinstance(value, kind)), "string")
        for value in values
        if value is not None
    }
    if found == {"bigint", "double"}:
        return "double"
    return found.pop() if len(found) == 1 else "string"
