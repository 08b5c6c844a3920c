"""The ways to run a network forward: one interface, on OpenVINO or Keras; the choice of devices and precision."""

from vision_recipes.inference.engine import Engine
from vision_recipes.inference.opening import FEATURES, SCORES, open_engine

__all__ = ["FEATURES", "SCORES", "Engine", "open_engine"]
