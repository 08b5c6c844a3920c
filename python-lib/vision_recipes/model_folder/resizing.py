"""A model for pictures of another size, up to its feature layer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vision_recipes.model_folder.checks import write_ir_check
from vision_recipes.model_folder.commit import commit
from vision_recipes.model_folder.conversion import convert
from vision_recipes.model_folder.folder import Model, open_model
from vision_recipes.model_folder.heads import copy_weights, network_without_top
from vision_recipes.model_folder.spec import require_keras, spec_of
from vision_recipes.stores import LocalStore


def resize(base: Model, workdir: Path, width: int, height: int) -> Model:
    """Return the model up to its feature layer, for pictures of another size: its "scores" are the averaged features.

    Takes some seconds. It is for features and new heads (`save_with_head`, `attach_head`), and stays in `workdir`.
    """
    require_keras(
        base,
        "another picture size",
        "Leave image_width and image_height 0, or export the network for that size and import it again.",
    )
    size = replace(base.config.input, width=width, height=height)
    spec = replace(spec_of(base).up_to_features(), network=network_without_top(base), input=size, head=None)
    files = {"weights": workdir / "resized.weights.h5", "xml": workdir / "resized.xml", "bin": workdir / "resized.bin"}
    copy_weights(base, workdir, files["weights"])
    layers = convert(spec, files, cut=True)
    files["check"] = workdir / "resized.npz"
    check = write_ir_check(files["check"], files["xml"], spec.input, spec.check_columns)
    labels = tuple(str(number) for number in range(check.scores.shape[1]))
    folder = LocalStore(workdir / "resized", base.store.name)
    commit(folder, replace(spec, labels=labels), layers, files)
    return open_model(folder)
