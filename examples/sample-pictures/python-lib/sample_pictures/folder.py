"""Where the plugin touches its host: this module and the runner are the only files that import `dataiku`."""

from __future__ import annotations

import logging

import dataiku

from sample_pictures.settings import Settings

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")


def folder_to_fill(project_key: str, settings: Settings) -> dataiku.Folder:
    """Return the folder that the user chose, or a new one with the name that the user gave."""
    chosen = settings.output_managed_folder
    if not chosen:
        project = dataiku.api_client().get_project(project_key)
        chosen = project.create_managed_folder(settings.output_new_folder_name).id
    return dataiku.Folder(chosen, project_key=project_key)


def folder_of_table(project_key: str, settings: Settings) -> dataiku.Folder | None:
    """Return the folder that the user chose for the sample's table, if any."""
    chosen = settings.table_managed_folder
    return dataiku.Folder(chosen, project_key=project_key) if chosen else None
