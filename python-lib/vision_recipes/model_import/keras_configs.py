"""Keras's own descriptions of networks, of versions 2 and 3, read as data and translated into a graph.

Nested networks are flattened. What is not a plain, known layer (Lambda, custom classes, calls with odd arguments) is
refused by name; nothing of the description is ever executed or imported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.layer_graph import MAX_LAYERS, Graph, Node
from vision_recipes.model_import import keras_layers
from vision_recipes.model_import.keras_calls import Call, Tensor, calls_of, is_operation, references
from vision_recipes.model_import.keras_graph import GraphBuilder, Path
from vision_recipes.model_import.keras_layers import Layer, kind_of
from vision_recipes.model_import.keras_operands import read_operation
from vision_recipes.model_import.keras_operations import add_operation
from vision_recipes.model_import.keras_outputs import chosen_output
from vision_recipes.preprocessing import MAX_SIDE
from vision_recipes.strict_json import require

NESTED = ("Functional", "Sequential", "Pipeline")
DEFAULT_SIDE = 224
MAX_DEPTH = 8
PIXELS = {"batch_shape": [None, None, None, 3], "name": "pixels"}


@dataclass(frozen=True)
class Translation:
    """A network as a graph. `size` is (height, width); `sized` is whether the file gave it, or it is a usual one.

    `channels` is 3 for colour, 1 for grey.

    `leaves` gives for the name of each node its layer in the file: names from the outermost network inwards. `fixed`
    are the weights of nodes that are not in the file. `names` are those of the network and the networks nested in it.
    """

    graph: Graph
    size: tuple[int, int]
    sized: bool
    leaves: dict[str, Path]
    names: tuple[str, ...]
    channels: int = 3
    fixed: dict[str, list[np.ndarray]] = field(default_factory=dict)

    @property
    def scales_pixels(self) -> bool:
        """Whether the network takes pixels as they are: it scales them before its first layer with weights."""
        before = _before_weights(self.graph, set(self.fixed))
        return any(node.kind in ("Rescaling", "Normalization") for node in before)


def translate(config: dict[str, Any], where: str, output: str = "", keras: int = 3) -> Translation:
    """Return a Keras model's config as a graph; raises ModelFolderError naming the layer that cannot be read.

    `output` is the name or number of one of several outputs. `keras` is the version that wrote the config: 2 or 3.
    """
    work = _Translator(keras=keras)
    try:
        made = work.network(config, (), [])
        graph, names = work.builder.graph(chosen_output(made, work.builder, output))
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError) as err:
        reason = err if isinstance(err, ValueError) else f"its description is not as Keras writes it ({err!r:.100})"
        raise ModelFolderError(
            f"{where} cannot be imported: {reason}. Networks with one picture as input and layers of the list in "
            "docs/vision-import.md can; others may, when they are exported to ONNX."
        ) from err
    leaves = {names[name]: path for name, path in work.builder.leaves.items() if name in names}
    fixed = {names[name]: values for name, values in work.builder.fixed.items() if name in names}
    size = work.size or work.cropped or _resized(graph, set(fixed)) or (DEFAULT_SIDE, DEFAULT_SIDE)
    return Translation(graph, size, work.size is not None, leaves, tuple(work.names), work.channels, fixed)


def _before_weights(graph: Graph, fixed: set[str]) -> list[Node]:
    """Return the nodes before the first one with weights of its own."""
    weighted = [place for place, n in enumerate(graph.nodes) if n.kind in keras_layers.LEARNED and n.name not in fixed]
    return list(graph.nodes[: weighted[0] if weighted else None])


def _resized(graph: Graph, fixed: set[str]) -> tuple[int, int] | None:
    """Return the (height, width) to which the network brings pictures of any size first; None when it does not."""
    for node in _before_weights(graph, fixed):
        if node.kind in ("Resizing", "CenterCrop"):
            return node.settings["height"], node.settings["width"]
    return None


@dataclass
class _Translator:
    keras: int
    builder: GraphBuilder = field(default_factory=GraphBuilder)
    size: tuple[int, int] | None = None
    cropped: tuple[int, int] | None = None
    names: list[str] = field(default_factory=list)
    channels: int = 3
    steps: int = 0

    def network(self, config: dict[str, Any], path: Path, sources: Sequence[str]) -> list[tuple[str, str]]:
        """Add the layers of a network that takes the outputs of nodes, and return names and nodes of its outputs.

        Without `sources` it is the outermost network, whose input is the picture.
        """
        require(len(path) <= MAX_DEPTH, "networks are nested too deeply in each other")
        kind, inside = kind_of(config), config["config"]
        self.names.append(str(config.get("name") or (inside.get("name") if isinstance(inside, dict) else "") or ""))
        if kind in ("Sequential", "Pipeline"):
            node = self._sequential(layers_of(config), inside, path, sources)
            return [(name_of(layers_of(config)[-1]), node)]
        own = f"the network is of the class {kind!r:.60}, which only its own code can build"
        require(kind in NESTED, f"{own}. Export it to ONNX there and import that, or write it as a functional model")
        entries, ends = references(inside["input_layers"]), references(inside["output_layers"])
        inputs = ", ".join(repr(entry.layer[:40]) for entry in entries[:5])
        require(len(entries) == max(len(sources), 1), f"it has {len(entries)} inputs ({inputs}), where one is needed")
        calls = _Calls(layers_of(config), ends)
        for place, entry in enumerate(entries):
            source = sources[place] if sources else self._picture(calls.layers[entry.layer]["config"])
            calls.made[entry.layer, 0] = [source]
        for layer, number, call in calls:
            calls.made[name_of(layer), number] = self._called(layer, path, call, calls.node_of)
        named = inside["output_layers"] if isinstance(inside["output_layers"], dict) else {}
        keys = list(named) if len(named) == len(ends) else [end.layer for end in ends]
        return [(str(key), calls.node_of(end)) for key, end in zip(keys, ends, strict=True)]

    def _sequential(self, layers: list[Any], inside: Any, path: Path, sources: Sequence[str]) -> str:
        require(layers and len(sources) <= 1, "it has a sequence without layers, or with more than one input")
        (current,) = sources or [""]
        first = layers[0]
        if not current and first["class_name"] != "InputLayer" and kind_of(first) not in NESTED:
            shape = first["config"].get("batch_input_shape") or first["config"].get("batch_shape")
            shape = shape or (inside.get("build_input_shape") if isinstance(inside, dict) else None)
            current = self._picture({"batch_shape": shape} if shape else PIXELS)
        for layer in layers:
            if layer["class_name"] == "InputLayer":
                current = current or self._picture(layer["config"])
            elif not current:
                ((_name, current),) = self.network(layer | {"name": name_of(layer)}, (*path, name_of(layer)), [])
            else:
                (current,) = self._called(layer, path, Call((Tensor(""),), {}), lambda _tensor, node=current: node)
        return current

    def _called(self, layer: dict[str, Any], path: Path, call: Call, node_of: Any) -> list[str]:
        """Add what one call of a layer or nested network computes and return the nodes of its outputs."""
        self.steps += 1
        require(self.steps <= 4 * MAX_LAYERS, f"it has more than {MAX_LAYERS} layers")
        kind, own = kind_of(layer), (*path, name_of(layer))
        if is_operation(layer):
            return [add_operation(self.builder, read_operation(layer, call, own, node_of, self.keras))]
        where = f"its layer {own[-1][:60]!r}"
        _check_options(kind, call, where, self.keras)
        inputs = [node_of(tensor) for tensor in call.tensors]
        if kind in NESTED:
            return [node for _name, node in self.network(layer | {"name": own[-1]}, own, inputs)]
        keras_layers.check_origin(layer, kind, where)
        if kind == "RandomCrop" and len(self.builder.nodes) == 1:
            self.cropped = (layer["config"]["height"], layer["config"]["width"])
        return [keras_layers.add_layer(self.builder, Layer(kind, layer["config"], own, inputs, self.keras))]

    def _picture(self, config: dict[str, Any]) -> str:
        """Add the network's input, for pictures (height, width, 3 or 1) or grey ones (height, width)."""
        require(not self.builder.nodes, "it has more than one input")
        shape = config.get("batch_shape") or config.get("batch_input_shape") or [None, *config["shape"]]
        flat = len(shape) == 3 and shape[-1] != 3
        pictures = flat or (len(shape) == 4 and shape[-1] in (1, 3))
        first = " (channels first is not read)" if len(shape) == 4 and shape[1] in (1, 3) else ""
        needed = "pictures (height, width, 3 or 1) or (height, width) are needed; start it with an input of that shape"
        require(pictures, f"it takes an input of shape {shape}{first}, where {needed}")
        height, width, channels = (*shape[1:], 1) if flat else shape[-3:]
        for side in (height, width):
            usable = side is None or (type(side) is int and 8 <= side <= MAX_SIDE)
            require(usable, f"its input shape {shape} cannot be read")
        self.size, self.channels = (height, width) if height and width else None, channels
        node = self.builder.add(("input",), "InputLayer", {}, [], (height, width, channels))
        if not flat:
            return node
        require(self.size, f"its input shape {shape} cannot be read")
        return self.builder.add((), "Reshape", {"target_shape": [height, width]}, [node])


