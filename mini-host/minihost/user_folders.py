"""Where the host keeps things of its own: installed plugins, unpacked zips."""

from __future__ import annotations

import os
from pathlib import Path

ASIDE = ".old-"
"""In front of a plugin's id: its folder while a new version takes its place."""


def home() -> Path:
    """The host's own folder: `MINIHOST_HOME`, or the platform's place for a user's data."""
    named = os.environ.get("MINIHOST_HOME")
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("minihost", appauthor=False)


def plugin_store() -> Path:
    """Where installed plugins lie, each in a folder named by its id."""
    return home() / "plugins"


def zip_cache() -> Path:
    """Where zips that are used without being installed are unpacked, each in a folder named by its SHA-256."""
    return home() / "cache" / "zips"


def code_env_store() -> Path:
    """Where code environments lie: a folder for each plugin, by id."""
    return home() / "envs"
