"""Hostile and unusual ONNX files, made from a small network: a name, a change, and words of the refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import AttributeProto, StringStringEntryProto, TensorProto, helper, numpy_helper

Change = Callable[[Any], Any]
"""Changes a ModelProto in place and returns None, or returns the bytes of the file."""


def before(kind: str, *inputs: str, domain: str = "", outputs: tuple[str, ...] = ("changed",), **given: Any) -> Change:
    """Put a node before the first one, which takes its output in place of the picture."""

    def change(model: Any) -> None:
        node = helper.make_node(kind, list(inputs or ("input",)), list(outputs), name="added", domain=domain, **given)
        model.graph.node[0].input[0] = outputs[0]
        model.graph.node.insert(0, node)

    return change


def after(kind: str, *constants: Any, **given: Any) -> Change:
    """Put a node after the last one; it takes the scores and constants, and gives the output."""

    def change(model: Any) -> None:
        model.graph.node[-1].output[0] = "logits"
        names = ["logits"]
        for number, values in enumerate(constants):
            names.append(f"given_{number}")
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(values), names[-1]))
        model.graph.node.append(helper.make_node(kind, names, ["output"], name="added", **given))

    return change


def added(*nodes: Any, values: dict[str, Any] | None = None) -> Change:
    """Append nodes; the last gives `large`, which is added to the scores as its mean."""

    def change(model: Any) -> None:
        for name, array in (values or {}).items():
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
        model.graph.node[-1].output[0] = "logits"
        model.graph.node.extend(nodes)
        model.graph.node.append(helper.make_node("ReduceMean", ["large"], ["mean"], keepdims=0))
        model.graph.node.append(helper.make_node("Add", ["logits", "mean"], ["output"]))

    return change


def weights(**changes: Any) -> Change:
    """Change fields of the first weights."""

    def change(model: Any) -> None:
        tensor = model.graph.initializer[0]
        for name, value in changes.items():
            if name == "dims":
                tensor.dims[:] = value
            else:
                setattr(tensor, name, value)

    return change


def external(path: str) -> Change:
    def change(model: Any) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.append(StringStringEntryProto(key="location", value=path))

    return change


def external_constant(model: Any) -> None:
    tensor = TensorProto(dims=[1], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.append(StringStringEntryProto(key="location", value="/etc/passwd"))
    model.graph.node.append(helper.make_node("Constant", [], ["stolen"], value=tensor))


def graph_inside(kind: str) -> Change:
    def change(model: Any) -> None:
        inner = helper.make_graph([helper.make_node("Identity", ["input"], ["inner"])], "inner", [], [])
        before(kind)(model)
        for name in ("then_branch", "else_branch") if kind == "If" else ("body",):
            model.graph.node[0].attribute.append(helper.make_attribute(name, inner))

    return change


def nested(model: Any) -> bytes:
    """Graphs in attributes of nodes of graphs, 200 times."""
    content = b""
    for _ in range(200):
        for number in (6, 5, 1):  # the graph of an attribute, an attribute of a node, a node of a graph
            content = _field(number, content)
    return model.SerializeToString() + _field(7, content)


def _field(number: int, content: bytes) -> bytes:
    size, digits = len(content), b""
    while size > 127:
        digits, size = digits + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + digits + bytes([size]) + content


def opset(version: int, domain: str = "") -> Change:
    def change(model: Any) -> None:
        model.opset_import[0].version, model.opset_import[0].domain = version, domain

    return change


def function(model: Any) -> None:
    node = helper.make_node("Again", ["x"], ["y"], domain="own")
    model.functions.append(helper.make_function("own", "Again", ["x"], ["y"], [node], model.opset_import))


def circle(model: Any) -> None:
    model.graph.node[2].input[0] = model.graph.node[5].output[0]


def not_utf8(model: Any) -> bytes:
    model.graph.node[0].name = "marker_name"
    return model.SerializeToString().replace(b"marker_name", b"marker_nam\xff")


def inputs(**changes: Any) -> Change:
    def change(model: Any) -> None:
        tensor = model.graph.input[0].type.tensor_type
        if "kind" in changes:
            tensor.elem_type = changes["kind"]
        if "shape" in changes:
            tensor.shape.CopyFrom(
                helper.make_tensor_value_info("x", TensorProto.FLOAT, changes["shape"]).type.tensor_type.shape
            )

    return change


def second_input(model: Any) -> None:
    model.graph.input.append(helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, 77]))


def twice(model: Any) -> None:
    model.graph.node[3].output[0] = model.graph.node[2].output[0]


def sparse(model: Any) -> None:
    values = helper.make_tensor("sparse", TensorProto.FLOAT, [1], [1.0])
    model.graph.sparse_initializer.append(
        helper.make_sparse_tensor(values, helper.make_tensor("places", TensorProto.INT64, [1], [0]), [9])
    )


def quantised_annotation(model: Any) -> None:
    model.graph.quantization_annotation.add().tensor_name = "input"


def reference(model: Any) -> None:
    """Give an attribute a reference to a function's attribute, which there is none of."""
    attribute = AttributeProto(name="axes", type=AttributeProto.TYPE_PROTO)
    attribute.tp.tensor_type.elem_type = 1
    model.graph.node[0].attribute.append(attribute)


