"""The model folder: opened, rebuilt, converted, written. The format lives here only."""

from vision_recipes.models.checks import Check
from vision_recipes.models.config import ExtraColumn, HeadConfig, Layer, ModelConfig, Network
from vision_recipes.models.folder import Model, open_model
from vision_recipes.models.heads import About, Head, attach_head, resize, save_with_head, spec_with_head
from vision_recipes.models.saving import ModelSpec, save_model

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
