"""Datasets as the platform describes them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from minihost.dataiku_api import sql_places


def definition(reference: Any, columns: Any) -> dict[str, Any]:
    """Return a dataset's definition as the platform gives it."""
    kind = {".parquet": "parquet", ".xlsx": "excel"}.get(Path(reference.path).suffix.lower(), "csv")
    return {
        "projectKey": reference.project_key,
        "name": reference.name,
        "type": "Filesystem",
        "managed": True,
        "formatType": kind,
        "formatParams": {},
        "params": {"path": reference.path, "connection": "filesystem_managed"},
        "schema": {"columns": copy.deepcopy(list(columns)), "userModified": False},
        "partitioning": copy.deepcopy(reference.options.get("partitioning") or {"dimensions": []}),
        "tags": [],
        "customFields": custom_fields(reference),
        **sql_places.definition(reference),
        "metrics": {"probes": [], "engineConfig": {}},
    }


def custom_fields(reference: Any) -> dict[str, Any]:
    """Return the custom fields that flow.yaml gives a dataset or folder, or that this run has set."""
    return copy.deepcopy(reference.options.get("customFields") or {})
