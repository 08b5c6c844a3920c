"""How a network of one's own ends: made to give one probability for each of at least two classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.model_folder.layer_graph import Graph, Node

ADDED = ("probabilities", "two_classes")
AS_BEFORE = ("Dropout", "Flatten", "Reshape", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "AveragePooling2D")


@dataclass(frozen=True)
class Ending:
    """The graph with what was added, its number of classes, and a sentence on it for people (empty: nothing added)."""

    graph: Graph
    classes: int
    note: str = ""

    def weights(self) -> dict[str, list[np.ndarray]]:
        """Return the fixed weights of the added layers: the one probability p becomes (1 - p, p)."""
        if all(node.name != "two_classes" for node in self.graph.nodes):
            return {}
        return {"two_classes": [np.array([[-1.0, 1.0]], np.float32), np.array([1.0, 0.0], np.float32)]}


def finish(graph: Graph, units: int) -> Ending:
    """Return the graph ending in probabilities; `units` is the number of values that it gives for a picture."""
    last, notes = graph.nodes[-1], []
    if not _gives_probabilities(graph):
        kind = "sigmoid" if units == 1 else "softmax"
        node = Node("probabilities", "Activation", {"activation": kind}, (last.name,))
        graph, last = Graph((*graph.nodes, node)), node
        notes.append(f"its scores were not probabilities, so a {kind} was added")
    if units == 1:
        node = Node("two_classes", "Dense", {"units": 2, "activation": "linear"}, (last.name,))
        graph = Graph((*graph.nodes, node))
        notes.append("its one output was made two classes: the second is what it says yes to")
    return Ending(graph, max(units, 2), "; ".join(notes))


def _gives_probabilities(graph: Graph) -> bool:
    """Tell whether the last layer that changes values is a softmax or sigmoid."""
    by_name = {node.name: node for node in graph.nodes}
    node = graph.nodes[-1]
    while node.kind in AS_BEFORE and len(node.inputs) == 1:
        node = by_name[node.inputs[0]]
    return node.kind == "Softmax" or node.settings.get("activation") in ("softmax", "sigmoid")
