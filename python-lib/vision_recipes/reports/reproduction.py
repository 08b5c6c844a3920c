"""What reproduces a model: the settings that differ from the defaults, the versions, and the command."""

from __future__ import annotations

import json
import platform
import shlex
from dataclasses import fields
from typing import Any

from vision_recipes.model_folder import catalogue
from vision_recipes.model_folder.commit import installed_versions
from vision_recipes.reports.training_record import TrainingRecord
from vision_recipes.settings import ComputeSettings
from vision_recipes.training.run_reports import PACKAGES
from vision_recipes.training_settings import RetrainSettings

_PAIRS = ("model_custom_params_opti", "model_custom_params_data_augmentation")


def settings(training: TrainingRecord | None) -> list[tuple[str, str, bool]]:
    """Return the training's parameters as (name, value, differs from the default), those that differ first."""
    given, found = training.parameters if training else {}, []
    for field in fields(RetrainSettings):
        if field.name in given and field.name != "compute":
            value, default = _text(given[field.name]), _text(getattr(RetrainSettings(), field.name))
            found.append((field.name, value, value != default))
    return sorted(found, key=lambda row: not row[2])


def versions(training: TrainingRecord | None) -> list[tuple[str, str, str]]:
    """Return packages with the installed version and the version that trained the model."""
    installed = {"python": platform.python_version()} | installed_versions(PACKAGES)
    trained = training.versions if training else {}
    names = dict.fromkeys([*installed, *trained])
    return [(name, installed.get(name, ""), trained.get(name, "")) for name in names]


def command(training: TrainingRecord | None) -> str:
    """Return the minihost command that trains the model again; names of folders to replace are in capitals."""
    if training is None or not training.parameters:
        return ""
    given = training.parameters
    words = ["minihost run vision-retrain", "-i image_folder=PICTURES", "-o model_output=MODEL"]
    if training.base != catalogue.DEFAULT:
        words.insert(2, "-i model_folder=BASE_MODEL")
    if given.get("label_source") == "dataset":
        words.append("-i label_dataset=LABELS")
    options = [
        f"{name}={_parameter(name, given[name])}" for name, value, changed in settings(training) if changed and value
    ]
    compute = given["compute"] if isinstance(given.get("compute"), dict) else {}
    for field in fields(ComputeSettings):
        value = compute.get(field.name)
        if value is not None and value != getattr(ComputeSettings(), field.name):
            options.append(f"compute.{field.name}={value}")
    return " \\\n  ".join(words + ["-p " + shlex.quote(option) for option in options])


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(" = ".join(map(str, item)) if isinstance(item, list | tuple) else str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parameter(name: str, value: Any) -> str:
    if name in _PAIRS and isinstance(value, list):
        return json.dumps({str(pair[0]): str(pair[1]) for pair in value if isinstance(pair, list) and len(pair) == 2})
    return json.dumps(value) if isinstance(value, list | dict) else _text(value)
