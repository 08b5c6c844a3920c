"""Builds the host from its parts: its own features first, then what others registered."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import entry_points

import pluggy

from minihost import hookspecs
from minihost.errors import HostError

BUILT_IN = (
    "minihost.plugins.discovery",
    "minihost.projects.column_checks",
    "minihost.runs.local_runner",
    "minihost.workers.local_placement",
    "minihost.workers.ray_placement",
    "minihost.cli",
)
"""The modules whose hook implementations are the host's own features."""

GROUP = "minihost"
"""The entry-point group by which others extend the host."""


class HostPluginError(HostError):
    """A host plugin that cannot be used: the host does not start with half of its parts."""

    exit_code = 1


@cache
def manager() -> pluggy.PluginManager:
    """The host's plugin manager with everything registered and checked; raises `HostPluginError`."""
    built = pluggy.PluginManager("minihost")
    built.add_hookspecs(hookspecs)
    for name in BUILT_IN:
        built.register(importlib.import_module(name), name=name)
    for point in entry_points(group=GROUP):
        # A rejected plugin stays registered in pluggy, and a broken one may have done half its work: both are fatal.
        try:
            built.register(point.load(), name=f"{GROUP}:{point.name}")
            built.check_pending()
        except Exception as err:
            home = f" of the package {point.dist.name!r}" if point.dist else ""
            raise HostPluginError(
                f"The host plugin {point.name!r}{home} ({point.value}) cannot be used: {type(err).__name__}: {err}. "
                "Fix or uninstall that package."
            ) from err
    built.check_pending()
    return built


def hooks() -> pluggy.HookRelay:
    """The host's hooks, to be called: `hooks().minihost_find_plugins(search=…)`."""
    return manager().hook
