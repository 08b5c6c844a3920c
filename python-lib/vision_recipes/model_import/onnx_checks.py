"""An ONNX file checked as data before OpenVINO reads it: known operators, no data from elsewhere, sizes that are there.

Each refusal is a ValueError whose text goes after the name of the file and tells the next step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_NODES = 20_000
MAX_NAME = 1000
MIN_OPSET = 7
FLOAT_EXPORT = "Export the network in float32, before it is quantised."
EVALUATION = "Export it in evaluation mode: model.eval() in PyTorch, training=False elsewhere."

OPERATORS = {
    *("Abs", "Add", "And", "AveragePool", "BatchNormalization", "Cast", "CastLike", "Ceil", "Celu", "Clip", "Concat"),
    *("Constant", "ConstantOfShape", "Conv", "ConvTranspose", "Cos", "CumSum", "DepthToSpace", "Div", "Dropout"),
    *("Einsum", "Elu", "Equal", "Erf", "Exp", "Expand", "Flatten", "Floor", "Gather", "GatherElements", "GatherND"),
    *("Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "GroupNormalization"),
    *("HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "LRN", "LayerNormalization", "LeakyRelu"),
    *("Less", "LessOrEqual", "Log", "LogSoftmax", "LpNormalization", "MatMul", "Max", "MaxPool", "Mean", "Min", "Mish"),
    *("MeanVarianceNormalization", "Mod", "Mul", "Neg", "Not", "OneHot", "Or", "PRelu", "Pad", "Pow", "Range"),
    *("Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin"),
    *("ReduceProd", "ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "Resize", "Round", "ScatterElements"),
    *("ScatterND", "Selu", "Shape", "Sigmoid", "Sign", "Sin", "Size", "Slice", "Softmax", "Softplus", "Softsign"),
    *("SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tan", "Tanh", "ThresholdedRelu", "Tile", "TopK"),
    *("Transpose", "Trilu", "Unsqueeze", "Upsample", "Where", "Xor"),
}
"""What image networks are made of: each gives the same for the same picture, in a time that shapes tell."""

_TYPES = {"FLOAT": 4, "FLOAT16": 2, "BFLOAT16": 2, "DOUBLE": 8, "BOOL": 1} | {
    f"{sign}INT{bits}": bits // 8 for sign in ("", "U") for bits in (8, 16, 32, 64)
}
"""Types of stored numbers, and bytes of one."""

_VALUES = {"FLOAT": "float_data", "DOUBLE": "double_data", "INT64": "int64_data"} | {
    **dict.fromkeys(("UINT32", "UINT64"), "uint64_data"),
    **dict.fromkeys(("INT8", "INT16", "INT32", "UINT8", "UINT16", "BOOL", "FLOAT16", "BFLOAT16"), "int32_data"),
}
"""Where a tensor of a type has its numbers when they are not raw bytes."""


def read_onnx(path: Path) -> Any:
    """Return the onnx.ModelProto of a file, without data from other files; raises ValueError with what is wrong."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError, RecursionError) as err:
        raise ValueError(f"is not an ONNX file, or is cut off ({str(err)[:100]}). Copy or export it again.") from err
    if not model.ir_version or not model.graph.node:
        raise ValueError("is not an ONNX file with a network in it. Copy or export it again.")
    if not all(isinstance(text, str) for text in _texts(model)):  # bytes where they are no text
        raise ValueError("has a name that is not UTF-8. Export it again.")
    _check(model)
    return model


def _texts(model: Any) -> Iterator[Any]:
    """Yield every name in a file that is used."""
    graph = model.graph
    yield from (entry.domain for entry in model.opset_import)
    yield from (item.name for item in (*graph.initializer, *graph.input, *graph.output))
    for node in graph.node:
        yield from (node.op_type, node.domain, node.name, *node.input, *node.output)
        for attribute in node.attribute:
            yield from (attribute.name, attribute.t.name, *(tensor.name for tensor in attribute.tensors))


def _check(model: Any) -> None:
    import onnx

    latest = onnx.defs.onnx_opset_version()
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    opset = opsets.get("", opsets.get("ai.onnx", 0))
    if not MIN_OPSET <= opset <= latest:
        raise ValueError(f"has opset {opset}; {MIN_OPSET} to {latest} can be read. Export it with opset_version=17.")
    if model.functions or model.training_info:
        raise ValueError(
            "has functions of its own or training steps. Inline them (onnx.inliner.inline_local_functions), or export "
            "it for inference."
        )
    graph = model.graph
    if len(graph.node) > MAX_NODES:
        raise ValueError(f"has {len(graph.node)} nodes, more than {MAX_NODES}. Simplify it before the export.")
    if graph.sparse_initializer:
        raise ValueError("has sparse weights. Export them dense.")
    if graph.quantization_annotation:
        raise ValueError(f"is quantised. {FLOAT_EXPORT}")
    for tensor in graph.initializer:
        _check_tensor(tensor, tensor.name)
    for node in graph.node:
        _check_node(node)
    _check_names(graph)


