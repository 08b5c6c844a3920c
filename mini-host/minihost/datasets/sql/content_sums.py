"""A sum over the content of a table, which tells whether it is still what it was."""

from __future__ import annotations

import hashlib
from typing import Any

from minihost.datasets.sql.connections import connected
from minihost.datasets.sql.locations import quoted
from minihost.datasets.sql.table import SqlTable


def content_sum(table: SqlTable) -> list[Any]:
    """Return the columns of a table, and a sum over all rows, made where the rows are.

    PostgreSQL sums them itself, whatever their order; a SQLite file is read. Empty where there is no table.
    """
    if not table.exists():
        return []
    place = table.location
    with connected(place) as connection:
        source = quoted(place.schema, place.table)
        cursor = connection.connection.driver_connection.cursor()
        if place.database == "PostgreSQL":
            summed = "count(*), sum(hashtextextended(r::text, 0)::numeric), sum(hashtextextended(r::text, 1)::numeric)"
            found = [str(fact) for fact in cursor.execute(f"SELECT {summed} FROM {source} AS r").fetchone()]
        else:
            total = hashlib.sha256()
            for row in cursor.execute(f"SELECT * FROM {source}"):
                total.update(repr(row).encode("utf-8", "surrogatepass"))
            found = [total.hexdigest()]
    return [table.columns(), *found]
