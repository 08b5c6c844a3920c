"""Files as Keras 2 and Teachable Machine wrote them, made by hand from a small network's weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from model_folder.small import GRAPH, INPUT

from vision_recipes.model_folder import Model
from vision_recipes.model_folder.hdf5 import open_hdf5, read_stored

FLAT = {node: [node] for node in ("input", "convolved", "active", "pooled", "scores")}
SHAPE = [None, INPUT.height, INPUT.width, 3]


def values_of(model: Model, workdir: Path) -> dict[str, list[np.ndarray]]:
    """Return the variables of a small model by layer."""
    with open_hdf5(model.weights(workdir)[0][0], "weights") as file:
        return {name: [item[()] for item in layer.variables] for name, layer in read_stored(file, "weights").items()}


def functional(name: str = "model_1") -> dict[str, Any]:
    """Return the small network's config as a Keras 2 functional model."""
    layers = []
    for node in GRAPH.nodes:
        config: dict[str, Any] = {"name": node.name, "trainable": True, "dtype": "float32"} | node.settings
        if node.kind == "InputLayer":
            config = {
                "batch_input_shape": SHAPE,
                "dtype": "float32",
                "sparse": False,
                "ragged": False,
                "name": node.name,
            }
        inbound = [[[source, 0, 0, {}] for source in node.inputs]] if node.inputs else []
        layers.append({"class_name": node.kind, "config": config, "name": node.name, "inbound_nodes": inbound})
    inside = {
        "name": name,
        "layers": layers,
        "input_layers": [[GRAPH.nodes[0].name, 0, 0]],
        "output_layers": [[GRAPH.nodes[-1].name, 0, 0]],
    }
    return {"class_name": "Functional", "config": inside}


def sequential() -> dict[str, Any]:
    """Return the small network's config as a Keras 2 sequential model, without an input layer of its own."""
    layers = [
        {"class_name": node.kind, "config": {"name": node.name, "dtype": "float32"} | node.settings}
        for node in GRAPH.nodes[1:]
    ]
    layers[0]["config"]["batch_input_shape"] = SHAPE
    return {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": layers}}


def teachable() -> dict[str, Any]:
    """Return the small network's config nested as Teachable Machine nests: features and head, sequences in a sequence."""
    features = functional("model1")
    layers = features["config"]["layers"]
    features["config"] |= {"layers": layers[:3], "output_layers": [["active", 0, 0]]}
    body = {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": [features, _bare(layers[3])]}}
    head = {"class_name": "Sequential", "config": {"name": "sequential_3", "layers": [_bare(layers[4])]}}
    return {"class_name": "Sequential", "config": {"name": "sequential_4", "layers": [body, head]}}


def write_h5(
    path: Path, config: dict[str, Any], groups: dict[str, list[str]], values: dict[str, list[np.ndarray]]
) -> Path:
    """Write a whole-model .h5: `groups` gives for each outermost layer the layers whose variables are in its group."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.4.0"
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(config).encode()
        write_weights(file.create_group("model_weights"), groups, values)
    return path


def write_weights(group: Any, groups: dict[str, list[str]], values: dict[str, list[np.ndarray]]) -> None:
    """Write variables as Keras 2 does: groups of layers, names such as `conv/kernel:0`."""
    group.attrs["layer_names"] = [name.encode() for name in groups]
    for outer, layers in groups.items():
        inside = group.create_group(outer)
        names = []
        for layer in layers:
            for variable, content in zip(("kernel:0", "bias:0"), values[layer], strict=False):
                names.append(f"{layer}/{variable}".encode())
                inside[f"{layer}/{variable}"] = content
        inside.attrs["weight_names"] = names


def _bare(layer: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": layer["class_name"], "config": layer["config"]}
