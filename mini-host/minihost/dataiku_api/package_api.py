"""The module `dataiku` itself."""

from __future__ import annotations

import copy
import importlib
import sys
from pathlib import Path
from typing import Any

from minihost.dataiku_api import session
from minihost.dataiku_api.api_client import Client
from minihost.dataiku_api.dataset import Dataset, Schema
from minihost.dataiku_api.folder import Folder
from minihost.dataiku_api.metrics import ComputedMetrics
from minihost.dataiku_api.missing_names import Telling
from minihost.dataiku_api.sql_executor import SQLExecutor2
from minihost.errors import DataError

__all__ = [
    "ComputedMetrics",
    "Dataset",
    "Folder",
    "Project",
    "SQLExecutor2",
    "Schema",
    "api_client",
    "default_project_key",
    "dku_flow_variables",  # noqa: F822 (computed when asked for)
    "get_custom_variables",
    "get_dss_settings",
    "get_flow_variables",
    "import_from_plugin",
    "set_default_project_key",
    "use_plugin_libs",
]


def default_project_key():
    """Return the key of the project that the job belongs to."""
    return session.current().job.project_key


def set_default_project_key(project_key):
    """Choose the project whose names come without a key; raises when it is not the one of this job."""
    api_client().get_project(project_key)


def api_client():
    """Return a client of the local project's API."""
    return Client()


def get_flow_variables():
    """Return the variables of partitioned runs, `DKU_DST_…` and `DKU_SRC_…`; empty when nothing is partitioned."""
    return flow_variables(session.current())


def get_custom_variables(typed=False, project_key=None):
    """Return the project's variables (text, unless typed), with `projectKey` and `dip.home` among them."""
    now = session.current()
    found: dict[str, Any] = {
        "projectKey": now.job.project_key,
        "dip.home": str(now.job.platform_home),
    }
    for variables in (now.variables["standard"], now.variables["local"]):
        found.update(variables)
    return copy.deepcopy(found) if typed else {name: _text(value) for name, value in found.items()}


def _text(value: Any) -> str:
    from minihost.datasets.cells import to_text

    return to_text(value)


def get_dss_settings():
    """Return the settings of the instance: there is none, so it has no features."""
    return {"features": []}


def use_plugin_libs(plugin_id):
    """Put another plugin's python-lib on the module path."""
    roots = session.current().job.plugins
    if plugin_id not in roots:
        raise DataError(f"Plugin {plugin_id!r} is not installed here. Known: {', '.join(sorted(roots)) or 'none'}.")
    place = str(Path(roots[plugin_id], "python-lib"))
    if place not in sys.path:
        sys.path.append(place)


def import_from_plugin(plugin_id, package_name):
    """Import a module of another plugin's python-lib and return it."""
    use_plugin_libs(plugin_id)
    return importlib.import_module(package_name)


class Project(Telling):
    """A project, as `dataiku.Project` shows it: its key and its variables."""

    _dss_name = "dataiku.Project"

    def __init__(self, project_key=None):
        self.project_key = project_key or default_project_key()

    def get_variables(self):
        """Return the variables: `{"standard": …, "local": …}`."""
        return Client().get_project(self.project_key).get_variables()

    def set_variables(self, variables):
        """Replace the variables, for as long as the run lasts."""
        Client().get_project(self.project_key).set_variables(variables)


def flow_variables(now: session.Session) -> dict[str, str]:
    """Return the flow variables of a job: for each dimension, what is written and what is read."""
    found: dict[str, str] = {}
    for prefix, references in (("DKU_DST", now.job.outputs), ("DKU_SRC", now.job.inputs)):
        for reference in references:
            dimensions = (reference.options.get("partitioning") or {}).get("dimensions", [])
            if not dimensions or not reference.partitions:
                continue
            stem = prefix if prefix == "DKU_DST" else f"{prefix}_{reference.name}"
            if len(reference.partitions) > 1:
                found.update(_several(stem, dimensions, reference.partitions))
                continue
            for dimension, value in zip(dimensions, reference.partitions[0].split("|"), strict=False):
                found[f"{stem}_{dimension['name']}"] = value
                if dimension.get("type") == "time":
                    pieces = value.split("-")
                    found.update(
                        {
                            f"{stem}_{word}": piece
                            for word, piece in zip(("YEAR", "MONTH", "DAY", "HOUR"), pieces, strict=False)
                        }
                    )
                    found[f"{stem}_DATE"] = "-".join(pieces[:3])
    return found


def _several(stem: str, dimensions: list[dict[str, Any]], partitions: list[str]) -> dict[str, str]:
    """The variables of an input of which several partitions are read: a list of quoted values for each dimension."""
    columns = zip(*(partition.split("|") for partition in partitions), strict=False)
    return {
        f"{stem}_{dimension['name']}_VALUES": ",".join(f"'{value}'" for value in dict.fromkeys(values))
        for dimension, values in zip(dimensions, columns, strict=False)
    }


def __getattr__(name: str) -> Any:
    if name == "dku_flow_variables":
        return flow_variables(session.current())
    raise AttributeError(f"module 'dataiku' of the mini-host has no attribute {name!r}")
