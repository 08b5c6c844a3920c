"""Datasets that are SQL tables: where they lie, as the platform's API describes it, and what a run writes to them."""

from __future__ import annotations

from typing import Any

from minihost.datasets import table
from minihost.datasets.sql import Location, is_sql, located
from minihost.datasets.sql.locations import quoted
from minihost.job import Reference
from minihost.outputs.stages import Stage


def location_info(reference: Reference) -> dict[str, Any]:
    """Return the answer of `Dataset.get_location_info`: where a SQL table lies, or the path of a file."""
    if not is_sql(reference.path):
        return {"locationInfoType": "FS", "info": {"path": reference.path, "isSensitive": False}}
    place = located(reference.path)
    info = {
        "databaseType": place.database,
        "connectionName": _connection(reference, place),
        **_names(place),
        "quotedResolvedTableName": quoted(place.schema, place.table),
    }
    return {"locationInfoType": "SQL", "info": info}


def staged(stage: Stage, reference: Reference, partitions: list[str]) -> Any:
    """Return what a run has written to a dataset so far."""
    if stage.kind == "TABLE":
        from minihost.datasets.sql.staged import StagedRows

        return StagedRows(stage.data, located(reference.path))
    return table(stage.data, reference.options, partitions)


def definition(reference: Reference) -> dict[str, Any]:
    """Return what is different in the definition of a SQL table, nothing for other datasets."""
    if not is_sql(reference.path):
        return {}
    place = located(reference.path)
    params = {"connection": _connection(reference, place), "mode": "table", **_names(place)}
    return {"type": place.database, "formatType": None, "params": params}


def _connection(reference: Reference, place: Location) -> str:
    """The name of a connection: the one that flow.yaml gives it, else the URL."""
    return str(reference.options.get("connection") or place.url)


def _names(place: Location) -> dict[str, str]:
    return {"table": place.table, **({"schema": place.schema} if place.schema else {})}
