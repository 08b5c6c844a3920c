"""The model folder: opened, verified, rebuilt, converted, written. The format on disk lives here only.

The names below are what reading a model takes. What writes one stands in `heads`, `saving` and `commit`.
"""

from vision_recipes.dataset.column_encoding import ExtraColumn as ExtraColumn
from vision_recipes.model_folder.checks import Check as Check
from vision_recipes.model_folder.config import HeadConfig as HeadConfig
from vision_recipes.model_folder.config import Layer as Layer
from vision_recipes.model_folder.config import ModelConfig as ModelConfig
from vision_recipes.model_folder.config import Network as Network
from vision_recipes.model_folder.folder import Model as Model
from vision_recipes.model_folder.folder import open_model as open_model
from vision_recipes.model_folder.ood import OodDetector as OodDetector
