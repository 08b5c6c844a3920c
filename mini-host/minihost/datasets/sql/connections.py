"""Connections to databases, and what their errors mean in a sentence."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minihost.datasets.sql.locations import Location
from minihost.errors import DataError

WAIT = 30
"""Seconds to wait for a server to answer, and for a SQLite database that another process is writing."""

_SETTINGS = "SET TIME ZONE 'UTC'; SET synchronize_seqscans = off; SET max_parallel_workers_per_gather = 0"
"""Rows of a PostgreSQL table then always come in the order in which they lie."""

_HINTS = {
    "28P01": "Check the user and the password: ${NAME} in the URL stands for an environment variable.",
    "28000": "Check the user and the password: ${NAME} in the URL stands for an environment variable.",
    "3D000": "Check the name of the database.",
    "3F000": "Check the schema.",
    "42501": "Ask the owner for the right, or connect as another user.",
    "42P01": "Check the name of the table and its schema.",
    "2BP01": "Its columns change, so it has to be made anew: drop what depends on it, or write to another table.",
    "0A000": "Write to another table.",
    "22001": "Make the column wider, or write to another table.",
    "55P03": "Another session uses the table. Wait for it to end.",
    "53100": "Free some space on the server.",
}
"""SQLSTATE -> what to do."""

_SQLITE_HINTS = (
    ("locked", "Another process is writing it. Wait for it to end."),
    ("readonly", "Change its rights, or choose another place."),
    ("unable to open", "Check the path and its rights."),
    ("not a database", "Choose another file."),
    ("malformed", "The file is damaged: restore it."),
    ("disk", "Free some space."),
)


@contextmanager
def connected(location: Location) -> Iterator[Any]:
    """Open a connection of SQLAlchemy for the block; raises `DataError` for whatever the database refuses."""
    with explained(location):
        engine = _engine(location)
        with engine.connect() as connection:
            yield connection


@contextmanager
def explained(location: Location) -> Iterator[None]:
    """Turn the errors of SQLAlchemy and the drivers into `DataError`."""
    kinds = kinds_of_errors(location)
    try:
        yield
    except kinds as err:
        raise DataError(f"{location.shown}: {sentence(err)}") from err


def sentence(err: BaseException) -> str:
    """Return what an error of a database says, and what to do."""
    cause = getattr(err, "orig", None) or err
    facts = getattr(cause, "diag", None)
    text = (facts.message_primary if facts is not None else None) or str(cause)
    state = getattr(cause, "sqlstate", None) or _state_of(text)
    context = (facts.context or "") if facts is not None else ""
    if found := re.search(r"COPY \S+, line (\d+), column (.*?)(?::|$)", context):
        text += f" (row {found[1]}, column {found[2]})"
    elif facts is not None and facts.message_detail:
        text += f" ({facts.message_detail.rstrip('.')})"
    hint = _HINTS.get(state or "", "")
    if isinstance(cause, sqlite3.Error):
        hint = next((hint for mark, hint in _SQLITE_HINTS if mark in text), "")
    elif not hint and "onnection" in text:
        hint = "Check the host and the port, and that the server runs."
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    said = "; ".join(lines).rstrip(".")
    return f"{said}{'' if said.endswith('?') else '.'} {hint}".rstrip()


def _state_of(text: str) -> str:
    """The SQLSTATE of a refused connection, which comes as text alone."""
    for mark, state in (
        ("password authentication failed", "28P01"),
        ("no password supplied", "28P01"),
        ("no pg_hba.conf entry", "28000"),
        ("does not exist", "3D000" if "database" in text else "28000"),
    ):
        if mark in text:
            return state
    return ""


def _engine(location: Location) -> Any:
    from sqlalchemy import create_engine, event, make_url, pool

    if location.database == "SQLite":
        return create_engine("sqlite://", poolclass=pool.NullPool, creator=lambda: _sqlite(location))
    try:
        url = make_url(location.full_url().replace("postgresql:", "postgresql+psycopg:", 1))
    except ValueError:
        what = "the port is not a number. Write postgresql://USER@HOST:PORT/DATABASE::TABLE."
        raise DataError(f"{location.shown}: {what}") from None
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"connect_timeout": WAIT})

    @event.listens_for(engine, "connect")
    def settle(connection: Any, _record: Any) -> None:
        connection.execute(_SETTINGS)
        connection.commit()

    return engine


def _sqlite(location: Location) -> sqlite3.Connection:
    """A connection to the file of a database, made where it does not exist; transactions are begun by statements."""
    from urllib.parse import quote

    url = f"file:{quote(os.fsencode(location.file))}?mode=rwc"
    return sqlite3.connect(url, uri=True, isolation_level=None, timeout=WAIT, check_same_thread=False)


def kinds_of_errors(location: Location) -> tuple[type[BaseException], ...]:
    """The errors to explain; raises `DataError` where SQLAlchemy or the driver is not installed."""
    try:
        import sqlalchemy

        if location.database == "SQLite":
            return (sqlalchemy.exc.SQLAlchemyError, sqlite3.Error)
        import psycopg
    except ImportError as err:
        packages = "'SQLAlchemy>=2'" + (" 'psycopg[binary]'" if location.database != "SQLite" else "")
        raise DataError(
            f"{location.shown}: {location.database} needs packages that are not installed here ({err}). "
            f"Install the extra `sql` of dss-minihost, or: {sys.executable} -m pip install {packages}"
        ) from err
    return (sqlalchemy.exc.SQLAlchemyError, psycopg.Error)
