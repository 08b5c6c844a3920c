"""Small ONNX networks as exporters write them: a vision transformer and a ConvNeXt of random weights, both decomposed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = 5
SIDE = 32


class Graph:
    """An ONNX graph under construction; each method adds a node and returns the name of its output."""

    def __init__(self, seed: int = 0) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._draw = np.random.default_rng(seed)

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or f"/{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def values(self, values: Any, kind: Any = np.float32) -> str:
        name = f"weights.{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def whole(self, *values: int) -> str:
        return self.values(np.array(values, np.int64), np.int64)

    def random(self, *shape: int) -> str:
        fan = int(np.prod(shape[1:] if len(shape) == 4 else shape[:-1]))
        return self.values(self._draw.normal(0, 1 / np.sqrt(fan or 1), shape))

    def dense(self, value: str, inputs: int, outputs: int) -> str:
        return self.add("Add", self.add("MatMul", value, self.random(inputs, outputs)), self.random(outputs))

    def convolution(self, value: str, shape: tuple[int, ...], stride: int = 1, groups: int = 1) -> str:
        pad = [0 if stride > 1 else (shape[2] - 1) // 2] * 4
        kernel = {"kernel_shape": list(shape[2:]), "strides": [stride] * 2, "pads": pad, "group": groups}
        return self.add("Conv", value, self.random(*shape), self.random(shape[0]), **kernel)

    def layer_norm(self, value: str, width: int) -> str:
        centred = self.add("Sub", value, self.add("ReduceMean", value, axes=[-1]))
        variance = self.add("ReduceMean", self.add("Pow", centred, self.values(2.0)), axes=[-1])
        deviation = self.add("Sqrt", self.add("Add", variance, self.values(1e-6)))
        scaled = self.add("Mul", self.add("Div", centred, deviation), self.random(width))
        return self.add("Add", scaled, self.random(width))

    def gelu(self, value: str) -> str:
        error = self.add("Erf", self.add("Div", value, self.values(np.sqrt(2))))
        return self.add("Mul", self.add("Mul", value, self.add("Add", error, self.values(1))), self.values(0.5))

    def model(self, inputs: Any, outputs: Any, opset: int = 17) -> Any:
        """Return the ModelProto; `inputs` and `outputs` are value infos, or (name, shape) of float tensors."""
        found = [
            [helper.make_tensor_value_info(item[0], TensorProto.FLOAT, item[1]) if isinstance(item, tuple) else item
             for item in items]
            for items in (inputs, outputs)
        ]  # fmt: skip
        graph = helper.make_graph(self.nodes, "network", found[0], found[1], self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def vision_transformer(batch: Any = "batch", *, end: str = "logits", width: int = 16, heads: int = 2) -> Any:
    """Return a ViT with patches of 8; `end` is "logits", "probabilities", "tokens" (a feature extractor) or "mean"."""
    graph, tokens = Graph(), (SIDE // 8) ** 2
    patches = graph.convolution("pixel_values", (width, 3, 8, 8), stride=8)
    flat = graph.add("Transpose", graph.add("Reshape", patches, graph.whole(0, width, tokens)), perm=[0, 2, 1])
    token = graph.random(1, 1, width)
    if batch != 1:
        count = graph.add("Gather", graph.add("Shape", flat), graph.whole(0), axis=0)
        token = graph.add("Expand", token, graph.add("Concat", count, graph.whole(1, width), axis=0))
    x = graph.add("Add", graph.add("Concat", token, flat, axis=1), graph.random(1, tokens + 1, width))
    for block in range(2):
        y = graph.layer_norm(x, width)
        query, key, value = (
            graph.add(
                "Transpose",
                graph.add("Reshape", graph.dense(y, width, width), graph.whole(0, tokens + 1, heads, width // heads)),
                perm=[0, 2, 3, 1] if part == "key" else [0, 2, 1, 3],
            )
            for part in ("query", "key", "value")
        )
        scores = graph.add("Mul", graph.add("MatMul", query, key), graph.values((width / heads) ** -0.5))
        mixed = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), value)
        joined = graph.add("Reshape", graph.add("Transpose", mixed, perm=[0, 2, 1, 3]), graph.whole(0, -1, width))
        x = graph.add("Add", x, graph.dense(joined, width, width))
        hidden = graph.gelu(graph.dense(graph.layer_norm(x, width), width, 2 * width))
        x = graph.add("Add", x, graph.dense(hidden, 2 * width, width), name=f"/blocks.{block}/Add")
    x = graph.layer_norm(x, width)
    if end == "tokens":
        graph.add("Identity", x, name="last_hidden_state")
        return graph.model(
            [("pixel_values", [batch, 3, SIDE, SIDE])], [("last_hidden_state", [batch, tokens + 1, width])]
        )
    first = graph.add("ReduceMean", x, axes=[1], keepdims=0) if end == "mean" else graph.add("Gather", x, graph.values(0, np.int64), axis=1)  # fmt: skip
    kernel, bias = graph.random(CLASSES, width), graph.random(CLASSES)
    logits = graph.add("Gemm", first, kernel, bias, transB=1, name="logits")
    name = graph.add("Softmax", logits, axis=-1, name="probabilities") if end == "probabilities" else logits
    return graph.model([("pixel_values", [batch, 3, SIDE, SIDE])], [(name, [batch, CLASSES])])


def convnext(
    batch: Any = "batch", *, units: int = CLASSES, channels: int = 3, sides: Any = (SIDE, SIDE), last: bool = False
) -> Any:
    """Return a ConvNeXt of two stages; `last` takes pictures channels last, as tf2onnx writes them."""
    graph, width = Graph(1), 8
    x = graph.add("Transpose", "input", perm=[0, 3, 1, 2]) if last else "input"
    x = graph.convolution(x, (width, channels, 4, 4), stride=4)
    for stage in range(2):
        y = graph.convolution(x, (width, 1, 7, 7), groups=width)
        y = graph.layer_norm(graph.add("Transpose", y, perm=[0, 2, 3, 1]), width)
        y = graph.dense(graph.gelu(graph.dense(y, width, 4 * width)), 4 * width, width)
        y = graph.add("Transpose", graph.add("Mul", y, graph.random(width)), perm=[0, 3, 1, 2])
        x = graph.add("Add", x, y, name=f"/stages.{stage}/Add")
        if stage == 0:
            x, width = graph.convolution(x, (2 * width, width, 2, 2), stride=2), 2 * width
    pooled = graph.layer_norm(graph.add("Flatten", graph.add("GlobalAveragePool", x)), width)
    graph.add("Gemm", pooled, graph.random(width, units), graph.random(units), name="output")
    shape = [batch, *sides, channels] if last else [batch, channels, *sides]
    return graph.model([("input", shape)], [("output", [batch, units])])


def run(model: Any, pixels: np.ndarray, *, singly: bool = False) -> np.ndarray:
    """Return the first output of a model in onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    batches = np.split(pixels, len(pixels)) if singly else [pixels]
    return np.concatenate([np.asarray(session.run(None, {name: batch})[0]) for batch in batches])


def save(model: Any, path: Path) -> Path:
    onnx.save(model, path)
    return path
