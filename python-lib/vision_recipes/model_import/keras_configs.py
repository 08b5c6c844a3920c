"""Keras's own descriptions of networks, of versions 2 and 3, read as data and translated into a graph.

Nested networks are flattened. What is not a plain, known layer (Lambda, custom classes, calls with odd arguments) is
refused by name; nothing of the description is ever executed or imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.config import MAX_SIDE
from vision_recipes.model_folder.layer_graph import LAYERS, Graph, Node
from vision_recipes.model_folder.weights import snake_case, stable_names
from vision_recipes.model_import.keras_operations import is_operation, read_operation
from vision_recipes.strict_json import require

NESTED = ("Functional", "Model", "Sequential")
_RANDOM = "Flip Rotation Zoom Translation Contrast Brightness Shear Erasing GaussianBlur ColorJitter"
PASSED_THROUGH = ("Identity", "ActivityRegularization", *(f"Random{kind}" for kind in _RANDOM.split()))
"""Layers that do nothing when pictures are scored."""

RENAMED = {"BatchNormalizationV1": "BatchNormalization", "MaxPool2D": "MaxPooling2D", "AvgPool2D": "AveragePooling2D"}
DEFAULT_SIDE = 224
MAX_DEPTH = 8


@dataclass(frozen=True)
class Translation:
    """A network as a graph. `size` is (height, width); `sized` is whether the file gave it, or it is the usual 224.

    `channels` is 3 for colour, 1 for grey.

    `leaves` gives for the name of each node its layer in the file: names from the outermost network inwards.
    `names` are those of the network and the networks nested in it.
    """

    graph: Graph
    size: tuple[int, int]
    sized: bool
    leaves: dict[str, tuple[str, ...]]
    names: tuple[str, ...]
    channels: int = 3


def translate(config: dict[str, Any], where: str) -> Translation:
    """Return a Keras model's config as a graph; raises ModelFolderError naming the layer that cannot be read."""
    work = _Translator()
    try:
        nodes, leaves = _renumbered(work.ordered(work.network(config, (), None)), work.leaves)
        graph = Graph(nodes)
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError) as err:
        reason = err if isinstance(err, ValueError) else f"its description is not as Keras writes it ({err!r:.100})"
        can = "Networks of Keras's own layers with one input and output can."
        raise ModelFolderError(f"{where} cannot be imported: {reason}. {can}") from err
    size = work.size or (DEFAULT_SIDE, DEFAULT_SIDE)
    return Translation(graph, size, work.size is not None, leaves, tuple(work.names), work.channels)


