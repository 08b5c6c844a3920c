"""A table or view of a database as a dataset: its columns, and its rows in constant memory."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from minihost.datasets import schema
from minihost.datasets.sql import column_types, values
from minihost.datasets.sql.column_types import SqlColumn
from minihost.datasets.sql.connections import connected
from minihost.datasets.sql.locations import Location, quoted
from minihost.datasets.sql.rows import RowTable
from minihost.errors import DataError

FETCHED = 1000
"""Rows that are fetched at once."""

_HIDDEN, _COMPUTED = 1, (2, 3)
"""What SQLite says of a column: one of a virtual table's own, or one that it computes."""


class SqlTable(RowTable):
    """One table. Rows come in the order of the primary key; without one as they lie in the table."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self.path = location.shown
        self.chosen: list[str] | None = None
        self.limit: int | None = None

    def exists(self) -> bool:
        """Whether the table is there, possibly without rows."""
        return bool(self._all_columns)

    def columns(self) -> schema.Columns:
        """Return the columns that are read; none where there is no table."""
        return [column.described() for column in self._read_columns()]

    def narrowed(self, columns: list[str] | None, limit: int | None) -> SqlTable:
        """Return the table with only these columns, and at most so many rows."""
        found = copy.copy(self)
        found.chosen = None if columns is None else list(columns)
        found.limit = limit
        return found

    def values(self) -> Iterator[tuple[Any, ...]]:
        """Yield each row, values typed by the columns; raises `DataError` naming the cell that does not fit."""
        columns = self._read_columns()
        readers = [values.reader(column.kind) for column in columns]
        done = 0
        with connected(self.location) as connection:
            found = connection.execution_options(yield_per=FETCHED).execute(self._query(columns))
            for rows in found.partitions():
                for row in rows:
                    done += 1
                    try:
                        yield tuple([read(cell) for read, cell in zip(readers, row, strict=True)])
                    except (ValueError, TypeError, OverflowError) as err:
                        raise self._unfit(columns, row, done, err) from err

    def set_columns(self, _columns: Any) -> None:
        """Refuse to change the table: only the stage of a run is written (see `minihost.datasets.sql.staged`)."""
        raise DataError(f"{self.path}: a SQL table is not written in place.")

    def writer(self, columns: Any, **_: Any) -> Any:
        """Refuse to write to the table itself."""
        self.set_columns(columns)

    def kinds(self) -> dict[str, str]:
        """Return the storage type of each column of the table by its name."""
        return {column.name: column.kind for column in self._all_columns}

    @cached_property
    def _all_columns(self) -> list[SqlColumn]:
        if self.location.database == "SQLite" and not self.location.file.is_file():
            return []
        with connected(self.location) as connection:
            return reflected(connection, self.location)

    @cached_property
    def _key(self) -> list[str]:
        """The columns of the primary key, else SQLite's own number of a row; empty for what has neither."""
        from sqlalchemy import inspect

        place = self.location
        with connected(place) as connection:
            found = inspect(connection)
            if place.database != "SQLite":
                return list(found.get_pk_constraint(place.table, schema=place.schema or None)["constrained_columns"])
            key = sorted((row[5], row[1]) for row in _sqlite_facts(connection, place) if row[5])
            return [name for _place, name in key] or ([] if is_view(found, place) else ["rowid"])

    def _read_columns(self) -> list[SqlColumn]:
        if self.chosen is None:
            return self._all_columns
        by_name = {column.name: column for column in self._all_columns}
        return [by_name[name] for name in self.chosen]

    def _query(self, columns: list[SqlColumn]) -> Any:
        from sqlalchemy import Text, cast, column, func, select, table

        place = self.location
        wanted: list[Any] = []
        for one in columns:
            cell: Any = column(one.name)
            if one.selected:
                cell = cast(func.to_json(cell) if one.selected == "json" else cell, Text).label(one.name)
            wanted.append(cell)
        source = table(place.table, schema=place.schema or None)
        query = select(*wanted).select_from(source).order_by(*(column(name) for name in self._key))
        return query if self.limit is None else query.limit(self.limit)

    def _unfit(self, columns: list[SqlColumn], row: Any, number: int, err: Exception) -> DataError:
        for one, cell in zip(columns, row, strict=True):
            try:
                values.reader(one.kind)(cell)
            except (ValueError, TypeError, OverflowError) as why:
                return DataError(f"{self.path}, row {number}, column {one.name!r} ({one.kind}): {why}.")
        return DataError(f"{self.path}, row {number}: {err}.")


def _sqlite_facts(connection: Any, location: Location) -> list[Any]:
    """What SQLite says of the columns of a table, whose name may be written in another case."""
    cursor = connection.connection.driver_connection.cursor()
    return list(cursor.execute(f"PRAGMA table_xinfo({quoted(location.table)})"))


def is_view(found: Any, place: Location) -> bool:
    """Whether a location is a view, by what SQLAlchemy inspects; SQLite does not mind the case of a name."""
    views = found.get_view_names(schema=place.schema or None)
    return place.place in [Location(place.url, name, place.schema).place for name in views]


def reflected(connection: Any, location: Location) -> list[SqlColumn]:
    """Return the columns of a table as the database describes them, none where there is no table."""
    from sqlalchemy import exc, inspect

    if location.database == "SQLite":
        facts = _sqlite_facts(connection, location)
        columns = [(column_types.of_sqlite(row[1], row[2] or ""), row[6]) for row in facts]
        return [replace(column, computed=mark in _COMPUTED) for column, mark in columns if mark != _HIDDEN]
    try:
        described = inspect(connection).get_columns(location.table, schema=location.schema or None)
    except exc.NoSuchTableError:
        return []
    return [
        replace(
            column_types.of_postgresql(one["name"], one["type"], one.get("comment") or ""),
            computed=bool(one.get("computed")),
        )
        for one in described
    ]
