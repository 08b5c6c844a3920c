"""A graph under construction: nodes by unique names, their shapes, and where in the file each finds its weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.model_folder.layer_graph import MAX_LAYERS, Graph, Node
from vision_recipes.model_folder.weights import snake_case, stable_names
from vision_recipes.model_import.keras_shapes import Shape, output_shape
from vision_recipes.strict_json import require

Path = tuple[str, ...]
"""A layer in a file: names from the outermost network inwards; empty for what is no layer of the file's."""


@dataclass
class GraphBuilder:
    """Nodes in the order in which they were added; `leaves` are their paths, `fixed` weights that no file holds.

    `picked` are single channels without their axis, by names that are no nodes: the node and the channel's number.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    leaves: dict[str, Path] = field(default_factory=dict)
    fixed: dict[str, list[np.ndarray]] = field(default_factory=dict)
    uses: Counter[Path] = field(default_factory=Counter)
    picked: dict[str, tuple[str, int]] = field(default_factory=dict)

    def add(
        self, path: Path, kind: str, settings: dict[str, Any], inputs: Sequence[str], shape: Shape | None = None
    ) -> str:
        """Add a node that is (a use of) the layer with the path, and return its name."""
        plain = re.sub(r"[^A-Za-z0-9_.-]", "_", path[-1] if path else kind).lstrip("-")[:150] or kind.lower()
        name = _unique(plain, self.nodes)
        require(len(self.nodes) < MAX_LAYERS, f"it has more than {MAX_LAYERS} layers")
        require(self.picked.keys().isdisjoint(inputs), f"{kind} takes a single channel without its axis")
        self.uses[path] += 1
        self.nodes[name] = Node(name, kind, settings, tuple(inputs))
        self.leaves[name] = path
        self.shapes[name] = output_shape(kind, settings, [self.shapes[n] for n in inputs]) if shape is None else shape
        return name

    def pick(self, node: str, channel: int) -> str:
        """Return the name of one channel of a node, without its axis, for operations that join channels again."""
        name = f"{node}[{channel}]"
        self.picked[name], self.shapes[name] = (node, channel), self.shapes[node][:-1]
        return name

    def graph(self, output: str) -> tuple[Graph, dict[str, str]]:
        """Return the graph of what the output needs, and the new name of each of its nodes."""
        require(output in self.nodes, "its output is a single channel")
        nodes = list(self._needed(output))
        names = _stable(nodes)
        renamed = (Node(names[n.name], n.kind, n.settings, tuple(names[name] for name in n.inputs)) for n in nodes)
        return Graph(tuple(renamed)), names

    def _needed(self, output: str) -> Iterator[Node]:
        """Yield the nodes that the output needs, each after its inputs; the file's order is kept where it is one."""
        needed, waiting = set(), [output]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting.extend(self.nodes[name].inputs)
        last = [self.nodes[output]]
        yield from [node for name, node in self.nodes.items() if name in needed and name != output] + last


def _stable(nodes: Sequence[Node]) -> dict[str, str]:
    """Return for each node a name that `weights.layer_names` does not change.

    Keras numbers unnamed layers by what was built before in the same process, so the only dense layer of a network may
    be `dense_7`; its weights are stored under the name that the network has when it is built alone.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    numbered = stable_names([(node.name, snake_case(node.kind)) for node in nodes])
    own = {name for node, name in zip(nodes, numbered, strict=True) if name != node.name}
    for node, name in zip(nodes, numbered, strict=True):
        names[node.name] = _unique(name, taken, own if name == node.name else ())
        taken.add(names[node.name])
    return names


def _unique(name: str, *taken: Container[str]) -> str:
    """Return a name, with a number after it when it is taken."""
    unique, count = name, 1
    while any(unique in names for names in taken):
        count += 1
        unique = f"{name}.{count}"
    return unique
