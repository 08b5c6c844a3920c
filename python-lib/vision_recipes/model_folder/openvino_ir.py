"""Keras network -> OpenVINO IR, in a process of its own where Keras computes with OpenVINO itself.

That is much quicker than a translation by way of TensorFlow, and the same whichever framework this process uses. The IR
takes raw RGB float32 pixels of 0 .. 255, shape (n, height, width, 3), and holds normalisation and channel order; its
first result is called `scores`, and every layer that can be extracted is a result `layer:<index>`.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder import hdf5, layer_graph, networks, weights
from vision_recipes.model_folder.channels_first import channels_first
from vision_recipes.model_folder.config import HeadConfig, Layer, Network
from vision_recipes.model_folder.dynamic_batch import any_batch
from vision_recipes.preprocessing import Preprocessing

PIXELS, EXTRA, SCORES = "pixels", "extra", "scores"
TIME_LIMIT = 1800


@dataclass(frozen=True)
class Order:
    """What the converting process is told: a blueprint as plain data, where its files lie, where the IR goes.

    `cut` ends the network at the feature layer, pooled: its scores are then the features.
    """

    network: Network
    input: Preprocessing
    weights: tuple[str, ...]
    target: str
    n_classes: int
    feature_layer: str = ""
    head: HeadConfig | None = None
    graph: str | None = None
    cut: bool = False


def convert(order: Order) -> tuple[Layer, ...]:
    """Write the IR (`order.target` and the .bin beside it) and return the layers that are results of it."""
    import subprocess

    target = Path(order.target)
    note = target.with_name("order.json")
    note.write_text(json.dumps(strict_json.write(order)), encoding="utf-8")
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "KERAS_BACKEND": "openvino", "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            "from vision_recipes.model_folder import openvino_ir; openvino_ir.main()",
            str(note),
        ],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=TIME_LIMIT,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"])[-1]
        if done.returncode == REFUSED:
            raise ModelFolderError(last)
        raise RuntimeError(f"The network could not be converted for OpenVINO: {last}\n{done.stderr[-4000:]}")
    layers = strict_json.read(
        _Layers, {"layers": json.loads(target.with_name("layers.json").read_text("utf-8"))}, "layers"
    )
    return layers.layers


REFUSED = 3


@dataclass(frozen=True)
class _Layers:
    layers: tuple[Layer, ...]


def fulfil(order: Order) -> None:
    """Build the network, give it its weights and write it as IR; for a process whose Keras backend is OpenVINO."""
    import keras
    import openvino as ov

    network, listed = _network(order)
    names = weights.layer_names(network)
    outputs = {layer.output: network.layers[names.index(layer.name)].output for layer in listed}
    target = Path(order.target)
    raw = target.with_name("exported.xml")
    inputs = dict(zip(("1_pixels", "2_extra"), network.inputs, strict=False))
    many = keras.Model(inputs, [network.outputs[0], *outputs.values()])
    many.export(str(raw), format="openvino", verbose=False)
    core = ov.Core()
    model = core.read_model(raw)
    for result, name in zip(model.outputs, [SCORES, *outputs], strict=True):
        result.get_tensor().add_names({name})
    model = with_normalisation(model, order.input)
    any_batch(model)
    channels_first(model)
    write_ir(model, target)
    target.with_name("layers.json").write_text(
        json.dumps([strict_json.write(layer) for layer in listed]), encoding="utf-8"
    )
    del model, core
    for leftover in (raw, raw.with_suffix(".bin")):
        leftover.unlink(missing_ok=True)


def with_normalisation(model: Any, preprocessing: Preprocessing) -> Any:
    """Return an ov.Model that takes raw RGB pixels in place of normalised ones; the input is called `pixels`."""
    import openvino as ov
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    steps.input(0).tensor().set_element_type(ov.Type.f32).set_layout(ov.Layout("NHWC"))
    steps.input(0).model().set_layout(ov.Layout("NHWC"))
    if preprocessing.channels == "bgr":
        steps.input(0).preprocess().reverse_channels()
    if any(preprocessing.mean):
        steps.input(0).preprocess().mean(list(preprocessing.mean))
    if set(preprocessing.std) != {1.0}:
        steps.input(0).preprocess().scale(list(preprocessing.std))
    model = steps.build()
    for place, name in zip(range(len(model.inputs)), (PIXELS, EXTRA), strict=False):
        model.inputs[place].get_tensor().set_names({name})
        model.inputs[place].get_node().set_friendly_name(name)
    shapes = {0: ov.PartialShape([-1, preprocessing.height, preprocessing.width, 3])}
    if len(model.inputs) > 1:
        shapes[1] = ov.PartialShape([-1, model.inputs[1].get_partial_shape()[1]])
    model.reshape(shapes)
    return model


def write_ir(model: Any, target: Path) -> None:
    """Write an ov.Model as .xml and .bin in full precision; the same model gives the same bytes in every process."""
    import openvino as ov

    model.set_friendly_name("network")
    for number, operation in enumerate(model.get_ordered_ops()):
        operation.set_friendly_name(f"{operation.get_type_name()}_{number}")
    ov.save_model(model, target, compress_to_fp16=False)


def _network(order: Order) -> tuple[Any, tuple[Layer, ...]]:
    graph = layer_graph.read_graph(Path(order.graph).read_bytes(), "the graph") if order.graph else None
    size = order.input
    blueprint = networks.Blueprint(
        order.network, size.width, size.height, order.feature_layer, order.head, order.n_classes, graph
    )
    network = networks.build(blueprint)
    if order.cut:
        network = networks.cut(network, order.feature_layer)
    with ExitStack() as files:
        stored: hdf5.Variables = {}
        for path in order.weights:
            file = files.enter_context(hdf5.open_hdf5(path, "the weights"))
            stored |= {name: list(layer.variables) for name, layer in hdf5.read_stored(file, "the weights").items()}
        weights.set_weights(network, stored, "the weights")
    return network, networks.list_layers(network)


def main() -> None:
    """Fulfil the order whose file is the first argument; a mistake of the user's is the last line on stderr."""
    try:
        fulfil(strict_json.read(Order, json.loads(Path(sys.argv[1]).read_text("utf-8")), "the order"))
    except ModelFolderError as err:
        print(err, file=sys.stderr)
        raise SystemExit(REFUSED) from None