def not_finite(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.raw_data = np.full(tuple(tensor.dims), np.nan, np.float32).tobytes()


def many_nodes(model: Any) -> bytes:
    nodes = list(model.graph.node)
    nodes[0].input[0] = "r20001"
    chain = [helper.make_node("Relu", [f"r{i}" if i else "input"], [f"r{i + 1}"]) for i in range(20_001)]
    del model.graph.node[:]
    model.graph.node.extend([*chain, *nodes])
    return model.SerializeToString()


HUGE = np.array([1 << 18, 1 << 18], np.int64)

CASES: dict[str, tuple[Change, str]] = {
    "empty": (lambda model: b"", "not an ONNX file with a network"),
    "text": (lambda model: b"<html>Not found</html>", "not an ONNX file"),
    "a zip": (lambda model: b"PK\x03\x04" + bytes(100), "not an ONNX file"),
    "cut off": (lambda model: model.SerializeToString()[:-50], "cut off"),
    "noise after it": (lambda model: model.SerializeToString() + b"\xff" * 40, "cut off"),
    "no nodes": (lambda model: model.graph.ClearField("node"), "not an ONNX file with a network"),
    "not UTF-8": (not_utf8, "UTF-8|not an ONNX file"),
    "external data": (external("weights.bin"), "in another file"),
    "external data outside": (external("../../etc/passwd"), "in another file"),
    "external data in a constant": (external_constant, "in another file"),
    "custom domain": (before("Magic", domain="my.domain"), "my.domain.Magic"),
    "microsoft domain": (before("FusedConv", domain="com.microsoft"), "com.microsoft.FusedConv"),
    "ml domain": (before("Scaler", domain="ai.onnx.ml"), "ai.onnx.ml.Scaler"),
    "python operator": (before("PyOp", domain="ai.onnx.contrib"), "ai.onnx.contrib.PyOp"),
    "unknown operator": (before("Magic"), "operator 'Magic'"),
    "loop": (graph_inside("Loop"), "operator 'Loop'"),
    "if": (graph_inside("If"), "operator 'If'"),
    "scan": (graph_inside("Scan"), "operator 'Scan'"),
    "graph in another operator": (graph_inside("Identity"), "network inside"),
    "graphs nested deep": (nested, "network inside|not an ONNX file"),
    "random numbers": (before("RandomNormalLike"), "RandomNormalLike"),
    "non-zero": (after("NonZero"), "NonZero"),
    "non-max suppression": (before("NonMaxSuppression", "input", "input"), "NonMaxSuppression"),
    "sequence": (before("SequenceConstruct"), "SequenceConstruct"),
    "optional": (before("Optional"), "Optional"),
    "recurrent": (before("LSTM", "input", "input", "input"), "LSTM"),
    "regular expressions": (before("RegexFullMatch"), "RegexFullMatch"),
    "image decoder": (before("ImageDecoder"), "ImageDecoder"),
    "quantised convolution": (before("QLinearConv"), "it is quantised"),
    "quantised input": (before("QuantizeLinear", "input", "input"), "it is quantised"),
    "dynamically quantised": (before("DynamicQuantizeLinear"), "it is quantised"),
    "integer products": (before("MatMulInteger", "input", "input"), "it is quantised"),
    "quantisation notes": (quantised_annotation, "is quantised"),
    "normalisation in training": (before("BatchNormalization", training_mode=1), "training mode"),
    "dropout in training": (before("Dropout", "input", "ratio", "mode"), "before it is made"),
    "functions": (function, "functions of its own"),
    "opset of tomorrow": (opset(99), "opset 99"),
    "opset of long ago": (opset(3), "opset 3"),
    "no opset": (opset(17, "other"), "opset 0"),
    "sparse weights": (sparse, "sparse"),
    "weights of a negative size": (weights(dims=[-1, 4]), "cannot be"),
    "weights of a huge size": (weights(dims=[1 << 50]), "cannot be"),
    "weights larger than their bytes": (weights(dims=[100_000, 100_000]), "but holds"),
    "weights with odd bytes": (weights(raw_data=b"123"), "but holds"),
    "weights of text": (weights(data_type=TensorProto.STRING), "type STRING"),
    "weights of four bits": (weights(data_type=TensorProto.INT4), "type INT4"),
    "weights of no type": (weights(data_type=77), "type 77"),
    "weights named twice": (weights(name="weights.1"), "same name"),
    "a value made twice": (twice, "twice"),
    "a circle": (circle, "before it is made"),
    "a value that is never made": (lambda model: model.graph.node[0].input.__setitem__(1, "lost"), "before it is made"),
    "an output that is never made": (lambda model: setattr(model.graph.output[0], "name", "lost"), "no value for its output"),
    "a long name": (lambda model: model.graph.node[0].output.__setitem__(0, "x" * 5000), "before it is made|too long"),
    "attribute of a type": (reference, "unusual type"),
    "too many nodes": (many_nodes, "more than 20000"),
    "two inputs": (second_input, "takes 2 inputs"),
    "text input": (inputs(kind=TensorProto.STRING), "type STRING"),
    "input of two dimensions": (inputs(shape=["n", 3072]), "2 dimensions"),
    "input of four channels": (inputs(shape=["n", 4, 32, 32]), "channels"),
    "input of a negative size": (inputs(shape=["n", 3, -4, 32]), "impossible size"),
    "input of a huge size": (inputs(shape=["n", 3, 1 << 40, 32]), "impossible size"),
    "input of a size that does not fit": (inputs(shape=["n", 3, 2, 2]), "OpenVINO|between 8 and"),
    "pictures of a million pixels a side": (inputs(shape=["n", 3, 1 << 20, 1 << 20]), "between 8 and 4096"),
    "the largest class alone": (after("ArgMax"), "ArgMax"),
    "whole numbers": (after("Cast", to=TensorProto.INT64), "whole numbers"),
    "weights that are not finite": (not_finite, "not finite"),
    "scores for all pictures together": (after("Reshape", np.array([-1], np.int64)), "output of shape"),
    "an expanded constant": (added(helper.make_node("Expand", ["one", "size"], ["large"]), values={"one": np.float32(1), "size": HUGE}), "tensor of shape|memory|OpenVINO"),
    "a filled constant": (added(helper.make_node("ConstantOfShape", ["size"], ["large"]), values={"size": HUGE}), "tensor of shape|memory|OpenVINO"),
    "a tiled constant": (added(helper.make_node("Tile", ["one", "size"], ["large"]), values={"one": np.ones((1, 1), np.float32), "size": HUGE}), "tensor of shape|memory|OpenVINO"),
    "a long range": (added(helper.make_node("Range", ["a", "b", "c"], ["large"]), values={"a": np.float32(0), "b": np.float32(1e12), "c": np.float32(1)}), "tensor of shape|memory|OpenVINO"),
    "an enlarged picture": (added(helper.make_node("Resize", ["input", "", "scale"], ["large"]), values={"scale": np.array([1, 1, 4e4, 4e4], np.float32)}), "tensor of shape|memory|OpenVINO"),
    "wide borders": (added(helper.make_node("Pad", ["input", "pads"], ["large"]), values={"pads": np.array([0, 0, 0, 0, 0, 0, 1 << 20, 1 << 20], np.int64)}), "tensor of shape|memory|OpenVINO"),
    "a shape that takes memory": (added(helper.make_node("ConstantOfShape", ["size"], ["many"]), helper.make_node("ReduceMax", ["many"], ["side"], keepdims=0), helper.make_node("Unsqueeze", ["side", "axis"], ["sides"]), helper.make_node("ConstantOfShape", ["sides"], ["large"]), values={"size": HUGE, "axis": np.array([0], np.int64)}), "tensor of shape|memory|OpenVINO"),
}  # fmt: skip
