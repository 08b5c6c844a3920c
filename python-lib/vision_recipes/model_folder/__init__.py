"""The model folder: opened, verified, rebuilt, converted, written. The format on disk lives here only.

The names below are what reading a model takes. What writes one stands in `heads`, `saving` and `commit`.
"""

from vision_recipes.model_folder.config import HeadConfig, Layer, ModelConfig, Network
from vision_recipes.model_folder.folder import Model, open_model
from vision_recipes.preprocessing import ExtraColumn

__all__ = [
    "ExtraColumn",
    "HeadConfig",
    "Layer",
    "Model",
    "ModelConfig",
    "Network",
    "open_model",
]
