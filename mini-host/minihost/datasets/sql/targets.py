"""Tables that a run may read or write: checked before it starts, so that no work is lost."""

from __future__ import annotations

import os
from typing import Any

from minihost.datasets.sql.connections import connected, kinds_of_errors
from minihost.datasets.sql.locations import Location, located, quoted
from minihost.datasets.sql.staged import check_names
from minihost.datasets.sql.table import SqlTable, is_view
from minihost.errors import DataError
from minihost.suggestions import did_you_mean, one_of

TABLE_KINDS = ("r", "p", "f")
"""The kinds of relations in PostgreSQL that rows are written to: tables, also partitioned and foreign ones."""


class Target:
    """A table that a run writes. What it wrote is put there at the end (see `minihost.datasets.sql.loading`)."""

    def __init__(self, path: str, *, append: bool) -> None:
        self.location = located(path)
        self.append = append

    def checked(self) -> Target:
        """Return the target; raises `DataError` where it can certainly not be written."""
        self._check()
        return self

    def _check(self) -> None:
        place = self.location
        check_names([], place)
        kinds_of_errors(place)
        if place.database == "SQLite":
            _check_file(place)
        if place.database == "SQLite" and not place.file.exists():
            return
        from sqlalchemy import inspect

        with connected(place) as connection:
            found = inspect(connection)
            if place.schema and place.schema not in (names := found.get_schema_names()):
                near = did_you_mean(place.schema, names)
                raise DataError(f"{place.shown}: the database has no schema {place.schema!r}.{near}")
            if is_view(found, place):
                raise DataError(f"{place.shown} is a view, which cannot be written. Choose a table.")
            if place.database == "PostgreSQL":
                _check_rights(connection, place)


def check_there(location: Location, table: SqlTable) -> None:
    """Raise `DataError` where a table to read does not exist, with what is near."""
    if table.exists():
        return
    if location.database == "SQLite" and not location.file.exists():
        raise DataError(f"{location.shown}: the file {location.file} does not exist.")
    from sqlalchemy import inspect

    with connected(location) as connection:
        found = inspect(connection)
        schema = location.schema or None
        if schema and schema not in (names := found.get_schema_names()):
            raise DataError(f"{location.shown}: there is no schema {schema!r}.{did_you_mean(schema, names)}")
        names = [*found.get_table_names(schema=schema), *found.get_view_names(schema=schema)]
    known = f" Tables: {one_of(names)}." if names else " The database has no tables there."
    near = did_you_mean(location.table, names)
    raise DataError(f"{location.shown}: there is no table {location.table!r}.{near}{known}")


def _check_file(place: Location) -> None:
    """The file of a SQLite database, or the folder in which it is made, can be written."""
    if place.file.is_dir():
        raise DataError(f"{place.shown}: {place.file} is a folder, and a SQLite database is a file.")
    folder = next(folder for folder in place.file.parents if folder.exists())
    if not folder.is_dir():
        raise DataError(f"{place.shown}: {folder} is a file, not a folder.")
    for where in (place.file, folder):
        if where.exists() and not os.access(where, os.W_OK):
            raise DataError(f"{place.shown}: {where} is read-only. Choose another place, or change its rights.")


def _check_rights(connection: Any, place: Location) -> None:
    """What the user of a PostgreSQL connection may do."""
    from sqlalchemy import text

    schema = place.schema or connection.exec_driver_sql("SELECT current_schema()").scalar()
    if schema is None:
        raise DataError(f"{place.shown}: the user has no schema to write to. Name one: URL::SCHEMA.TABLE.")
    table = quoted(schema, place.table)
    known = connection.execute(text("SELECT to_regclass(:name)::oid"), {"name": table}).scalar()
    if known is None:
        allowed = text("SELECT has_schema_privilege(:schema, 'CREATE')")
        if not connection.execute(allowed, {"schema": schema}).scalar():
            raise DataError(f"{place.shown}: the user may not make tables in the schema {schema!r}. Ask its owner.")
    else:
        kind = connection.execute(text("SELECT relkind FROM pg_class WHERE oid = :table"), {"table": known}).scalar()
        if kind not in TABLE_KINDS:
            raise DataError(f"{place.shown} is not a table that can be written. Choose another name.")
        allowed = text("SELECT has_table_privilege(:name, 'INSERT') AND has_table_privilege(:name, 'TRUNCATE')")
        if not connection.execute(allowed, {"name": table}).scalar():
            raise DataError(f"{place.shown}: the user may not replace the rows of this table. Ask its owner.")
