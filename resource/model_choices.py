"""The drop-down of models to download: the default first, then the catalogue with sizes; imports no framework."""

from vision_recipes.model_folder.catalogue import choices


def do(payload, config, plugin_config, inputs):
    """Return the models that can be downloaded."""
    return {"choices": choices(str(config.get("model_choice") or ""))}
