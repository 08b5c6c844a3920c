"""Checks the column names in a job's parameters against the columns that its input datasets have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minihost.hookspecs import hookimpl
from minihost.job import Job
from minihost.plugins import Component
from minihost.suggestions import did_you_mean, one_of

_LISTED = 30


@hookimpl
def minihost_check_job(job: Job, component: Component) -> list[str]:
    """One mistake for each column that is not in the dataset of its role; datasets without data yet are let pass."""
    return list(_missing_columns(job, component))


def _missing_columns(job: Job, component: Component) -> Iterator[str]:
    from minihost.parameters.schema import shown

    form = shown(component.params, job.config)
    for name in form.params:
        param, value = form.params[name], job.config.get(name)
        if (
            param.get("type") not in ("COLUMN", "COLUMNS")
            or name not in form.visible
            or value == param.get("defaultValue")
        ):
            continue
        columns = _columns(job, str(param.get("columnRole")))
        wanted = value if isinstance(value, list) else [value]
        for column in wanted if columns else ():
            if isinstance(column, str) and column and column not in columns:
                yield (
                    f"Parameter {name!r}: the dataset of role {param['columnRole']!r} has no column {column!r}."
                    f"{did_you_mean(column, columns)} Columns: {_listed(columns)}."
                )


def _listed(columns: list[str]) -> str:
    """Return the columns for a message: the first of many, since a vector may have a column for each number."""
    names = sorted(columns)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{one_of(names[:_LISTED])}{more}"


def _columns(job: Job, role: str) -> list[str]:
    """The columns of what fills an input role; empty where they are not known."""
    from minihost.datasets import table
    from minihost.errors import DataError

    names: list[Any] = []
    for reference in job.inputs:
        if reference.role == role and reference.type == "DATASET":
            try:
                names += [column["name"] for column in table(reference.path, reference.options).columns()]
            except (DataError, OSError, UnicodeError, ValueError):
                return []
    return names
