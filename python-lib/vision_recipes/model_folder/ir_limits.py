"""An IR of a model folder read by OpenVINO within limits: what it computes is bounded by its pictures and weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.folder import NEXT_STEP, Model
from vision_recipes.model_folder.ir_file import check_file
from vision_recipes.model_folder.openvino_ir import EXTRA, PIXELS, SCORES

LARGEST, LARGEST_PER_VALUE = 1 << 24, 256
"""Numbers that one tensor may have for a picture: so many, or so many for each number of the picture if that is more.

The networks of the catalogue have up to 22 for each, vision transformers with small patches up to 72.
"""

ALL, ALL_PER_VALUE = 1 << 27, 16384
"""The same for all tensors together; the networks of the catalogue have up to 2,200 for each number of the picture."""

MULTIPLY_ADDS, MULTIPLY_ADDS_PER_PIXEL, MOST_MULTIPLY_ADDS = 1e10, 1.0, 4e12
"""Multiply-adds for a picture: so many, or so many for each byte of the weights and each pixel, up to the most.

A convolution over all pixels has 0.25. The largest network of the catalogue has 2e11.
"""

FOLDED_BYTES, FOLDED_PER_NUMBER = 64 << 20, 16
"""Bytes of values that depend on constants alone: so many, and so many for each number of the weights, which in int8
is converted and multiplied."""

QUANTISING = "FakeQuantize"
"""The operation that makes a network compute in int8."""


def read_ir(core: Any, xml: Path, model: Model, batch: int) -> Any:
    """Return the ov.Model of a model's IR, read and found to be what config.json describes, within the limits.

    Its input takes any number of pictures, or as many as the network is fixed to. Raises ModelFolderError.
    """
    try:
        constant = check_file(xml)
        graph = core.read_model(xml)
        _require_interface(graph, model)
        _require_precision(graph, model)
        _require_limits(graph, batch, xml.with_suffix(".bin").stat().st_size, constant)
    except ValueError as err:
        raise ModelFolderError(f"{model.where(model.config.files.xml)} {err}. {NEXT_STEP}") from err
    except RuntimeError as err:
        raise ModelFolderError(unreadable(model.where(model.config.files.xml), err)) from err
    return graph


def unreadable(where: str, err: Exception) -> str:
    """Return a message for a network that OpenVINO cannot read, with its reason in a line."""
    import openvino as ov

    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    version = ov.__version__.split("-")[0]
    return (
        f"{where} cannot be read by OpenVINO {version} ({lines[-1][:200] if lines else 'no reason given'}): it is "
        f"damaged, or made for a newer version. {NEXT_STEP}"
    )


def _require_interface(graph: Any, model: Model) -> None:
    """Raise ValueError unless inputs and results have the names and shapes that config.json says."""
    config = model.config
    inputs = {name: list(port.get_partial_shape()) for port in graph.inputs for name in port.names}
    expected: dict[str, tuple[int, ...]] = {PIXELS: (config.input.height, config.input.width, 3)}
    if config.head and config.head.extra:
        expected[EXTRA] = (config.head.extra_width,)
    if set(inputs) != set(expected) or len(graph.inputs) != len(expected):
        raise ValueError(f"takes {sorted(inputs)[:4]}, where {sorted(expected)} are expected")
    for name, shape in expected.items():
        _require_shape(f"input {name!r}", inputs[name], shape)
    results = {name: list(port.get_partial_shape()) for port in graph.outputs for name in port.names}
    for name, sizes in ((SCORES, (config.n_classes,)), *((layer.output, layer.shape) for layer in config.layers)):
        if name not in results:
            raise ValueError(f"has no result {name!r}, which config.json lists")
        _require_shape(f"result {name!r}", results[name], sizes)


def _require_precision(graph: Any, model: Model) -> None:
    """Raise ValueError when the network computes in int8 though config.json does not say so, or the other way round."""
    quantised = any(node.get_type_name() == QUANTISING for node in graph.get_ops())
    if quantised != (model.config.quantisation is not None):
        says = "is in int8" if quantised else "is not in int8"
        raise ValueError(f"{says}, which is not what config.json says")


def _require_shape(what: str, found: list[Any], expected: tuple[int | None, ...]) -> None:
    fits = len(found) == len(expected) + 1 and all(
        size is None or side.is_dynamic or side.get_length() == size
        for side, size in zip(found[1:], expected, strict=True)
    )
    if not fits:
        sizes = [None if side.is_dynamic else side.get_length() for side in found]
        raise ValueError(f"has the {what} of shape {_words(sizes)}, where {_words([None, *expected])} is expected")


def _words(shape: Sequence[int | None]) -> str:
    return " x ".join("?" if side is None else str(side) for side in shape)


def _require_limits(graph: Any, batch: int, weights: int, constant: frozenset[str]) -> None:
    """Raise ValueError when the network computes too much, or what cannot be known before, for a batch of pictures."""
    parameters = graph.get_parameters()
    given = [parameter.get_partial_shape() for parameter in parameters]
    for parameter in parameters:
        fixed = parameter.get_partial_shape()
        if fixed[0].is_dynamic:
            fixed[0] = batch
        parameter.set_partial_shape(fixed)
    graph.validate_nodes_and_infer_types()
    require_limits(graph, weights, constant)
    for parameter, shape in zip(parameters, given, strict=True):
        parameter.set_partial_shape(shape)
    graph.validate_nodes_and_infer_types()


def require_limits(graph: Any, weights: int, constant: frozenset[str]) -> None:
    """Raise ValueError when an ov.Model for a fixed batch computes too much, or what cannot be known before.

    `weights` is how many bytes its weights have, `constant` the names of what depends on constants alone.
    """
    pixels = list(graph.input(0).get_shape())
    batch, values = pixels[0], math.prod(pixels[1:])
    largest = batch * max(LARGEST, LARGEST_PER_VALUE * values)
    most = batch * max(ALL, ALL_PER_VALUE * values)
    derived = max(MULTIPLY_ADDS, MULTIPLY_ADDS_PER_PIXEL * weights * values / 3)
    operations, folded, total, numbers = 0.0, 0, 0, 0
    for node in graph.get_ordered_ops():
        kind = node.get_type_name()
        if kind == "Constant":
            numbers += math.prod(node.get_output_shape(0))
        if kind in ("Constant", "Result"):
            continue
        for shape in _shapes(node, kind):
            size = math.prod(shape)
            total += size
            operations += size
            if size > largest:
                raise ValueError(f"makes a tensor of shape {shape[:8]} ({kind}), more than pictures of this size need")
            if constant and node.get_friendly_name() in constant:
                folded += 8 * size
        operations += _multiply_adds(node, kind)
    if folded > FOLDED_BYTES + FOLDED_PER_NUMBER * min(numbers, weights):
        raise ValueError(f"makes {folded / 1e6:.0f} MB out of constants, far more than its weights")
    if total > most:
        raise ValueError(f"makes {total / batch:.2g} numbers for a picture, more than pictures of this size need")
    if operations > batch * min(derived, MOST_MULTIPLY_ADDS):
        raise ValueError(
            f"takes {operations / batch:.2g} multiply-adds for a picture, more than its weights can explain"
        )


def _shapes(node: Any, kind: str) -> list[list[int]]:
    found = []
    for port in range(node.get_output_size()):
        partial = node.get_output_partial_shape(port)
        if partial.is_dynamic:
            raise ValueError(f"makes a tensor ({kind}) whose shape is not known before")
        found.append(list(partial.to_shape()))
    return found


def _multiply_adds(node: Any, kind: str) -> float:
    """Return how many multiply-adds an operation takes beyond one for each number that it makes."""
    if kind in ("Convolution", "GroupConvolution"):
        filters = list(node.get_input_shape(1))
        return math.prod(node.get_output_shape(0)) * math.prod(filters[1 if kind == "Convolution" else 2 :])
    if kind in ("ConvolutionBackpropData", "GroupConvolutionBackpropData"):
        filters = list(node.get_input_shape(1))
        return math.prod(node.get_input_shape(0)) * math.prod(filters[1 if kind == "ConvolutionBackpropData" else 2 :])
    if kind == "MatMul":
        inner = list(node.get_input_shape(0))[-2 if node.get_attributes()["transpose_a"] else -1 :]
        return math.prod(node.get_output_shape(0)) * (inner[0] if inner else 1)
    if kind in ("AvgPool", "MaxPool"):
        return math.prod(node.get_output_shape(0)) * math.prod(node.get_attributes()["kernel"])
    if kind == "ScaledDotProductAttention":
        return 2 * math.prod(node.get_input_shape(0)) * node.get_input_shape(1)[-2]
    if kind == "Einsum":
        return _einsum(node)
    return 0.0


def _einsum(node: Any) -> float:
    """Return the product of the sizes of all axes that an Einsum names."""
    sizes: dict[str, int] = {}
    terms = node.get_attributes()["equation"].split("->")[0].replace(" ", "").split(",")
    for port, term in enumerate(terms):
        shape = list(node.get_input_shape(port))
        if "." in term or len(term) != len(shape):
            raise ValueError(f"has an Einsum {','.join(terms)[:60]!r} with an ellipsis")
        sizes |= dict(zip(term, shape, strict=True))
    return float(math.prod(sizes.values()))
