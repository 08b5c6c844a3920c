"""The shapes and the work of a whole graph, known before anything of it is built; what is too large is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.layer_graph import Graph
from vision_recipes.model_folder.layer_shapes import RULES, LayerShape, Shape
from vision_recipes.model_folder.weights import snake_case, stable_names
from vision_recipes.strict_json import require

MAX_OUTPUT = 1 << 28
"""Values that a layer may give for one picture: 1 GB."""
MAX_OUTPUTS = 1 << 31
MAX_MULTIPLICATIONS = 2 * 10**12
"""Multiplications for one picture: a hundred times those of a large network of the catalogue, minutes of a CPU."""


def graph_shapes(graph: Graph, shape: tuple[int, int, int], where: str) -> dict[str, LayerShape]:
    """Return the shapes of every layer for pictures of (height, width, channels), by the layer's name.

    Raises ModelFolderError that names the first layer which cannot be computed, or is too large to be.
    """
    found = {graph.nodes[0].name: LayerShape(shape)}
    values = multiplications = 0
    for node in graph.nodes[1:]:
        try:
            layer = RULES[node.kind](node.settings, [found[name].output for name in node.inputs])
            require(min(layer.output, default=0) > 0, f"its input of {_given(found, node.inputs)} is too small for it")
        except (ValueError, KeyError, TypeError) as err:
            raise ModelFolderError(
                f"{where} has a layer {node.name!r} ({node.kind}) that cannot be computed for pictures of "
                f"{shape[1]} x {shape[0]}: {err}."
            ) from err
        values += prod(layer.output)
        multiplications += layer.multiplications
        if prod(layer.output) > MAX_OUTPUT or values > MAX_OUTPUTS or multiplications > MAX_MULTIPLICATIONS:
            raise ModelFolderError(
                f"{where} is too large to be computed: up to layer {node.name!r} ({node.kind}), which gives values of "
                f"shape {layer.output}, a picture takes {values:,} values and {multiplications:,} multiplications, "
                f"where {MAX_OUTPUTS:,} and {MAX_MULTIPLICATIONS:,} are the limits (and {MAX_OUTPUT:,} values for a "
                "layer). Use smaller pictures or a smaller network."
            )
        found[node.name] = layer
    return found


def variable_shapes(graph: Graph, shape: tuple[int, int, int], where: str) -> dict[str, list[Shape]]:
    """Return the shapes of each layer's variables by the name under which they are stored (`weights.layer_names`)."""
    found = graph_shapes(graph, shape, where)
    names = stable_names([(node.name, snake_case(node.kind)) for node in graph.nodes])
    return {name: list(found[node.name].variables) for name, node in zip(names, graph.nodes, strict=True)}


def _given(found: Mapping[str, LayerShape], names: Sequence[str]) -> str:
    return ", ".join(str(found[name].output) for name in names)
