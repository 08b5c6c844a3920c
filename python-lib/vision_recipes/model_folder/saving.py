"""A Keras network saved as a model folder: weights, IR, labels, check pictures, card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder import checks, hdf5, networks, weights
from vision_recipes.model_folder.commit import commit
from vision_recipes.model_folder.conversion import convert
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.preprocessing import normalise
from vision_recipes.stores import Store


def save_model(store: Store, network: Any, spec: ModelSpec, reports: Mapping[str, bytes] | None = None) -> None:
    """Write a keras.Model as a complete model folder.

    The network takes pixels normalised as `spec.input` says and gives probabilities. `reports` are further files for
    people, by name. The IR is refused when its scores differ from the network's; a model that was in the folder stays
    until config.json is replaced. Raises ModelFolderError, OutputError.
    """
    with work_folder() as workdir:
        work = workdir
        files = {"weights": work / "weights.h5", "xml": work / "model.xml", "bin": work / "model.bin"}
        hdf5.write_stored(files["weights"], weights.stored_layers(network), pack=spec.pack)
        layers = convert(spec, files)
        check = _check(network, spec)
        scores = checks.score_ir(files["xml"], check.pictures, spec.check_columns)
        check.require(scores, f"The OpenVINO form of {spec.name!r}", "Nothing is saved; please report this network.")
        files["check"] = work / "check.npz"
        files["check"].write_bytes(checks.write_check(check))
        feature_layer = spec.feature_layer or networks.find_feature_layer(network)
        commit(store, replace(spec, feature_layer=feature_layer), layers, files, reports)


def save_layers(store: Store, layers: Mapping[str, hdf5.StoredLayer], spec: ModelSpec) -> None:
    """Write a network as a complete model folder, given the variables of its layers; no framework is imported here.

    Its check is what the IR gives: see `checks.write_ir_check`. Raises ModelFolderError, OutputError.
    """
    with work_folder() as work:
        files = {"weights": work / "weights.h5", "xml": work / "model.xml", "bin": work / "model.bin"}
        hdf5.write_stored(files["weights"], layers, pack=spec.pack)
        listed = convert(spec, files)
        files["check"] = work / "check.npz"
        checks.write_ir_check(files["check"], files["xml"], spec.input)
        commit(store, spec, listed, files)


def _check(network: Any, spec: ModelSpec) -> checks.Check:
    import keras

    pictures = checks.draw_pictures(spec.input.width, spec.input.height)
    inputs = [normalise(pictures, spec.input)]
    if spec.extra_width:
        inputs.append(np.tile(spec.check_columns, (len(pictures), 1)))
    outputs = network(inputs if len(inputs) > 1 else inputs[0], training=False)
    where = f"The network {spec.name!r}"
    scores = np.asarray(keras.ops.convert_to_numpy(outputs), np.float32)
    if scores.shape != (len(pictures), len(spec.labels)):
        raise ModelFolderError(f"{where} gives {scores.shape[-1]} scores, but there are {len(spec.labels)} labels.")
    if not np.isfinite(scores).all():
        raise ModelFolderError(f"{where} gives scores that are not finite numbers, so it is not saved.")
    if scores.min() < -1e-4 or scores.max() > 1 + 1e-4:
        raise ModelFolderError(
            f"{where} gives scores from {scores.min():.3g} to {scores.max():.3g}, not probabilities; "
            "end it with a softmax or sigmoid activation."
        )
    return checks.Check(pictures, scores)
