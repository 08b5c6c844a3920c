"""The settings of plugins that a project gives under `settings:` in its flow.yaml, below what a command gives."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any

from minihost.parameters.resolving import Given
from minihost.plugins import Plugin
from minihost.projects.project import Project

_VARIABLE = re.compile(r"\$\{(\w+)\}")


def given(plugin: Plugin, settings: Given, project: Project, mistakes: list[str]) -> Given:
    """Return what a command gave together with what the project gives; a value that is `${NAME}` alone is that
    environment variable. One that is not set goes to the mistakes."""
    values: dict[str, Any] = {}
    for name, value in project.flow.settings.get(plugin.id, {}).items():
        found = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
        if found and found[1] not in os.environ:
            mistakes.append(f"Plugin setting {name!r}: there is no environment variable {found[1]!r}.")
        values[name] = os.environ.get(found[1], "") if found else value
    return replace(settings, values={**values, **settings.values})


def explained(plugin: Plugin, mistakes: list[str]) -> list[str]:
    """Return the mistakes with where a setting that is missing can be given."""
    places = f"Give it with --setting, or in flow.yaml under `settings:`, `{plugin.id}:`."
    found = [f"Plugin setting: {mistake}" for mistake in mistakes]
    return [f"{one} {places}" if " is missing: " in one else one for one in found]
