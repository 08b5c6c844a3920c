"""The output of an imported network, completed so that it gives one probability for each of at least two classes."""

from __future__ import annotations

import numpy as np

from vision_recipes.model_folder.layer_graph import Graph, Node

ADDED = ("probabilities", "two_classes")
WEIGHTS = {"two_classes": [np.array([[-1.0, 1.0]], np.float32), np.array([1.0, 0.0], np.float32)]}
"""The fixed weights of an added layer: one probability p becomes (1 - p, p)."""

LIKE_ITS_INPUT = (
    *("Dropout", "Flatten", "Reshape", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "AveragePooling2D"),
    *("GlobalAveragePooling1D", "GlobalMaxPooling1D"),
)
"""Layers whose output is probabilities when their input is."""


def complete(graph: Graph, units: int) -> tuple[Graph, str]:
    """Return the graph ending in the probabilities of at least two classes, and a sentence on what was added, or "".

    `units` is the number of values that the graph gives for a picture.
    """
    nodes, notes = list(graph.nodes), []
    if not _gives_probabilities(graph):
        kind = "sigmoid" if units == 1 else "softmax"
        nodes.append(Node("probabilities", "Activation", {"activation": kind}, (nodes[-1].name,)))
        notes.append(
            f"its scores were not probabilities, so a {kind} was added (if it predicts a quantity and no class, "
            "they mean nothing)"
        )
    if units == 1:
        nodes.append(Node("two_classes", "Dense", {"units": 2, "activation": "linear"}, (nodes[-1].name,)))
        notes.append("its one output was made two classes: it gives the probability of the second")
    return Graph(tuple(nodes)), "; ".join(notes)


def _gives_probabilities(graph: Graph) -> bool:
    """Return whether the last layer that changes values is a softmax or sigmoid."""
    by_name = {node.name: node for node in graph.nodes}
    node = graph.nodes[-1]
    while node.kind in LIKE_ITS_INPUT and len(node.inputs) == 1:
        node = by_name[node.inputs[0]]
    activation = node.settings.get("activation")
    return node.kind == "Softmax" or activation in ("softmax", "sigmoid", "hard_sigmoid")