def _check_node(node: Any) -> None:
    """Raise ValueError for an operator that is not on the list, or that is set to something else than inference."""
    import onnx

    kind, domain, name = node.op_type[:60], node.domain[:60], node.name[:60]
    where = f"the operator {kind!r} ({name!r})" if domain in ("", "ai.onnx") else f"the operator {domain}.{kind}"
    if kind.startswith(("QLinear", "DynamicQuantize", "Quantize", "Dequantize")) or kind.endswith("Integer"):
        raise ValueError(f"has {where}: it is quantised. {FLOAT_EXPORT}")
    if domain not in ("", "ai.onnx"):
        raise ValueError(f"has {where}, which is not one of ONNX' own. Export it without optimisation for a runtime.")
    if kind not in OPERATORS:
        raise ValueError(f"has {where}, which image networks do not need and which is not run. Export it without.")
    integers = {}
    for attribute in node.attribute:
        if attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) or attribute.HasField("g"):
            raise ValueError(f"has {where} with a network inside. Export it without.")
        if attribute.HasField("sparse_tensor") or attribute.sparse_tensors or attribute.HasField("tp"):
            raise ValueError(f"has {where} with {attribute.name[:60]!r} of an unusual type. Export it again.")
        for tensor in (*([attribute.t] if attribute.HasField("t") else ()), *attribute.tensors):
            _check_tensor(tensor, name or kind)
        integers[attribute.name] = attribute.i
    if integers.get("training_mode"):
        raise ValueError(f"has {where} in training mode. {EVALUATION}")


def _check_tensor(tensor: Any, name: str) -> None:
    """Raise ValueError unless a tensor's numbers are all in the file itself."""
    import onnx

    if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ValueError(
            f"has the weights {name[:60]!r} in another file, which is not read. Save it as one file "
            "(onnx.save(onnx.load(path), target, save_as_external_data=False))."
        )
    kinds = {value: key for key, value in onnx.TensorProto.DataType.items()}
    kind, dims = kinds.get(tensor.data_type, str(tensor.data_type)), list(tensor.dims)
    if kind not in _TYPES:
        raise ValueError(f"has weights {name[:60]!r} of type {kind[:20]}. {FLOAT_EXPORT}")
    if len(dims) > 16 or any(not 0 <= side < 1 << 40 for side in dims) or tensor.HasField("segment"):
        raise ValueError(f"has weights {name[:60]!r} of shape {dims[:8]}, which cannot be. Export it again.")
    count = math.prod(dims)
    found = len(tensor.raw_data) // _TYPES[kind] if tensor.HasField("raw_data") else len(getattr(tensor, _VALUES[kind]))
    exact = not tensor.HasField("raw_data") or len(tensor.raw_data) == count * _TYPES[kind]
    if found != count or not exact:
        raise ValueError(
            f"has weights {name[:60]!r} of shape {dims[:8]}, which are {count} numbers, but holds {found} of them. "
            "Copy or export it again."
        )


def _check_names(graph: Any) -> None:
    """Raise ValueError unless every value is made once, before it is used."""
    made: set[str] = set()
    for name in _names(graph):
        if name in made or len(name) > MAX_NAME:
            raise ValueError(f"makes the value {name[:60]!r} twice, or its name is too long. Export it again.")
        made.add(name)
    for node in graph.node:
        missing = [name for name in node.input if name and name not in made]
        if missing:
            raise ValueError(
                f"uses the value {missing[0][:60]!r} in {node.op_type} before it is made (in a circle, or never). "
                "Export it again."
            )
        for name in node.output:
            if name in made or len(name) > MAX_NAME:
                raise ValueError(f"makes the value {name[:60]!r} twice, or its name is too long. Export it again.")
            if name:
                made.add(name)
    lost = [output.name for output in graph.output if output.name not in made]
    if lost or not graph.output:
        raise ValueError(f"has no value for its output {(lost or [''])[0][:60]!r}. Export it again.")


def _names(graph: Any) -> Iterator[str]:
    """Yield the names of inputs and weights; weights of older files are inputs as well, which is one name."""
    weights = {tensor.name for tensor in graph.initializer}
    if len(weights) != len(graph.initializer):
        raise ValueError("has two weights of the same name. Export it again.")
    yield from weights
    yield from (value.name for value in graph.input if value.name not in weights)


def pixel_input(graph: Any) -> Any:
    """Return the one input of a graph that is not a weight, a tensor of four dimensions; else raise ValueError."""
    import onnx

    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1:
        names = ", ".join(value.name[:60] for value in inputs[:6]) or "none"
        raise ValueError(
            f"takes {len(inputs)} inputs ({names}), where one picture is expected. Export that part alone."
        )
    tensor = inputs[0].type.tensor_type
    kinds = [getattr(onnx.TensorProto, kind) for kind in ("FLOAT", "FLOAT16", "BFLOAT16", "DOUBLE", "UINT8")]
    if len(tensor.shape.dim) != 4 or tensor.elem_type not in kinds:
        kind = onnx.TensorProto.DataType.Name(tensor.elem_type) if tensor.elem_type < 20 else str(tensor.elem_type)
        raise ValueError(
            f"takes {inputs[0].name[:60]!r} of {len(tensor.shape.dim)} dimensions and type {kind}, where pictures "
            "(batch, channels and two sides of float or uint8) are expected. Export it with such an input."
        )
    if any(side.HasField("dim_value") and not 0 <= side.dim_value <= 1 << 20 for side in tensor.shape.dim):
        raise ValueError(f"takes {inputs[0].name[:60]!r} of an impossible size. Export it again.")
    return inputs[0]
