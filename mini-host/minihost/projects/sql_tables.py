"""Datasets of a project that are SQL tables: what flow.yaml and references say about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from minihost.datasets.sql import is_sql, located
from minihost.errors import DataError, JobError
from minihost.folders import is_remote
from minihost.job import Reference
from minihost.suggestions import did_you_mean, one_of

OF_FILES = ("format", "separator", "encoding", "sheet", "partitioning")
"""What may be said about a dataset that is a file, and not about a table."""


def path_of(name: str, options: dict[str, Any], connections: Mapping[str, str], project: Path) -> str:
    """Return the location that the options of a dataset describe, empty where they describe a file; what says it is
    taken out of them, but for the name of the connection."""
    url = options.pop("url", "") or connections.get(options.get("connection", ""), "")
    if not url and is_sql(str(options.get("path", ""))) and {"table", "schema"} & options.keys():
        url = options.pop("path")
    if not url:
        return ""
    given = {"table": options.pop("table", ""), "schema": options.pop("schema", "")}
    return _located(url, project, given["table"] or ("" if "::" in url else name), given["schema"]).path


def resolved(path: str, project: Path, role: str) -> tuple[str, str]:
    """Return a location as one text with an absolute file, and the name of its table; raises `JobError`."""
    try:
        found = _located(path, project)
    except JobError as err:
        raise JobError([f"Role {role!r}: {err}"] if role else err.mistakes) from err
    return found.path, found.table.replace(".", "_")


def check_input(reference: Reference) -> None:
    """Raise `JobError` where the table cannot be read, does not exist, or its database does not answer."""
    from minihost.datasets.sql.table import SqlTable
    from minihost.datasets.sql.targets import check_there

    place = located(reference.path)
    try:
        check_there(place, SqlTable(place))
    except DataError as err:
        raise JobError([f"The input role {reference.role!r}: {err}"]) from err


def mistakes(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the tables and connections of a flow."""
    connections = facts.get("connections") or {}
    for name, url in connections.items():
        if not is_sql(str(url)) and not str(url).startswith("${"):
            yield f"connections > {name}: this is not the URL of a database (postgresql://USER@HOST/DATABASE)."
    for name, options in (facts.get("datasets") or {}).items():
        if not isinstance(options, dict):
            continue
        where = f"datasets > {name}: "
        used = options.get("connection")
        if used is not None and used not in connections:
            near = did_you_mean(used, connections)
            yield f"{where}there is no connection {used!r}.{near} Known: {one_of(connections)}."
        if is_remote(str(options.get("url", ""))):
            for key in (key for key in ("table", "schema", "connection") if key in options):
                yield f"{where}`{key}` belongs to a database, and `url` is that of a storage."
            continue
        if "url" in options and used is not None:
            yield f"{where}`url` and `connection` are both given; one says where the table lies."
        if used is None and "url" not in options:
            for key in ("table", "schema"):
                if key in options:
                    yield f"{where}`{key}` belongs to a `url` or a `connection`, which is not given."
            continue
        for key in (key for key in OF_FILES if key in options):
            yield f"{where}`{key}` is for files, and this dataset is a SQL table."


def _located(path: str, project: Path, table: str = "", schema: str = "") -> Any:
    try:
        return located(path, project, table, schema)
    except DataError as err:
        raise JobError([str(err)]) from err
