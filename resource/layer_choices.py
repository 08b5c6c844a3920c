"""The drop-down of layers to extract, read from the config.json of its model folder, or of the default network."""

from dss_ports import folder_to_read
from vision_recipes.default_model import open_default
from vision_recipes.errors import VisionError
from vision_recipes.model_folder import open_model
from vision_recipes.model_folder.model_card import layer_choices


def do(payload, config, plugin_config, inputs):
    """Return the layers of the model that is the recipe's input, or of the default network."""
    names = [entry["fullName"] for entry in inputs if entry.get("role") == "model_folder"]
    try:
        model = open_model(folder_to_read(None, names[0])) if names else open_default()
        return {"choices": layer_choices(model.config)}
    except VisionError as err:
        return {"choices": [{"value": -2, "label": f"-2 ({err})"}]}
