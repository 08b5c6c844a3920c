"""What a run writes to a SQL table, kept in a file of its own until the run has succeeded.

The file is a SQLite database for the host's own use, whatever database the rows go to in the end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minihost.datasets import schema
from minihost.datasets.sql import values
from minihost.datasets.sql.locations import Location
from minihost.datasets.sql.rows import RowTable
from minihost.datasets.writer import Writer, check_width
from minihost.errors import DataError, UnfitDataError

if TYPE_CHECKING:
    import sqlite3

LONGEST_NAME = 63
"""Bytes of a name in PostgreSQL; longer ones would be cut."""

MOST_COLUMNS = 1600
GATHERED = 500
"""Rows that are stored at once."""


class StagedRows(RowTable):
    """The rows of one output, in the order in which they were written."""

    def __init__(self, file: Path, location: Location) -> None:
        self.file, self.location = file, location
        self.path = location.shown

    def exists(self) -> bool:
        """Whether rows were written, or that there are none."""
        return self.file.is_file()

    def columns(self) -> schema.Columns:
        """Return the columns that the run declared."""
        return list((schema.read(self.file) or {}).get("columns", []))

    def set_columns(self, columns: Iterable[dict[str, Any]]) -> None:
        """Declare the columns; raises `DataError` for names that the database cannot have, `UnfitDataError` where rows
        that were written cannot have the new types."""
        checked = schema.checked(columns, self.path)
        check_names([column["name"] for column in checked], self.location)
        if self.exists():
            try:
                self._retyped(checked)
            except DataError as err:
                raise UnfitDataError(str(err)) from err
        schema.write(self.file, checked)

    def discard(self) -> None:
        """Forget the rows; the columns stay."""
        self.file.unlink()

    def raw(self) -> Iterator[tuple[values.Raw, ...]]:
        """Yield each row as it is stored."""
        import sqlite3

        with contextlib.closing(sqlite3.connect(self.file)) as connection:
            yield from connection.execute("SELECT * FROM rows ORDER BY rowid")

    def values(self) -> Iterator[tuple[Any, ...]]:
        """Yield each row, values typed by the columns."""
        readers = [values.reader(column["type"]) for column in self.columns()]
        for row in self.raw():
            yield tuple([read(cell) for read, cell in zip(readers, row, strict=True)])

    def writer(self, columns: schema.Columns, *, append_to: Any = None) -> StagedWriter:
        """Open a writer that puts the rows in place when it is closed."""
        check_names([column["name"] for column in columns], self.location)
        writer = StagedWriter(self, columns)
        if append_to is not None:
            writer.write(append_to.values())
        return writer

    def _retyped(self, columns: schema.Columns) -> None:
        """Write the rows that are there anew, by position, when their types change."""
        if [column["type"] for column in columns] != [column["type"] for column in self.columns()]:
            width = len(columns)
            with StagedWriter(self, columns) as writer:
                writer.write([*row[:width], *[None] * (width - len(row))] for row in self.values())


class StagedWriter(Writer):
    """Writes rows to a file beside the final one, and renames it when closed; unclosed, nothing appears."""

    def __init__(self, table: StagedRows, columns: schema.Columns) -> None:
        import sqlite3

        self.table, self.columns = table, columns
        self.kinds = [column["type"] for column in columns]
        self.part = table.file.with_name(table.file.name + ".part")
        self.part.unlink(missing_ok=True)
        self.done = 0
        self.gathered: list[Sequence[values.Raw]] = []
        self.connection: sqlite3.Connection | None = sqlite3.connect(self.part, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = OFF")
        self.connection.execute("PRAGMA synchronous = OFF")
        self.connection.execute("BEGIN")
        names = ", ".join(f"c{place}" for place in range(len(columns))) or "c0"
        self.connection.execute(f"CREATE TABLE rows ({names})")
        self.insert = f"INSERT INTO rows VALUES ({', '.join('?' * len(columns))})"

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows of values, in the order of the columns."""
        width = len(self.columns)
        for row in rows:
            check_width(row, width, self.table.path)
            self.done += 1
            try:
                stored = [values.stored(value, kind) for value, kind in zip(row, self.kinds, strict=True)]
            except (ValueError, TypeError, OverflowError) as err:
                raise self._unfit(row, err) from err
            self.gathered.append(stored)
            if len(self.gathered) >= GATHERED:
                self._flush()

    def write_frame(self, frame: Any) -> None:
        """Write a data frame by position."""
        try:
            columns = [values.of_series(frame.iloc[:, place], kind) for place, kind in enumerate(self.kinds)]
        except (ValueError, TypeError, OverflowError):
            self.write(zip(*(frame.iloc[:, place].tolist() for place in range(len(self.kinds))), strict=True))
            return
        self._flush()
        self._insert(zip(*columns, strict=True))
        self.done += len(frame)

    def write_texts(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows of texts; an empty text is null."""
        self.write([cell or None for cell in row] for row in rows)

    def close(self) -> None:
        """Put the rows in place; a second call does nothing."""
        if self.connection is None:
            return
        self._flush()
        self.connection.execute("COMMIT")
        self._end()
        schema.write(self.table.file, self.columns)
        self.part.replace(self.table.file)

    def abandon(self) -> None:
        """Drop what was written, unless it is in place already."""
        self._end()
        self.part.unlink(missing_ok=True)

    def _flush(self) -> None:
        self._insert(self.gathered)
        self.gathered = []

    def _insert(self, rows: Iterable[Sequence[values.Raw]]) -> None:
        import sqlite3

        assert self.connection is not None
        try:
            self.connection.executemany(self.insert, rows)
        except (UnicodeError, OverflowError) as err:
            why = "a file name that is not UTF-8" if isinstance(err, UnicodeError) else err
            raise DataError(f"{self.table.path}: a cell cannot be stored in a database: {why}.") from err
        except sqlite3.Error as err:
            raise DataError(f"{self.table.path}: rows cannot be kept in {self.part.parent}: {err}.") from err

    def _end(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _unfit(self, row: Sequence[Any], err: Exception) -> DataError:
        for column, value in zip(self.columns, row, strict=True):
            try:
                values.stored(value, column["type"])
            except (ValueError, TypeError, OverflowError) as why:
                name, kind = column["name"], column["type"]
                what = f"column {name!r} is {kind} and cannot hold what was written"
                return DataError(f"{self.table.path}, row {self.done}: {what}: {why}.")
        return DataError(f"{self.table.path}, row {self.done}: {err}.")


def check_names(names: list[str], location: Location) -> None:
    """Raise `DataError` for names of columns, or of the table, that the database cannot have or would change."""
    seen: dict[str, str] = {}
    for name in (location.table, *names):
        what = f"{location.shown}: the name {name!r}"
        if not name or "\0" in name or any("\ud800" <= letter <= "\udfff" for letter in name):
            raise DataError(f"{what} is no name for a database. Rename it.")
        if location.database == "PostgreSQL" and len(name.encode()) > LONGEST_NAME:
            raise DataError(f"{what} has {len(name.encode())} bytes; PostgreSQL has at most {LONGEST_NAME}. Rename it.")
    if location.database == "SQLite" and location.table.lower().startswith("sqlite_"):
        raise DataError(f"{location.shown}: SQLite keeps names that begin with `sqlite_` for itself. Rename it.")
    for name in names:
        folded = name.lower() if location.database == "SQLite" and name.isascii() else name
        if folded in seen:
            raise DataError(
                f"{location.shown}: {seen[folded]!r} and {name!r} are one column for {location.database}. Rename one."
            )
        seen[folded] = name
    if len(names) > MOST_COLUMNS:
        raise DataError(f"{location.shown}: {len(names)} columns; a table has at most {MOST_COLUMNS}.")
