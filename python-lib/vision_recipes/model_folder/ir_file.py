"""A model.xml read as data before OpenVINO sees it: known operations, no cycles, nothing that takes memory when read.

OpenVINO computes some values while it reads a network: those that give shapes. Here each of them is known to be short.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MAX_BYTES = 32 << 20
MAX_LAYERS = 30_000
MAX_SHAPE_VALUES = 4096
"""Numbers that a value that gives a shape may have."""

_POINTWISE = {
    *("Abs", "Ceiling", "Clamp", "Convert", "ConvertLike", "Cos", "Elu", "Erf", "Exp", "Floor", "Gelu", "HSigmoid"),
    *("HSwish", "HardSigmoid", "Identity", "Log", "LogicalNot", "Mish", "Negative", "PReLU", "ReLU", "Round", "Selu"),
    *("Sigmoid", "Sign", "Sin", "SoftPlus", "SoftSign", "Sqrt", "Swish", "Tan", "Tanh"),
    *("Add", "Divide", "Equal", "FloorMod", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalOr"),
    *("LogicalXor", "Maximum", "Minimum", "Mod", "Multiply", "NotEqual", "Power", "Select", "SquaredDifference"),
    *("Subtract", "FakeQuantize"),
}
_REDUCTIONS = {f"Reduce{kind}" for kind in ("L1", "L2", "LogicalAnd", "LogicalOr", "Max", "Mean", "Min", "Prod", "Sum")}
_SHAPE_INPUTS = dict.fromkeys(_REDUCTIONS, (1,)) | {
    **dict.fromkeys(("Reshape", "Tile", "Transpose", "Squeeze", "Unsqueeze", "Split", "OneHot", "TopK", "MVN"), (1,)),
    **dict.fromkeys(("NormalizeL2", "CumSum", "AdaptiveAvgPool", "AdaptiveMaxPool", "LRN"), (1,)),
    **dict.fromkeys(("Broadcast", "VariadicSplit", "Pad", "Roll"), (1, 2)),
    **dict.fromkeys(("ConvolutionBackpropData", "GroupConvolutionBackpropData", "Gather"), (2,)),
    **dict.fromkeys(("Interpolate", "StridedSlice"), (1, 2, 3)),
    "Slice": (1, 2, 3, 4),
    "Range": (0, 1, 2),
}
"""The inputs of operations that give the shape of what comes out, or how it lies."""

OPERATIONS = {
    *_POINTWISE,
    *_SHAPE_INPUTS,
    *("Const", "Parameter", "Result", "ShapeOf", "Concat", "DepthToSpace", "SpaceToDepth", "ShuffleChannels"),
    *("AvgPool", "BatchNormInference", "Convolution", "Einsum", "GatherElements", "GatherND", "GridSample"),
    *("GroupConvolution", "GroupNormalization", "LogSoftmax", "MatMul", "MaxPool", "ReverseSequence"),
    "ScaledDotProductAttention",
    *("ScatterElementsUpdate", "ScatterNDUpdate", "ScatterUpdate", "SoftMax"),
}
"""The operations that a network may have: each gives as much as its inputs' shapes say, in a time that they say."""

_ELEMENT_BYTES = {
    **dict.fromkeys(("boolean", "i8", "u8"), 1),
    **dict.fromkeys(("f16", "bf16", "i16", "u16"), 2),
    **dict.fromkeys(("f32", "i32", "u32"), 4),
    **dict.fromkeys(("f64", "i64", "u64"), 8),
}
_KEEP_LENGTH = {"Squeeze", "StridedSlice", "Slice", "Split", "VariadicSplit", *_REDUCTIONS}
_MAX_DEPTH = 64
_RANKS = 32
"""Dimensions that a tensor may have."""


@dataclass
class _Layer:
    """An operation: `sources` are the ids of the layers its inputs come from, by number; `shape` is a constant's."""

    name: str
    kind: str
    inputs: int = 0
    shape: tuple[int, ...] = ()
    new_axes: bool = False
    sources: dict[int, str] = field(default_factory=dict)


