"""Model folders of the predecessor plugin (Deep learning on images, versions 1 and 2), read for import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder import catalogue

DEFAULT_SIDE = 197


@dataclass(frozen=True)
class PredecessorModel:
    """A model of the predecessor plugin. With a `pooling` it was retrained, and has its own last layer.

    That plugin scored retrained models at the base network's own size; `width` and `height` are those of training.
    """

    architecture: catalogue.Architecture
    weights: str
    width: int
    height: int
    n_classes: int
    pooling: str = ""
    note: str = ""


def is_predecessor(config: Mapping[str, Any]) -> bool:
    """Return whether a config.json is one of the predecessor plugin."""
    return "architecture" in config and "format" not in config and "network" not in config


def read_predecessor(config: Mapping[str, Any], names: list[str], where: str) -> PredecessorModel:
    """Return the model that a config.json and the names of the folder's files describe; raises ModelFolderError."""
    name, trained_on = str(config.get("architecture"))[:100], str(config.get("trained_on", "imagenet"))[:100]
    row = catalogue.find(name)
    retrained, top = bool(config.get("retrained")), config.get("top_params")
    top = top if isinstance(top, dict) else {}
    if retrained and not top:
        raise ModelFolderError(f"{where} is of a retrained model without a description of its last layer (top_params).")
    if retrained:
        choices = [f"{name}_{trained_on}_weights_retrained.h5", "model_weights_notop.h5", "model_weights.h5"]
    else:
        choices = [f"{name}_{trained_on}_weights.h5", "model_weights.h5"]
    weights = next((choice for choice in choices if choice in names), "")
    if not weights:
        raise ModelFolderError(f"{where} has none of the weights files {', '.join(choices)}: {', '.join(names[:8])}.")
    if not retrained:
        return PredecessorModel(row, weights, row.width, row.height, 1000)
    height, width = _size(top)
    classes = top.get("n_classes")
    if type(classes) is not int or not 2 <= classes <= 100_000:
        raise ModelFolderError(f"{where}: config.json has n_classes {classes!r}, which is not a number of classes.")
    pooling = {"avg": "avg", "max": "max"}.get(str(top.get("pooling")).lower(), "none")
    note = ""
    if (width, height) != (row.width, row.height):
        note = f"trained and used at {width} x {height} pixels; the predecessor scored at {row.width} x {row.height}"
    return PredecessorModel(row, weights, width, height, classes, pooling, note)


def _size(top: Mapping[str, Any]) -> tuple[int, int]:
    shape = top.get("input_shape")
    sides = [side for side in shape if type(side) is int and 8 <= side <= 4096] if isinstance(shape, list) else []
    return (sides[0], sides[1]) if len(sides) == 2 else (DEFAULT_SIDE, DEFAULT_SIDE)
