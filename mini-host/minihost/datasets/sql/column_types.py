"""Storage types of the platform and column types of PostgreSQL and SQLite, one to the other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from minihost.datasets import cells

EXACT_DIGITS = 15
"""Decimal numbers with at most so many digits are the same as `double`."""

CREATED: dict[str, dict[str, str]] = {
    "PostgreSQL": {
        "tinyint": "smallint",
        "smallint": "smallint",
        "int": "integer",
        "bigint": "bigint",
        "float": "real",
        "double": "double precision",
        "boolean": "boolean",
        "date": "timestamp with time zone",
        "datetimenotz": "timestamp without time zone",
        "dateonly": "date",
        "array": "json",
        "map": "json",
        "object": "json",
    },
    "SQLite": {
        "tinyint": "TINYINT",
        "smallint": "SMALLINT",
        "int": "INT",
        "bigint": "BIGINT",
        "float": "FLOAT4",
        "double": "DOUBLE",
        "boolean": "BOOLEAN",
        "date": "TIMESTAMP",
        "datetimenotz": "DATETIME",
        "dateonly": "DATE",
        "array": "JSON",
        "map": "JSON",
        "object": "JSON",
    },
}
"""Database -> storage type -> the type of a column that is created for it; text where it is not listed."""

_SQLITE = {kind: name for name, kind in CREATED["SQLite"].items() if kind != "JSON"} | {
    "JSON": "object",
    "INT2": "smallint",
    "BOOL": "boolean",
    "TIMESTAMP WITH TIME ZONE": "date",
    "TIMESTAMPTZ": "date",
    "TIMESTAMP WITHOUT TIME ZONE": "datetimenotz",
}


@dataclass(frozen=True)
class SqlColumn:
    """A column of a table: its storage type, and how it is selected: as it is, cast to text, or as JSON.

    The database computes a column that is `computed` from others, so nothing can be written to it.
    """

    name: str
    kind: str
    selected: str = ""
    content: str = ""
    comment: str = ""
    computed: bool = False

    def described(self) -> dict[str, Any]:
        """Return the column as a schema has it."""
        found: dict[str, Any] = {"name": self.name, "type": self.kind}
        if self.content:
            found["arrayContent"] = {"type": self.content}
        if self.comment:
            found["comment"] = self.comment
        return found


def created(kind: str, database: str) -> str:
    """Return the type of a new column."""
    return CREATED[database].get(kind, "text" if database == "PostgreSQL" else "TEXT")


def kept(kind: str, database: str) -> str:
    """Return the storage type that a column created for a type has when it is read again."""
    if kind in cells.JSON_TYPES:
        return "object"
    if kind in ("geopoint", "geometry"):
        return "string"
    return "smallint" if kind == "tinyint" and database == "PostgreSQL" else kind


def of_sqlite(name: str, declared: str) -> SqlColumn:
    """Return the column of a SQLite table by its declared type, with SQLite's own rules for names it does not know."""
    text = re.sub(r"\s*\(.*", "", declared).strip().upper()
    if text in _SQLITE:
        return SqlColumn(name, _SQLITE[text])
    for mark, kind in (("INT", "bigint"), ("CHAR", "string"), ("CLOB", "string"), ("TEXT", "string")):
        if mark in text:
            return SqlColumn(name, kind)
    is_number = any(mark in text for mark in ("REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL"))
    return SqlColumn(name, "double" if is_number else "string")


def of_postgresql(name: str, found: Any, comment: str) -> SqlColumn:
    """Return the column of a PostgreSQL table by the type that SQLAlchemy reflects."""
    from sqlalchemy import types
    from sqlalchemy.dialects import postgresql

    if isinstance(found, postgresql.DOMAIN):
        found = found.data_type
    if isinstance(found, types.ARRAY):
        content = of_postgresql("", found.item_type, "").kind
        return SqlColumn(name, "array", "json", content, comment)
    if isinstance(found, types.JSON):
        return SqlColumn(name, "object", "text", "", comment)
    kind = _postgresql_kind(found)
    if kind:
        return SqlColumn(name, kind, "", "", comment)
    is_text = isinstance(found, types.String) and not isinstance(found, types.Enum)
    return SqlColumn(name, "string", "" if is_text else "text", "", comment)


def _postgresql_kind(found: Any) -> str:
    from sqlalchemy import types

    if isinstance(found, types.Numeric) and not isinstance(found, types.Float):
        return _decimal_kind(found.precision, found.scale)
    if isinstance(found, types.DateTime):
        return "date" if found.timezone else "datetimenotz"
    for test, kind in (
        (types.Boolean, "boolean"),
        (types.SmallInteger, "smallint"),
        (types.BigInteger, "bigint"),
        (types.Integer, "int"),
        (types.REAL, "float"),
        (types.Float, "double"),
        (types.Date, "dateonly"),
    ):
        if isinstance(found, test):
            return kind
    return ""


def _decimal_kind(precision: int | None, scale: int | None) -> str:
    """A decimal number is a `bigint` or a `double` where each of its values is exact in that, else text."""
    if precision is None:
        return ""
    if scale == 0 and precision <= 18:
        return "bigint"
    return "double" if precision <= EXACT_DIGITS else ""