def check_file(xml: Path) -> frozenset[str]:
    """Return the names of the operations that only constants go into; raises ValueError with what is wrong."""
    if xml.stat().st_size > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES} bytes")
    reader = _Reader(xml.with_suffix(".bin").stat().st_size)
    reader.read(xml)
    layers = _in_order(reader.layers)
    _require_short_shapes(layers)
    constant: set[str] = set()
    for number, layer in layers.items():
        sources = layer.sources.values()
        if layer.kind == "Const" or (
            sources and layer.kind != "Result" and all(source in constant for source in sources)
        ):
            constant.add(number)
    return frozenset(layers[number].name for number in constant if layers[number].kind != "Const")


class _Reader:
    """Reads layers and edges; a document type, or a layer anywhere but in the one list, is refused."""

    def __init__(self, weights_bytes: int) -> None:
        self.layers: dict[str, _Layer] = {}
        self._weights_bytes = weights_bytes
        self._depth = 0
        self._part = self._section = ""
        self._once: set[tuple[str, str]] = set()
        self._names: set[str] = set()
        self._layer = _Layer("", "")

    def read(self, xml: Path) -> None:
        from xml.parsers import expat

        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        try:
            with open(xml, "rb") as stream:
                parser.ParseFile(stream)
        except expat.ExpatError as err:
            raise ValueError(f"is not the XML of a network ({err})") from err

    def _refuse_doctype(self, *_declared: object) -> None:
        raise ValueError("has a document type, which no network has")

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _start(self, name: str, given: dict[str, str]) -> None:
        """Take an element; the list of layers is at depth 2, a layer at 3, its data and inputs at 4."""
        depth = self._depth = self._depth + 1
        if depth > 5:
            if depth > _MAX_DEPTH:
                raise ValueError(f"has elements more than {_MAX_DEPTH} deep")
        elif depth <= 2:
            self._start_part(name, depth)
        elif self._part == "edges":
            self._add_edge(given)
        elif self._part == "layers":
            if depth == 3:
                self._add_layer(name, given)
            elif depth == 4:
                self._start_section(name, given)
            elif self._section == "input":
                if given.get("id") != str(self._layer.inputs):
                    raise ValueError(f"has a layer {self._layer.name!r} whose inputs are not numbered from 0")
                self._layer.inputs += 1

    def _start_part(self, name: str, depth: int) -> None:
        if depth == 1 and name != "net":
            raise ValueError(f"has an element {name[:60]!r} where a network is expected")
        self._part = name
        if depth == 2 and name in ("layers", "edges"):
            self._require_first("net", name)

    def _start_section(self, name: str, given: dict[str, str]) -> None:
        self._section = name
        if name in ("data", "input"):
            self._require_first(self._layer.name, name)
        if name == "data":
            self._read_data(given)

    def _require_first(self, owner: str, name: str) -> None:
        if (owner, name) in self._once:
            raise ValueError(f"has {name!r} of {owner[:60]!r} twice")
        self._once.add((owner, name))

    def _add_layer(self, element: str, given: dict[str, str]) -> None:
        number, name, kind = (given.get(key, "")[:200] for key in ("id", "name", "type"))
        opset = given.get("version", "")
        if element != "layer":
            raise ValueError(f"has an element {element[:60]!r} among its layers")
        if kind not in OPERATIONS or not re.fullmatch(r"opset\d{1,2}", opset):
            raise ValueError(
                f"has the operation {kind[:60]!r} of {opset[:40]!r} ({name[:60]!r}), which is not run here"
            )
        if not name or name in self._names or number in self.layers:
            raise ValueError(f"has two layers {name[:60]!r}, or one without a name")
        if len(self.layers) >= MAX_LAYERS:
            raise ValueError(f"has more than {MAX_LAYERS} layers")
        self._names.add(name)
        self._layer = self.layers[number] = _Layer(name, kind)

    def _read_data(self, given: dict[str, str]) -> None:
        layer = self._layer
        if layer.kind == "StridedSlice":
            layer.new_axes = "1" in given.get("new_axis_mask", "")
        if layer.kind != "Const":
            return
        kind, texts = given.get("element_type", ""), re.findall(r"[^,\s]+", given.get("shape", ""))
        if kind not in _ELEMENT_BYTES or len(texts) > _RANKS:
            raise ValueError(f"has a constant {layer.name!r} of type {kind[:40]!r} and {len(texts)} dimensions")
        layer.shape = tuple(_number(text) for text in texts)
        offset, size = _number(given.get("offset", "")), _number(given.get("size", ""))
        needed = math.prod(layer.shape) * _ELEMENT_BYTES[kind]
        if size != needed or offset + size > self._weights_bytes:
            raise ValueError(
                f"has a constant {layer.name!r} of shape {list(layer.shape)[:8]} with {size} bytes at {offset}, which "
                f"the {self._weights_bytes} bytes of weights do not hold"
            )

    def _add_edge(self, given: dict[str, str]) -> None:
        source, target = given.get("from-layer", ""), given.get("to-layer", "")
        port = _number(given.get("to-port", ""))
        layer = self.layers.get(target)
        if layer is None or source not in self.layers or port >= layer.inputs or port in layer.sources:
            raise ValueError(
                f"has an edge from layer {source[:20]!r} to input {port} of {target[:20]!r}, which cannot be"
            )
        layer.sources[port] = source