@dataclass
class _Translator:
    nodes: dict[str, Node] = field(default_factory=dict)
    leaves: dict[str, tuple[str, ...]] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    names: list[str] = field(default_factory=list)
    channels: int = 3

    def network(self, config: dict[str, Any], path: tuple[str, ...], source: str | None) -> str:
        """Add the layers of a network that takes the output of node `source`, and return the node of its output."""
        require(len(path) <= MAX_DEPTH, "networks are nested too deeply in each other")
        kind, inside, layers = config["class_name"], config["config"], layers_of(config)
        self.names.append(str(config.get("name") or (inside.get("name") if isinstance(inside, dict) else "") or ""))
        if kind == "Sequential":
            return self._sequential(layers, inside, path, source)
        require(kind in NESTED, f"the network is of the class {kind!r:.60}, which only its own code can build")
        ends = _references(inside["input_layers"]), _references(inside["output_layers"])
        require(all(len(end) == 1 for end in ends), "it has more than one input or output")
        outputs: dict[str, str] = {}
        waiting = [(name_of(layer), layer, _inputs(layer)) for layer in layers]
        while waiting:
            later = []
            for name, layer, inputs in waiting:
                if all(entry in outputs for entry in inputs):
                    outputs[name] = self._layer(layer, path, [outputs[entry] for entry in inputs], source)
                else:
                    later.append((name, layer, inputs))
            names = ", ".join(name[:40] for name, _layer, _inputs in later[:3])
            require(len(later) < len(waiting), f"the layers {names} form a circle")
            waiting = later
        return outputs[ends[1][0][0]]

    def _sequential(self, layers: list[Any], inside: Any, path: tuple[str, ...], source: str | None) -> str:
        current, first = source, layers[0]
        if current is None and first["class_name"] not in ("InputLayer", *NESTED):
            shape = first["config"].get("batch_input_shape") or first["config"].get("batch_shape")
            shape = shape or (inside.get("build_input_shape") if isinstance(inside, dict) else None)
            current = self._input({"batch_shape": shape or [None, None, None, 3], "name": "pixels"}, path)
        for layer in layers:
            current = self._layer(layer, path, [] if current is None else [current], current)
        return str(current)

    def _layer(self, layer: dict[str, Any], path: tuple[str, ...], inputs: list[str], source: str | None) -> str:
        kind, name, config = kind_of(layer), name_of(layer), layer["config"]
        inner = (*path, name)
        if kind in NESTED:
            return self.network(layer | {"name": name}, inner, inputs[0] if inputs else None)
        if kind == "InputLayer":
            return self._input(config, path) if source is None else source
        if kind in PASSED_THROUGH:
            return inputs[0]
        if is_operation(layer):
            kind, settings = read_operation(layer, inputs)
            return self._add(kind, name, inner, settings, tuple(inputs))
        where, registered = f"its layer {name[:60]!r}", layer.get("registered_name")
        unread = (
            f"of the kind {str(registered or kind)[:60]!r}, which is not among Keras's own layers that are read here"
        )
        require(kind in LAYERS and not registered, f"{where} is {unread}")
        module = str(layer.get("module") or "keras.layers")
        own = f"{module}.".startswith(("keras.layers.", "keras.src.layers."))
        require(own, f"{where} comes from the module {module[:60]!r}, which is not Keras's")
        return self._add(kind, name, inner, _settings(kind, name, config), tuple(inputs))

    def _input(self, config: dict[str, Any], path: tuple[str, ...]) -> str:
        require(not self.nodes, "it has more than one input")
        shape = config.get("batch_shape") or config.get("batch_input_shape") or config["shape"]
        height, width, channels = shape[-3:]
        pictures = channels in (1, 3) and len(shape) in (3, 4)
        require(pictures, f"it takes an input of shape {shape}, where pictures (height, width, 3 or 1) are needed")
        for side in (height, width):
            usable = side is None or (type(side) is int and 8 <= side <= MAX_SIDE)
            require(usable, f"its input shape {shape} cannot be read")
        self.size, self.channels = (height, width) if height and width else None, channels
        return self._add("InputLayer", "input", path, {}, ())

    def _add(
        self, kind: str, name: str, path: tuple[str, ...], settings: dict[str, Any], inputs: tuple[str, ...]
    ) -> str:
        plain = re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip("-")[:150] or kind.lower()
        unique = _unique(plain, self.nodes)
        self.nodes[unique] = Node(unique, kind, settings, inputs)
        self.leaves[unique] = path
        return unique

    def ordered(self, output: str) -> Iterator[Node]:
        """Yield the nodes that the output needs, each after its inputs; the file's order is kept where it is one."""
        needed, waiting = set(), [output]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting.extend(self.nodes[name].inputs)
        yield from (node for name, node in self.nodes.items() if name in needed)


def _renumbered(
    nodes: Iterator[Node], leaves: dict[str, tuple[str, ...]]
) -> tuple[tuple[Node, ...], dict[str, tuple[str, ...]]]:
    """Return nodes and leaves by names that `weights.layer_names` does not change.

    Keras numbers unnamed layers by what was built before in the same process, so the only dense layer of a network may
    be `dense_7`; its weights are stored under the name that the network has when it is built alone.
    """
    found = list(nodes)
    names: dict[str, str] = {}
    taken: set[str] = set()
    numbered = stable_names([(node.name, snake_case(node.kind)) for node in found])
    own = {name for node, name in zip(found, numbered, strict=True) if name != node.name}
    for node, name in zip(found, numbered, strict=True):
        names[node.name] = _unique(name, taken, own if name == node.name else ())
        taken.add(names[node.name])
    renamed = (
        Node(names[node.name], node.kind, node.settings, tuple(names[source] for source in node.inputs))
        for node in found
    )
    return tuple(renamed), {names[name]: path for name, path in leaves.items() if name in names}


