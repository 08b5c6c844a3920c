"""The model folder: opened, rebuilt, converted, written. The format lives here only.

What writes models is imported when it is first asked for: scoring a picture needs none of it, and should start quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vision_recipes.model_folder.checks import Check
from vision_recipes.model_folder.config import ExtraColumn, HeadConfig, Layer, ModelConfig, Network
from vision_recipes.model_folder.folder import Model, open_model

if TYPE_CHECKING:
    from vision_recipes.model_folder.heads import About, Head, attach_head, resize, save_with_head, spec_with_head
    from vision_recipes.model_folder.saving import ModelSpec, save_model

_WRITERS = {
    "heads": ("About", "Head", "attach_head", "resize", "save_with_head", "spec_with_head"),
    "saving": ("ModelSpec", "save_model"),
}

__all__ = [
    "About",
    "Check",
    "ExtraColumn",
    "Head",
    "HeadConfig",
    "Layer",
    "Model",
    "ModelConfig",
    "ModelSpec",
    "Network",
    "attach_head",
    "open_model",
    "resize",
    "save_model",
    "save_with_head",
    "spec_with_head",
]


def __getattr__(name: str) -> Any:
    for module, names in _WRITERS.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