def _number(text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text):
        raise ValueError(f"has {text[:40]!r} where a whole number of 0 or more is expected")
    return int(text)


def _in_order(layers: Mapping[str, _Layer]) -> dict[str, _Layer]:
    """Return the layers so that each comes after those that it takes its inputs from."""
    waiting = {number: len(set(layer.sources.values())) for number, layer in layers.items()}
    consumers: dict[str, list[str]] = {}
    for number, layer in layers.items():
        if len(layer.sources) != layer.inputs:
            raise ValueError(f"has a layer {layer.name!r} with an input that nothing is connected to")
        for source in set(layer.sources.values()):
            consumers.setdefault(source, []).append(number)
    ready, ordered = [number for number, count in waiting.items() if not count], {}
    while ready:
        number = ready.pop()
        ordered[number] = layers[number]
        for consumer in consumers.get(number, ()):
            waiting[consumer] -= 1
            if not waiting[consumer]:
                ready.append(consumer)
    if len(ordered) != len(layers):
        raise ValueError("has layers that feed each other in a circle")
    return ordered


def _require_short_shapes(layers: Mapping[str, _Layer]) -> None:
    """Raise ValueError unless each value that gives a shape is a list of MAX_SHAPE_VALUES numbers at most.

    Such values are computed when the network is read. They have one dimension and are made by operations that cannot
    make them longer than what goes in.
    """
    giving: set[str] = set()
    waiting = [
        layer.sources[port]
        for layer in layers.values()
        for port in _SHAPE_INPUTS.get(layer.kind, ())
        if port in layer.sources
    ]
    while waiting:
        number = waiting.pop()
        if number not in giving:
            giving.add(number)
            if layers[number].kind != "ShapeOf":
                waiting.extend(layers[number].sources.values())
    sizes: dict[str, tuple[int, int]] = {}
    for number, layer in layers.items():
        if number in giving:
            rank, length = _size(layer, [sizes.get(source, (0, 0)) for _port, source in sorted(layer.sources.items())])
            if rank > 1 or length > MAX_SHAPE_VALUES:
                raise ValueError(f"has a layer {layer.name!r} ({layer.kind}) that gives a shape and is no short list")
            sizes[number] = rank, length


def _size(layer: _Layer, inputs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return how many dimensions and numbers a value that gives a shape has at most, from those of its inputs.

    An operation that could make more of them counts as having too many dimensions.
    """
    rank, length = inputs[0] if inputs else (0, 0)
    match layer.kind:
        case "Const":
            return len(layer.shape), math.prod(layer.shape)
        case "ShapeOf":
            return 1, _RANKS
        case "Concat":
            return rank, sum(size for _rank, size in inputs)
        case "Gather" if len(inputs) == 3:
            return rank + inputs[1][0] - 1, inputs[1][1]
        case "Unsqueeze" | "Reshape" if inputs[1:] and inputs[1][1] <= 1:
            return (rank if layer.kind == "Unsqueeze" else 0) + inputs[1][1], length
        case "Squeeze" if length <= 1:
            return 0, length
    if layer.kind in _POINTWISE:
        return max(rank for rank, _size in inputs), max(size for _rank, size in inputs)
    return inputs[0] if layer.kind in _KEEP_LENGTH and not layer.new_axes else (_RANKS, length)
