"""The plugin's own read-only files: beside python-lib in a checkout or host, under share/ when installed."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def plugin_version() -> str:
    """Return the version in the plugin's own plugin.json: metadata of an editable install may be older than the code.

    Empty where the file is missing.
    """
    import json

    try:
        return str(json.loads((resource_folder().parent / "plugin.json").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return ""


@cache
def resource_folder() -> Path:
    """Return the plugin's `resource` folder; raises FileNotFoundError with the places looked at."""
    import sysconfig
    from importlib import metadata

    places = [Path(__file__).resolve().parents[2] / "resource"]
    try:
        shipped = metadata.files("vision-recipes") or []
    except metadata.PackageNotFoundError:
        shipped = []
    places += [
        Path(str(file.locate())).resolve().parent
        for file in shipped
        if file.parts[-3:] == ("vision-recipes", "resource", "catalogue.json")
    ]
    places.append(Path(sysconfig.get_path("data"), "share", "minihost", "plugins", "vision-recipes", "resource"))
    for place in places:
        if (place / "catalogue.json").is_file():
            return place
    raise FileNotFoundError(
        f"The plugin's resource folder is missing (looked in {', '.join(map(str, places))}). Install the plugin again."
    )
