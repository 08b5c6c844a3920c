"""A small model folder made without Keras, yet one that Keras can rebuild: convolution, pooling, dense, softmax."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vision_recipes.model_folder import Model, Network, open_model
from vision_recipes.model_folder.checks import write_ir_check
from vision_recipes.model_folder.commit import commit
from vision_recipes.model_folder.config import Layer
from vision_recipes.model_folder.hdf5 import StoredLayer, write_stored
from vision_recipes.model_folder.layer_graph import Graph, Node, write_graph
from vision_recipes.model_folder.openvino_ir import with_normalisation, write_ir
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import LocalStore, Store

LABELS = ("egg", "crane", "NA", "crane", "007")
INPUT = Preprocessing(20, 16, "bgr", (10.0, 20.0, 30.0), (50.0, 60.0, 70.0))
CHANNELS = 6
GRAPH = Graph(
    (
        Node("input", "InputLayer"),
        Node("convolved", "Conv2D", {"filters": CHANNELS, "kernel_size": 3, "strides": 2}, ("input",)),
        Node("active", "Activation", {"activation": "relu"}, ("convolved",)),
        Node("pooled", "GlobalAveragePooling2D", {}, ("active",)),
        Node("scores", "Dense", {"units": len(LABELS), "activation": "softmax"}, ("pooled",)),
    )
)
LAYERS = (
    Layer(1, "convolved", "Conv2D", (7, 9, CHANNELS), CHANNELS, 28 * CHANNELS),
    Layer(2, "active", "Activation", (7, 9, CHANNELS), CHANNELS),
    Layer(3, "pooled", "GlobalAveragePooling2D", (CHANNELS,), CHANNELS),
    Layer(4, "scores", "Dense", (len(LABELS),), len(LABELS), (CHANNELS + 1) * len(LABELS)),
)


def write_small_model(store: Store, seed: int = 0, labels: tuple[str, ...] = LABELS) -> Model:
    """Write a complete model folder into the store and return it opened."""
    draw = np.random.default_rng(seed)
    kernel = draw.normal(0, 0.4, (3, 3, 3, CHANNELS)).astype(np.float32)
    dense = draw.normal(0, 0.3, (CHANNELS, len(labels))).astype(np.float32)
    biases = [draw.normal(0, 0.1, size).astype(np.float32) for size in (CHANNELS, len(labels))]
    with tempfile.TemporaryDirectory() as workdir:
        work = Path(workdir)
        files = {role: work / role for role in ("weights", "check", "graph")}
        files |= {"xml": work / "model.xml", "bin": work / "model.bin"}
        stored = {
            "input": StoredLayer("input_layer", []),
            "convolved": StoredLayer("conv2d", [kernel, biases[0]]),
            "active": StoredLayer("activation", []),
            "pooled": StoredLayer("global_average_pooling2d", []),
            "scores": StoredLayer("dense", [dense, biases[1]]),
        }
        write_stored(files["weights"], stored)
        files["graph"].write_bytes(write_graph(GRAPH))
        _write_ir(files["xml"], kernel, dense, biases)
        spec = ModelSpec("small", Network("small", classes=len(labels)), INPUT, labels, "active", graph=GRAPH)
        write_ir_check(files["check"], files["xml"], spec.input, spec.check_columns)
        commit(store, spec, LAYERS, files)
    return open_model(store)


def _write_ir(target: Path, kernel: np.ndarray, dense: np.ndarray, biases: list[np.ndarray]) -> None:
    import openvino as ov
    import openvino.opset13 as ops

    pixels = ops.parameter([-1, INPUT.height, INPUT.width, 3], np.float32)
    filters = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
    first = ops.convolution(ops.transpose(pixels, [0, 3, 1, 2]), filters, [2, 2], [0, 0], [0, 0], [1, 1])
    spatial = ops.add(ops.transpose(first, [0, 2, 3, 1]), biases[0])
    active = ops.relu(spatial)
    pooled = ops.reduce_mean(active, np.array([1, 2]), False)
    scores = ops.softmax(ops.add(ops.matmul(pooled, dense, False, False), biases[1]), 1)
    scores.output(0).set_names({"scores", "layer:4"})
    for index, output in ((1, spatial), (2, active), (3, pooled)):
        output.output(0).set_names({f"layer:{index}"})
    graph = ov.Model([ops.result(output) for output in (scores, spatial, active, pooled)], [pixels])
    write_ir(with_normalisation(graph, INPUT), target)


def change_config(folder: Path, change: Callable[[dict], None]) -> None:
    """Rewrite a folder's config.json after a function changed its data."""
    path = folder / "config.json"
    data = json.loads(path.read_text("utf-8"))
    change(data)
    path.write_text(json.dumps(data), "utf-8")


def local(folder: Path) -> LocalStore:
    folder.mkdir(parents=True, exist_ok=True)
    return LocalStore(folder)