def _unique(name: str, *taken: Container[str]) -> str:
    """Return a name, with a number after it when it is taken."""
    unique, count = name, 1
    while any(unique in names for names in taken):
        count += 1
        unique = f"{name}.{count}"
    return unique


def layers_of(config: dict[str, Any]) -> list[Any]:
    """Return the descriptions of a network's layers."""
    inside = config["config"]
    found: list[Any] = inside if isinstance(inside, list) else inside["layers"]
    return found


def kind_of(layer: dict[str, Any]) -> str:
    """Return the kind of a layer in a description, by its name in Keras 3."""
    return RENAMED.get(layer["class_name"], layer["class_name"])


def name_of(layer: dict[str, Any]) -> str:
    """Return the name of a layer or network in a description; its kind when it has none."""
    inside = layer["config"]
    return str(layer.get("name") or (inside.get("name") if isinstance(inside, dict) else "") or layer["class_name"])


def _inputs(layer: dict[str, Any]) -> list[str]:
    """Return the names of the layers whose output a layer takes, in order."""
    nodes = layer.get("inbound_nodes") or []
    if not nodes:
        return []
    where, node = f"its layer {str(layer.get('name'))[:60]!r}", nodes[0]
    require(len(nodes) == 1, f"{where} is used more than once")
    if isinstance(node, dict):
        for key, value in (node.get("kwargs") or {}).items():
            require(not _tensors(value), f"{where} takes another layer's output as {key!r:.40}")
        return _tensors(node["args"])
    calls = node if node and isinstance(node[0], list) else [node]
    names = [call[0] for call in calls]
    for call in calls:
        options = dict(call[3] or {}) if len(call) > 3 else {}
        if is_operation(layer):
            second = options.pop("y", None)
            names += [second[0]] if isinstance(second, list) and second and isinstance(second[0], str) else []
            options.pop("name", None)
        require(set(options) <= {"training", "mask"}, f"{where} is called with {sorted(options)}")
    return names


def _tensors(value: Any) -> list[str]:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [value["config"]["keras_history"][0]]
        return [name for item in value.values() for name in _tensors(item)]
    return [name for item in value for name in _tensors(item)] if isinstance(value, list) else []


def _references(value: Any) -> list[Any]:
    """Return the references in `input_layers` or `output_layers`: one triple, or a list of triples, also nested."""
    if isinstance(value, dict):
        return [reference for item in value.values() for reference in _references(item)]
    if value and isinstance(value[0], str):
        return [value]
    return [reference for item in value for reference in _references(item)]


def _settings(kind: str, name: str, config: dict[str, Any]) -> dict[str, Any]:
    first = config.get("data_format") == "channels_first"
    require(not first, f"its layer {name[:60]!r} takes channels first, which only some GPUs compute")
    settings = {key: config[key] for key in LAYERS[kind] if key in config}
    for key, change in CHANGES.items():
        if key in settings:
            settings[key] = change(settings[key])
    if kind == "LeakyReLU" and "alpha" in config:
        settings["negative_slope"] = float(config["alpha"])
    return {key: value for key, value in settings.items() if value is not None or key == "max_value"}


def _activation(value: Any) -> Any:
    """Return the plain name of an activation, which Keras 3 may write as an object."""
    if isinstance(value, dict):
        inside = value.get("config")
        value = inside if isinstance(inside, str) else value.get("class_name")
        value = re.sub("(?<=[a-z0-9])([A-Z])", r"_\1", str(value)).lower()
    return "linear" if value is None else value


def _axis(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


CHANGES: dict[str, Callable[[Any], Any]] = {"activation": _activation, "axis": _axis}
