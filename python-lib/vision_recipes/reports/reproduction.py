"""How a model came about: the settings that were not the usual ones, versions, and the command that repeats it."""

from __future__ import annotations

import platform
import shlex
from dataclasses import fields
from importlib import metadata
from typing import Any

from vision_recipes.reports.training_record import Record
from vision_recipes.settings import ComputeSettings, RetrainSettings
from vision_recipes.training.run_reports import PACKAGES

_PAIRS = ("model_custom_params_opti", "model_custom_params_data_augmentation")


def settings(record: Record | None) -> list[tuple[str, str, bool]]:
    """Return the training's parameters as name, value, and whether the value is not the default."""
    if record is None:
        return []
    defaults, given = RetrainSettings(), record.parameters
    found = []
    for name in (field.name for field in fields(RetrainSettings) if field.name in given and field.name != "compute"):
        value, usual = _plain(given[name]), _plain(getattr(defaults, name))
        found.append((name, value, value != usual))
    return sorted(found, key=lambda row: not row[2])


def versions(record: Record | None) -> list[tuple[str, str, str]]:
    """Return packages with the version in use now and the one that the model was trained with."""
    now = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            now[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    then = record.versions if record else {}
    return [(name, now.get(name, ""), then.get(name, "")) for name in dict.fromkeys([*now, *then])]


def command(record: Record | None) -> str:
    """Return the mini-host's command that trains so again, on folders whose names stand in capitals."""
    if record is None or not record.parameters:
        return ""
    words = ["minihost run vision-retrain -i image_folder=PICTURES -i model_folder=BASE_MODEL -o model_output=MODEL"]
    if record.parameters.get("label_source") == "dataset":
        words.append("-i label_dataset=LABELS")
    for name, value, changed in settings(record):
        if changed and value:
            words.append("-p " + shlex.quote(f"{name}={_given(name, record.parameters[name])}"))
    compute, usual = record.parameters.get("compute"), ComputeSettings()
    for field in fields(ComputeSettings):
        chosen = compute.get(field.name) if isinstance(compute, dict) else None
        if chosen is not None and chosen != getattr(usual, field.name):
            words.append("-p " + shlex.quote(f"compute.{field.name}={chosen}"))
    return " \\\n    ".join(words)


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(" = ".join(map(str, item)) if isinstance(item, list | tuple) else str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _given(name: str, value: Any) -> str:
    import json

    if name in _PAIRS and isinstance(value, list):
        return json.dumps({str(pair[0]): str(pair[1]) for pair in value if isinstance(pair, list) and len(pair) == 2})
    if isinstance(value, list | dict):
        return json.dumps(value)
    return _plain(value)
