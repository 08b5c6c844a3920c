"""The outputs of an imported network: which one gives the scores."""

from __future__ import annotations

from collections.abc import Sequence

from vision_recipes.model_import.keras_graph import GraphBuilder
from vision_recipes.strict_json import require


def chosen_output(outputs: Sequence[tuple[str, str]], builder: GraphBuilder, chosen: str) -> str:
    """Return the node of one of the outputs, (name, node), by name or number from 0; ValueError without a choice."""
    names = [name for name, _node in outputs]
    if chosen in names and names.count(chosen) == 1:
        return outputs[names.index(chosen)][1]
    if chosen.isdecimal() and len(chosen) < 4 and int(chosen) < len(outputs):
        return outputs[int(chosen)][1]
    listed = ", ".join(f"{i} {name[:60]!r} {_shape(builder, node)}" for i, (name, node) in enumerate(outputs[:20]))
    none = f"model_output: it has no output {chosen[:60]!r}. Its outputs are {listed}"
    require(not chosen, none)
    several = f"it has {len(outputs)} outputs: {listed}. Choose one by name or number with the parameter model_output"
    require(len(outputs) == 1, several)
    return outputs[0][1]


def _shape(builder: GraphBuilder, node: str) -> str:
    """Return the shape of a node's output for people: `5 values`, or `(7, 7, 64)`."""
    shape = builder.shapes[node]
    return f"({shape[0]} values)" if len(shape) == 1 and shape[0] else str(shape).replace("None", "?")
