"""Outputs that are SQL tables: filled within transactions that become visible together with the other outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from minihost.datasets.sql import is_sql
from minihost.errors import HostError
from minihost.job import Reference
from minihost.outputs.stages import Stage

if TYPE_CHECKING:
    from minihost.datasets.sql.targets import Target


@contextmanager
def filled(tables: Sequence[Stage], stages: Sequence[Stage]) -> Iterator[Callable[[], None]]:
    """Fill these tables, for now invisibly, and hand out what makes that visible.

    Where a database refuses, every one of the stages is discarded and `HostError` raised.
    """
    if not tables:
        yield lambda: None
        return
    from minihost.datasets.sql.loading import Loads
    from minihost.datasets.sql.staged import StagedRows

    with Loads() as loads:
        try:
            for stage in tables:
                target = stage.base.location
                loads.add(target, StagedRows(stage.data, target), append=stage.base.append)
        except HostError as err:
            _discard(stages)
            raise _kept(err) from err

        def decide() -> None:
            try:
                loads.commit()
            except HostError as err:
                _discard(stages)
                raise _kept(err) from err

        yield decide


def target(reference: Reference) -> Target | None:
    """Return the SQL table of a reference, None for other references; raises `DataError` where it cannot be written."""
    if not is_sql(reference.path):
        return None
    from minihost.datasets.sql.targets import Target

    return Target(reference.path, append=bool(reference.options.get("append"))).checked()


def _discard(stages: Sequence[Stage]) -> None:
    for stage in stages:
        stage.discard()


def _kept(err: HostError) -> HostError:
    return type(err)(f"{err} The outputs are as they were before.")
