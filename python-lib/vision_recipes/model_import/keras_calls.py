"""How the layers of a Keras network are called, read from the `inbound_nodes` of Keras 2 and Keras 3 alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vision_recipes.strict_json import require

KERAS_2_OPERATIONS = ("TFOpLambda", "SlicingOpLambda")
_CONSTANT = "_CONSTANT_VALUE"


@dataclass(frozen=True)
class Tensor:
    """An output of a layer: the layer's name, which of its calls, and which output of that call.

    `shape` includes the batch; Keras 2 does not write it.
    """

    layer: str
    call: int = 0
    output: int = 0
    shape: tuple[int | None, ...] | None = None


@dataclass(frozen=True)
class Call:
    """What a layer is called with: Tensors and plain values, by position and by name."""

    arguments: tuple[Any, ...]
    options: dict[str, Any]

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors that the call takes, in order."""
        return [*_tensors(list(self.arguments)), *_tensors(self.options)]


def is_operation(layer: dict[str, Any]) -> bool:
    """Return whether an entry of a network's description is an operation, not a layer.

    Keras 3 names the module in .keras files only; a layer, unlike an operation, says there whether it is trainable.
    """
    if layer["class_name"] in KERAS_2_OPERATIONS:
        return True
    if layer["class_name"].startswith("SpatialDropout"):  # the only layer that does not say it
        return False
    if layer.get("module"):
        return str(layer["module"]).startswith(("keras.src.ops.", "keras.ops."))
    nodes = layer.get("inbound_nodes") or []
    return bool(nodes) and isinstance(nodes[0], dict) and not {"trainable", "layers"} & set(layer["config"])


def calls_of(layer: dict[str, Any]) -> list[Call]:
    """Return the calls of a layer, in the order in which others refer to them; none for an input."""
    return [_call_of_keras_3(node) if isinstance(node, dict) else _call(node) for node in layer["inbound_nodes"] or []]


def references(value: Any) -> list[Tensor]:
    """Return the tensors in `input_layers` or `output_layers`: one triple, or a structure of triples."""
    if isinstance(value, dict):
        return [reference for item in value.values() for reference in references(item)]
    if value and isinstance(value[0], str):
        return [Tensor(*value)]
    return [reference for item in value for reference in references(item)]


def plain(value: Any) -> Any:
    """Return a value with tensors, slices, arrays and tuples as Python has them; an array is a list of numbers."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind, inside = value.get("class_name"), value.get("config")
    if kind == "__keras_tensor__" and isinstance(inside, dict):
        layer, call, output = inside["keras_history"]
        return Tensor(layer, call, output, tuple(inside["shape"]))
    if kind == "__ellipsis__":
        return ...
    if kind == "__slice__" and isinstance(inside, dict):
        return slice(inside["start"], inside["stop"], inside["step"])
    if set(value) == {"start", "stop", "step"}:
        return slice(value["start"], value["stop"], value["step"])
    if kind in ("__numpy__", "__tensor__") and isinstance(inside, dict):
        return inside["value"]
    if kind == "__tuple__":
        return plain(value["items"])
    return {key: plain(item) for key, item in value.items()}


def _call_of_keras_3(node: dict[str, Any]) -> Call:
    return Call(tuple(plain(value) for value in node["args"]), plain(node.get("kwargs") or {}))


def _call(node: list[Any]) -> Call:
    """Return a call of Keras 2: entries [layer, call, output, options], or one such entry alone."""
    entries = node if node and isinstance(node[0], list) else [node]
    taken = [entry[2] if entry[0] == _CONSTANT else Tensor(*entry[:3]) for entry in entries]
    options = {key: value for entry in entries if len(entry) > 3 for key, value in (entry[3] or {}).items()}
    given = {key: _tensor_or_value(value) for key, value in options.items()}
    return Call(tuple(taken) if len(taken) == 1 else (taken,), given)


def _tensor_or_value(value: Any) -> Any:
    if isinstance(value, list):
        if len(value) in (3, 4) and isinstance(value[0], str) and all(type(item) is int for item in value[1:3]):
            return Tensor(*value[:3])
        return [_tensor_or_value(item) for item in value]
    return plain(value)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        require(isinstance(value.layer, str) and type(value.call) is int and type(value.output) is int, "a reference")
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)