class _Calls:
    """The calls of a network's layers, iterated in an order in which each comes after those whose outputs it takes.

    `made` are the nodes of the outputs of each call, by the layer's name and the call's number.
    """

    def __init__(self, layers: list[Any], ends: list[Tensor]) -> None:
        self.layers = {name_of(layer): layer for layer in layers}
        require(len(self.layers) == len(layers), "two of its layers have the same name")
        self.made: dict[tuple[str, int], list[str]] = {}
        self.calls = [(layer, number, call) for layer in layers for number, call in enumerate(calls_of(layer))]
        self.shifts = self._shifts([tensor for _layer, _number, call in self.calls for tensor in call.tensors] + ends)

    def _shifts(self, tensors: list[Tensor]) -> dict[str, int]:
        """Return for each layer the number by which others refer to its first call: 1 for most nested networks."""
        counts: dict[str, int] = defaultdict(int)
        for layer, number, _call in self.calls:
            counts[name_of(layer)] = number
        last: dict[str, int] = defaultdict(int)
        for tensor in tensors:
            last[tensor.layer] = max(last[tensor.layer], tensor.call)
        return {name: max(last[name] - counts[name], 0) for name in last}

    def _place(self, tensor: Tensor) -> tuple[str, int]:
        return tensor.layer, max(tensor.call - self.shifts.get(tensor.layer, 0), 0)

    def node_of(self, tensor: Tensor) -> str:
        """Return the node of a tensor."""
        return self.made[self._place(tensor)][tensor.output]

    def __iter__(self) -> Any:
        waiting = self.calls
        while waiting:
            later = []
            for layer, number, call in waiting:
                if all(self._place(tensor) in self.made for tensor in call.tensors):
                    yield layer, number, call
                else:
                    later.append((layer, number, call))
            names = ", ".join(name_of(layer)[:40] for layer, _number, _call in later[:3])
            require(len(later) < len(waiting), f"the layers {names} form a circle")
            waiting = later


