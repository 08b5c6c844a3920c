"""The parameters of a web app, and the folders that they name."""

from __future__ import annotations

import dataiku
from dataiku.customwebapp import get_webapp_config

from dss_ports.folders import ManagedFolder
from vision_recipes.errors import SettingsError


def chosen_folder(name: str) -> ManagedFolder:
    """Return the folder that a parameter of the web app names; raises SettingsError when it is empty."""
    chosen = get_webapp_config().get(name)
    if not chosen:
        raise SettingsError(f"{name}: no folder is chosen. Choose one in the settings of the web app.")
    return ManagedFolder(dataiku.Folder(chosen))
