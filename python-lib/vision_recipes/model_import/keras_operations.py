"""Arithmetic written straight into a Keras network (`x / 127.5 - 1`, `a + b`), read as the layer that does the same."""

from __future__ import annotations

from typing import Any

KINDS = {
    **{"Add": "Add", "Subtract": "Subtract", "Multiply": "Multiply", "Maximum": "Maximum", "Minimum": "Minimum"},
    **{"TrueDivide": "Divide", "Divide": "Divide"},
    **{"math.add": "Add", "__operators__.add": "Add", "math.subtract": "Subtract", "math.multiply": "Multiply"},
    **{"math.truediv": "Divide", "math.divide": "Divide"},
}
"""Operations of Keras 3 by class and of Keras 2 (TFOpLambda) by function."""


def is_operation(layer: dict[str, Any]) -> bool:
    """Return whether an entry of a network's description is an operation, not a layer."""
    module = str(layer.get("module") or "")
    return layer["class_name"] == "TFOpLambda" or module.startswith(("keras.src.ops.", "keras.ops."))


def read_operation(layer: dict[str, Any], inputs: list[str]) -> tuple[str, dict[str, Any]]:
    """Return the kind and settings of the layer that does what an operation does; ValueError when there is none."""
    old = layer["class_name"] == "TFOpLambda"
    name = str(layer["config"].get("function") if old else layer["class_name"])
    kind = KINDS.get(name)
    number, first = _operand_of_old(layer) if old else _operand(layer)
    if kind == "Divide" and len(inputs) == 1 and number is not None and not first:
        return "Rescaling", {"scale": _each(number, lambda value: 1.0 / value)}
    if kind is None or kind == "Divide" or (len(inputs) == 2) == (number is not None):
        raise ValueError(f"it computes with {name[:60]!r} in a way that no layer does which is read here")
    if number is None:
        return kind, {}
    if kind == "Multiply":
        return "Rescaling", {"scale": number}
    if kind == "Add":
        return "Rescaling", {"scale": 1.0, "offset": number}
    if kind == "Subtract":
        return "Rescaling", {
            "scale": -1.0 if first else 1.0,
            "offset": number if first else _each(number, lambda v: -v),
        }
    raise ValueError(f"it computes {name[:60]!r} with a number, as no layer does which is read here")


def _operand(layer: dict[str, Any]) -> tuple[Any, bool]:
    """Return the number that a Keras 3 operation computes with, None without one, and whether it comes first."""
    arguments = list(layer["inbound_nodes"][0]["args"])
    numbers = [(place, _number(value)) for place, value in enumerate(arguments)]
    found = [(place, number) for place, number in numbers if number is not None]
    return (found[0][1], found[0][0] == 0) if len(found) == 1 else (None, False)


def _operand_of_old(layer: dict[str, Any]) -> tuple[Any, bool]:
    node = layer["inbound_nodes"][0]
    call = node[0] if isinstance(node[0], list) else node
    return _number((call[3] or {}).get("y")), False


def _number(value: Any) -> Any:
    """Return a number or a list of three (one per channel), also as Keras writes arrays; None for anything else."""
    if isinstance(value, dict) and value.get("class_name") == "__numpy__":
        value = value["config"]["value"]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, list) and len(value) == 3 and all(type(item) in (int, float) for item in value):
        return [float(item) for item in value]
    return None


def _each(number: Any, change: Any) -> Any:
    return [change(item) for item in number] if isinstance(number, list) else change(number)