def layers_of(config: dict[str, Any]) -> list[Any]:
    """Return the descriptions of a network's layers."""
    inside = config["config"]
    found: list[Any] = inside if isinstance(inside, list) else inside["layers"]
    return found


def name_of(layer: dict[str, Any]) -> str:
    """Return the name of a layer or network in a description; its kind when it has none."""
    inside = layer["config"]
    return str(layer.get("name") or (inside.get("name") if isinstance(inside, dict) else "") or layer["class_name"])


def _check_options(kind: str, call: Call, where: str, keras: int) -> None:
    """Raise ValueError when a layer is called with more than tensors, or works as in training when it scores.

    Keras 3 writes training=True into files as well, but gives way to what the whole network is called with.
    """
    unknown = {key for key, value in call.options.items() if value is not None} - {"training", "mask", "inputs"}
    require(not unknown, f"{where} is called with {sorted(unknown)}")
    sensitive = keras == 2 and (kind in NESTED or kind in keras_layers.AS_IN_TRAINING)
    training = sensitive and call.options.get("training") in (True, 1)
    require(not training, f"{where} is called with training=True, so that it works as in training when it scores")
    plain = all(isinstance(value, (Tensor, list)) for value in call.arguments if value is not None)
    require(plain, f"{where} is called with plain values")
