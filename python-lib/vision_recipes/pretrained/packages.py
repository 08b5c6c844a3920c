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
            f"The Python package {name}, which holds the weights of {row.name}, is not installed. {_how_to_get(row)}"
        ) from err
    for file in files:
        path = Path(str(file.locate()))
        if file.name == expected and path.is_file():
            return path
    raise DownloadError(
        f"The installed package {name} {metadata.version(name)} has no file {expected}, as version {version} has. "
        f"{_how_to_get(row)}"
    )


def _how_to_get(row: Architecture) -> str:
    return f"Get it with pip install {row.package}; in DSS, add {row.package} to the plugin's code environment."
