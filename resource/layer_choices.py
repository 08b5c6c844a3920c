"""The drop-down of layers to extract, read from the config.json of the recipe's model folder alone."""

from dss_ports import folder_to_read
from vision_recipes.errors import VisionError
from vision_recipes.model_folder import open_model
from vision_recipes.model_folder.model_card import layer_choices


def do(payload, config, plugin_config, inputs):
    """Return the layers of the model that is the recipe's input."""
    names = [entry["fullName"] for entry in inputs if entry.get("role") == "model_folder"]
    if not names:
        return {"choices": [{"value": -2, "label": "-2: choose a model folder to see its layers"}]}
    try:
        return {"choices": layer_choices(open_model(folder_to_read(None, names[0])).config)}
    except VisionError as err:
        return {"choices": [{"value": -2, "label": f"-2 ({err})"}]}
