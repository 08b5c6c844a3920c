"""The import as tests run it: into a folder of theirs, with the preprocessing of the small model."""

import h5py
from model_folder.small import local

from vision_recipes.import_model import import_model
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_folder import open_model

NUMBERS = {"preprocessing": "numbers", "channels": "bgr", "mean": "10, 20, 30", "std": "50, 60, 70"}


def run(tmp_path, source=None, samples=None, **given):
    target = local(tmp_path / "imported")
    if source is not None:
        given["model_source_folder"] = "the folder"
    settings = ImportSettings.from_params({"output_managed_folder": "x"} | NUMBERS | given)
    facts = import_model(settings, target, source, samples, lambda done, total: None)
    return open_model(target), facts


def save_weights_alone(network, path):
    """Write a network's weights as Keras 3 does (.weights.h5) or as Keras 2 did (.h5), and return the path."""
    from keras.src.legacy.saving import legacy_h5_format

    if path.name.endswith(".weights.h5"):
        network.save_weights(path)
    else:
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, network)
    return path
