"""Where a SQL table lies: the URL of its database, its schema and its name, as one text `URL::SCHEMA.TABLE`."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from minihost.errors import DataError

DATABASES = {"postgresql": "PostgreSQL", "postgres": "PostgreSQL", "sqlite": "SQLite"}
"""Scheme of a URL -> the database, as the platform calls it."""

UNSUPPORTED = ("mysql", "mariadb", "mssql", "oracle", "snowflake", "redshift", "duckdb", "bigquery", "trino", "hive")
"""Schemes that are recognised as those of databases, to be refused."""

_SCHEME = re.compile(rf"(?i)({'|'.join((*DATABASES, *UNSUPPORTED))})(\+\w+)?://")
_USER = re.compile(r"(?P<head>^[\w+]+://[^:/@]*:)(?P<password>[^@]+)(?=@)")
_QUERY = re.compile(r"(?i)(?P<head>[?&](?:ssl)?password=)(?P<password>(?:[^&:]|:(?!:))+)")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_MOVED = re.compile(r"\$\{MINIHOST_PASSWORD_\w+\}")
_SPECIAL = re.compile(r"[%./:@\]]")


def is_sql(reference: str) -> bool:
    """Whether a reference is the URL of a database."""
    return _SCHEME.match(reference) is not None


@dataclass(frozen=True)
class Location:
    """One table of one database. `url` holds no password: it names the environment variable that does."""

    url: str
    table: str
    schema: str = ""

    @property
    def database(self) -> str:
        """PostgreSQL or SQLite."""
        return DATABASES[self.url.partition(":")[0]]

    @property
    def path(self) -> str:
        """The location as one text, which `located` reads."""
        parts = [_SPECIAL.sub(lambda one: f"%{ord(one[0]):02X}", part) for part in (self.schema, self.table) if part]
        return f"{self.url}::{'.'.join(parts)}"

    @property
    def shown(self) -> str:
        """The location for messages; a password that was written out is `*****`."""
        return without_secrets(self.path)

    @property
    def place(self) -> str:
        """The location as a text that is the same for every way to write it: SQLite has no two names that differ in
        case alone."""
        is_folded = self.database == "SQLite" and self.table.isascii()
        return Location(self.url, self.table.lower()).path if is_folded else self.path

    @property
    def file(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.url.removeprefix("sqlite:///"))

    def secrets(self) -> list[str]:
        """Return the passwords that the URL names, decoded, and the one that PostgreSQL's own programs use."""
        found = [one for pattern in (_USER, _QUERY) for one in pattern.finditer(self.url)]
        names = [name for one in found for name in _VARIABLE.findall(one["password"])]
        names += ["PGPASSWORD"] if self.database == "PostgreSQL" else []
        return [os.environ[name] for name in names if os.environ.get(name)]

    def full_url(self) -> str:
        """Return the URL with the values of its environment variables; raises `DataError` where one is not set."""

        def value(found: re.Match[str]) -> str:
            if found[1] not in os.environ:
                raise DataError(f"{self.shown}: the environment variable {found[1]} is not set.")
            text = os.environ[found[1]]
            is_quoted = found.start() < self.url.find("@") or "?" in self.url[: found.start()]
            return quote(text, safe="") if is_quoted else text

        return _VARIABLE.sub(value, self.url)


def quoted(*names: str) -> str:
    """Return a name, or a schema and a name, as statements have it; empty ones are left out."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names if name)


def guarded(reference: str) -> str:
    """Return a reference whose password, if it is written out, stands in an environment variable of this process.

    So no file, message or list of a job ever holds it. Anything else is returned as it is.
    """
    if not is_sql(reference):
        return reference
    bare = _QUERY.sub(r"\g<head>", _USER.sub(r"\g<head>", reference)).partition("::")[0]

    def moved(found: re.Match[str]) -> str:
        if _VARIABLE.fullmatch(found["password"]):
            return found[0]
        what = f"{bare} {found['head']}".encode("utf-8", "surrogateescape")
        name = f"MINIHOST_PASSWORD_{zlib.crc32(what):08X}"
        os.environ[name] = unquote(_VARIABLE.sub(lambda one: os.environ.get(one[1], one[0]), found["password"]))
        return f"{found['head']}${{{name}}}"

    return _QUERY.sub(moved, _USER.sub(moved, reference))


def without_secrets(text: str) -> str:
    """Return a text for people to see: what stands for a password that was written out is `*****`."""
    return _MOVED.sub("*****", text)


def located(reference: str, project: Path | None = None, table: str = "", schema: str = "") -> Location:
    """Return the location that a text means: `URL::TABLE`, `URL::SCHEMA.TABLE`, or a URL with the names given apart.

    The file of a SQLite database is relative to the project. Raises `DataError` where no table is named, and for
    databases that are not supported.
    """
    whole = _VARIABLE.fullmatch(reference)
    if whole:
        if whole[1] not in os.environ:
            raise DataError(f"{reference}: the environment variable {whole[1]} is not set.")
        reference = os.environ[whole[1]]
    reference = guarded(reference)
    found = _SCHEME.match(reference)
    if found is None:
        raise DataError("This is not the URL of a database: postgresql://USER@HOST/DATABASE or sqlite:///FILE.")
    scheme = found[1].lower()
    if scheme not in DATABASES:
        raise DataError(f"Databases of {scheme} are not supported: PostgreSQL and SQLite are.")
    url, names = reference, ""
    if "::" in reference:
        head, _, last = reference.rpartition("::")
        url, names = (head, last) if last and not set(last) & set("/@]") else (reference, "")
    if names and not table:
        above, _, below = names.rpartition(".")
        schema, table = unquote(above), unquote(below)
    if not table:
        url = without_secrets(url)
        raise DataError(f"{url}: which table? Write {url}::TABLE, or URL::SCHEMA.TABLE.")
    rest = url[found.end() :]
    kind = "sqlite" if scheme == "sqlite" else "postgresql"
    location = Location(_sqlite_url(rest, project) if kind == "sqlite" else f"{kind}://{rest}", table, schema)
    if kind == "sqlite" and schema not in ("", "main"):
        raise DataError(f"{location.shown}: a SQLite database has no schema {schema!r}. Leave the schema out.")
    return Location(location.url, table) if kind == "sqlite" else location


def secrets(paths: Iterable[str]) -> list[str]:
    """Return the passwords of every location among these texts, and those that were written out in others."""
    moved = [value for name, value in os.environ.items() if name.startswith("MINIHOST_PASSWORD_")]
    return [*dict.fromkeys([*(one for path in paths if is_sql(path) for one in located(path).secrets()), *moved])]


def _sqlite_url(rest: str, project: Path | None) -> str:
    """The URL of a SQLite file with an absolute path; `rest` follows `sqlite://`."""
    file = rest.removeprefix("/")
    if not file or file == ":memory:":
        raise DataError("A SQLite database is a file here: sqlite:///data.db, or sqlite:////absolute/data.db.")
    if "?" in file:
        raise DataError(f"sqlite:///{file}: settings after '?' are for PostgreSQL. A SQLite database is a file.")
    if "\0" in file:
        raise DataError(f"sqlite:///{file!r}: a path has no NUL character.")
    path = Path(file).expanduser()
    return f"sqlite:///{((project or Path.cwd()) / path).resolve()}"
