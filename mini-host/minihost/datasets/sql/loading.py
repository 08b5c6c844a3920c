"""Puts what a run wrote into SQL tables: within one transaction for each database, all of it or nothing."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

from minihost.datasets.sql import column_types
from minihost.datasets.sql.connections import WAIT, connected, explained
from minihost.datasets.sql.locations import Location, quoted
from minihost.datasets.sql.staged import StagedRows, check_names
from minihost.datasets.sql.table import reflected
from minihost.errors import DataError


class Loads:
    """The transactions that put outputs in place, open until `commit`; left in a `with` block, they are rolled back."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._connections: dict[str, tuple[Location, Any]] = {}

    def __enter__(self) -> Loads:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, target: Location, rows: StagedRows, *, append: bool) -> None:
        """Put rows into a table, for now invisibly; raises `DataError` where the database refuses."""
        connection = self._connection(target)
        with explained(target):
            load = (PostgresqlLoad if target.database == "PostgreSQL" else SqliteLoad)(connection, target, rows)
            load.append() if append and load.there else load.replace()

    def commit(self) -> None:
        """Make everything visible."""
        for location, connection in self._connections.values():
            with explained(location):
                if location.database == "SQLite":
                    connection.exec_driver_sql("COMMIT")
                connection.commit()

    def _connection(self, target: Location) -> Any:
        if target.url not in self._connections:
            is_file = target.database == "SQLite"
            if is_file:
                _make_folder(target)
            connection = self._open.enter_context(connected(target))
            with explained(target):
                connection.exec_driver_sql("BEGIN IMMEDIATE" if is_file else f"SET lock_timeout = '{WAIT}s'")
            self._connections[target.url] = target, connection
        return self._connections[target.url][1]


def _make_folder(target: Location) -> None:
    """Make the folder of a SQLite file; raises `DataError`."""
    try:
        target.file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise DataError(f"{target.shown}: {target.file.parent} cannot be made: {err.strerror}.") from err


class Load:
    """The rows of one output on their way into one table. A table whose columns stay the same is emptied and filled: it
    keeps its indexes, rights and views. Otherwise it is made anew."""

    def __init__(self, connection: Any, target: Location, rows: StagedRows) -> None:
        self.connection, self.target, self.rows = connection, target, rows
        columns = rows.columns()
        if not columns:
            raise DataError(f"{target.shown}: nothing says which columns the table has. Call write_schema.")
        self.names = [column["name"] for column in columns]
        self.kinds = [column["type"] for column in columns]
        check_names(self.names, target)
        self.there = [(column.name, column.kind) for column in reflected(connection, target) if not column.computed]
        self.table = quoted(target.schema, target.table)
        self.listed = ", ".join(quoted(name) for name in self.names)
        types = [column_types.created(kind, target.database) for kind in self.kinds]
        self.described = ", ".join(f"{quoted(name)} {kind}" for name, kind in zip(self.names, types, strict=True))

    def append(self) -> None:
        """Add the rows to those that are there."""
        unknown = [name for name in self.names if name not in dict(self.there)]
        if unknown:
            has = ", ".join(name for name, _kind in self.there)
            raise DataError(f"{self.target.shown} has no column {', '.join(map(repr, unknown))}. Columns: {has}.")
        self.fill(self.table)

    def replace(self) -> None:
        """Replace what is there."""
        raise NotImplementedError

    def fill(self, table: str) -> None:
        """Send the rows to a table, in their order."""
        raise NotImplementedError

    def is_same(self) -> bool:
        """Whether the table has these columns already."""
        kept = [column_types.kept(kind, self.target.database) for kind in self.kinds]
        return self.there == list(zip(self.names, kept, strict=True))

    def make_anew(self) -> None:
        """Make the table with its columns, in place of what has its name."""
        self.do(f"DROP TABLE IF EXISTS {self.table}")
        self.do(f"CREATE TABLE {self.table} ({self.described})")

    def do(self, statement: str) -> None:
        """Carry out a statement as it is."""
        self.connection.connection.driver_connection.cursor().execute(statement)


class PostgresqlLoad(Load):
    """Sends rows by COPY. It keeps their order in a table that was emptied or made in the same transaction."""

    def replace(self) -> None:
        """Empty the table and fill it, which readers wait for; or make another, and exchange them at the end."""
        if self.is_same():
            self.do(f"TRUNCATE {self.table}")
            self.fill(self.table)
            return
        schema = self._schema()
        new = quoted(schema, f"minihost_new_{os.urandom(4).hex()}")
        self.do(f"CREATE TABLE {new} ({self.described})")
        self.fill(new)
        self.do(f"DROP TABLE IF EXISTS {quoted(schema, self.target.table)}")
        self.do(f"ALTER TABLE {new} RENAME TO {quoted(self.target.table)}")

    def _schema(self) -> str:
        """The schema that the table is in, or will be."""
        if self.target.schema:
            return self.target.schema
        from sqlalchemy import text

        query = (
            "SELECT nspname FROM pg_namespace n JOIN pg_class c ON n.oid = relnamespace WHERE c.oid = to_regclass(:t)"
        )
        found = self.connection.execute(text(query), {"t": self.table}).scalar()
        return str(found or self.connection.exec_driver_sql("SELECT current_schema()").scalar())

    def fill(self, table: str) -> None:
        """Send the rows, in their order."""
        cursor = self.connection.connection.driver_connection.cursor()
        with cursor.copy(f"COPY {table} ({self.listed}) FROM STDIN") as copy:
            for number, row in enumerate(self.rows.raw(), start=1):
                try:
                    copy.write_row(row)
                except Exception as err:
                    self._refuse_null_bytes(row, number, err)
                    raise

    def _refuse_null_bytes(self, row: tuple[Any, ...], number: int, err: Exception) -> None:
        for name, cell in zip(self.names, row, strict=True):
            if isinstance(cell, str) and "\0" in cell:
                what = "holds a NUL character, which PostgreSQL cannot store. Remove it"
                raise DataError(f"{self.target.shown}, row {number}: column {name!r} {what}.") from err


class SqliteLoad(Load):
    """Inserts rows one by one."""

    def replace(self) -> None:
        """Empty the table, or make it anew, and fill it."""
        if self.is_same():
            self.do(f"DELETE FROM {self.table}")
        else:
            self.make_anew()
        self.fill(self.table)

    def fill(self, table: str) -> None:
        """Insert the rows, in their order."""
        marks = ", ".join("?" * len(self.names))
        cursor = self.connection.connection.driver_connection.cursor()
        cursor.executemany(f"INSERT INTO {table} ({self.listed}) VALUES ({marks})", self.rows.raw())
