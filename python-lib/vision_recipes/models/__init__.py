"""The model folder: opened, rebuilt, converted, written. The format lives here only."""

from vision_recipes.models.checks import Check
from vision_recipes.models.config import ExtraColumn, HeadConfig, Layer, ModelConfig, Network
from vision_recipes.models.folder import Model, open_model
from vision_recipes.models.saving import ModelSpec, save_model

__all__ = [
    "Check",
    "ExtraColumn",
    "HeadConfig",
    "Layer",
    "Model",
    "ModelConfig",
    "ModelSpec",
    "Network",
    "open_model",
    "save_model",
]
