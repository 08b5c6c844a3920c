"""The published weights of EfficientNet-Lite for the layers of our own network: names and the order of axes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vision_recipes.errors import DownloadError
from vision_recipes.model_folder.efficientnet_lite import blocks
from vision_recipes.model_folder.hdf5 import StoredLayer
from vision_recipes.pretrained.torch_files import read_tensors

KERNEL = ("weight",)
DENSE = ("weight", "bias")
NORMALISATION = ("weight", "bias", "running_mean", "running_var")
AXES = {"conv2d": (2, 3, 1, 0), "depthwise_conv2d": (2, 3, 0, 1), "dense": (1, 0)}
"""Where Keras has the axes of PyTorch's weights, by the kind of layer."""

UNUSED = "num_batches_tracked"
"""What PyTorch counts while training, which the scores do not depend on."""


def read_layers(builder: str, path: Path) -> dict[str, StoredLayer]:
    """Return the variables of each layer of a network of EfficientNet-Lite; raises DownloadError.

    Every tensor of the file must be used. Shapes are for whoever loads them to compare with the network's.
    """
    tensors = {name: values for name, values in read_tensors(path).items() if not name.endswith("." + UNUSED)}
    layers = {}
    for layer, kind, source, parts in _layers(builder):
        names = [f"{source}.{part}" for part in parts]
        missing = [name for name in names if name not in tensors]
        if missing:
            raise DownloadError(f"{path} has no tensor {missing[0]!r}, so it does not hold the weights of {builder}.")
        values = [tensors.pop(name) for name in names]
        if kind in AXES:
            values[0] = _ordered(values[0], AXES[kind], f"{path}: tensor {names[0]!r}")
        layers[layer] = StoredLayer(kind, values)
    if tensors:
        raise DownloadError(f"{path} has a tensor {sorted(tensors)[0][:80]!r} that {builder} does not use.")
    return layers


def _ordered(values: np.ndarray, axes: tuple[int, ...], where: str) -> np.ndarray:
    if values.ndim != len(axes):
        raise DownloadError(f"{where} has {values.ndim} dimensions, not {len(axes)}.")
    return np.ascontiguousarray(values.transpose(axes))


def _layers(builder: str) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Yield the name and kind of each layer with weights, where the file has them, and which they are."""

    def pair(name: str, kind: str, source: str, normalisation: str) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
        yield f"{name}_conv", kind, source, KERNEL
        yield f"{name}_bn", "batch_normalization", normalisation, NORMALISATION

    yield from pair("stem", "conv2d", "_conv_stem", "_bn0")
    for number, block in enumerate(blocks(builder)):
        source = f"_blocks.{number}"
        if block.expansion > 1:
            yield from pair(f"{block.name}_expand", "conv2d", f"{source}._expand_conv", f"{source}._bn0")
        depthwise = f"{source}._depthwise_conv", f"{source}._bn1"
        yield from pair(f"{block.name}_depthwise", "depthwise_conv2d", *depthwise)
        yield from pair(f"{block.name}_project", "conv2d", f"{source}._project_conv", f"{source}._bn2")
    yield from pair("top", "conv2d", "_conv_head", "_bn1")
    yield "predictions", "dense", "_fc", DENSE
