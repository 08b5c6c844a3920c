"""Keras network -> OpenVINO IR, in a process of its own where Keras computes with OpenVINO itself.

That is much quicker than a translation by way of TensorFlow, and the same whichever backend this process uses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vision_recipes import strict_json
from vision_recipes.model_folder import networks, weights
from vision_recipes.model_folder.channels_first import channels_first
from vision_recipes.model_folder.child_process import call_main, carry_out, require_done
from vision_recipes.model_folder.config import Layer
from vision_recipes.model_folder.openvino_ir import SCORES, any_batch, with_normalisation, write_ir
from vision_recipes.model_folder.spec import ModelSpec

TIME_LIMIT = 1800


@dataclass(frozen=True)
class ConversionRequest:
    """What the converting process needs: the network's description, and the paths of its weights and of the IR.

    `cut` ends the network at the feature layer, pooled: its scores are then the features.
    """

    spec: ModelSpec
    weights: str
    target: str
    cut: bool


def convert(spec: ModelSpec, files: Mapping[str, Path], *, cut: bool = False) -> tuple[Layer, ...]:
    """Write the IR to `files["xml"]`, the .bin beside it, and return the layers that are results of it.

    `files["weights"]` is the path of the network's weights. Raises ModelFolderError.
    """
    target = files["xml"]
    request = ConversionRequest(
        replace(spec, ood_detector=None, reference_pictures=None), str(files["weights"]), str(target), cut
    )
    environment = {"KERAS_BACKEND": "openvino", "CUDA_VISIBLE_DEVICES": "-1"}
    done = call_main(__name__, request, target.parent, TIME_LIMIT, environment)
    require_done(done, "The network could not be converted for OpenVINO")
    return strict_json.read(tuple[Layer, ...], json.loads(target.with_name("layers.json").read_text("utf-8")), "layers")


def main() -> None:
    """Carry out the request whose file is the first argument."""
    carry_out(ConversionRequest, run)


def run(request: ConversionRequest) -> None:
    """Build the network, load its weights and write it as IR; for a process whose Keras backend is OpenVINO."""
    networks.require_fit(request.spec, [(request.weights, "the weights")], "Use a model that is whole.")
    import keras
    import openvino as ov

    network = networks.build(request.spec)
    if request.cut:
        network = networks.cut(network, request.spec.feature_layer)
    weights.load_files(network, [(request.weights, "the weights")])
    layers = networks.list_layers(network)
    outputs = {layer.output: network.layers[layer.index].output for layer in layers}
    target = Path(request.target)
    exported = target.with_name("exported.xml")
    inputs = dict(zip(("1_pixels", "2_extra"), network.inputs, strict=False))
    keras.Model(inputs, [network.outputs[0], *outputs.values()]).export(str(exported), format="openvino", verbose=False)
    core = ov.Core()
    model = core.read_model(exported)
    for result, name in zip(model.outputs, [SCORES, *outputs], strict=True):
        result.get_tensor().add_names({name})
    model = with_normalisation(model, request.spec.input)
    any_batch(model)
    channels_first(model)
    write_ir(model, target)
    target.with_name("layers.json").write_text(json.dumps(strict_json.write(layers)), encoding="utf-8")
    del model, core
    for leftover in (exported, exported.with_suffix(".bin")):
        leftover.unlink(missing_ok=True)
