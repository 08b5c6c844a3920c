"""A tiny model folder made without Keras: convolution, activation, pooling, dense, softmax over random weights."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from vision_recipes.model_folder import Model, Network, open_model
from vision_recipes.model_folder.checks import score_ir, write_ir_check
from vision_recipes.model_folder.commit import commit
from vision_recipes.model_folder.config import HeadConfig, Layer
from vision_recipes.model_folder.openvino_ir import with_normalisation
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.preprocessing import ExtraColumn, Preprocessing
from vision_recipes.stores import LocalStore

LABELS = ("egg", "crane", "NA", "crane", "007")
INPUT = Preprocessing(24, 16, "bgr", (10.0, 20.0, 30.0), (50.0, 60.0, 70.0))
EXTRA = (
    ExtraColumn("price", "number", mean=10.0, scale=2.0),
    ExtraColumn("town", "category", categories=("Rome", "Oslo")),
)
CHANNELS = 6


def write_tiny_model(folder: Path, seed: int = 0, *, extra: bool = False) -> Model:
    """Write a whole model folder and return it opened; layers are 1 (convolution), 2 (relu), 3 (pooling), 4 (scores)."""
    import openvino as ov
    import openvino.opset13 as ops

    draw = np.random.default_rng(seed)
    kernel = draw.normal(0, 0.3, (CHANNELS, 3, 3, 3)).astype(np.float32)
    columns = sum(column.width for column in EXTRA) if extra else 0
    dense = draw.normal(0, 1.5, (CHANNELS + columns, len(LABELS))).astype(np.float32)
    pixels = ops.parameter([-1, INPUT.height, INPUT.width, 3], np.float32)
    convolved = ops.convolution(ops.transpose(pixels, [0, 3, 1, 2]), kernel, [2, 2], [0, 0], [0, 0], [1, 1])
    spatial = ops.transpose(convolved, [0, 2, 3, 1])
    active = ops.relu(spatial)
    pooled = ops.reduce_mean(active, np.array([1, 2]), False)
    parameters, vector = [pixels], pooled
    if extra:
        parameters.append(ops.parameter([-1, columns], np.float32))
        vector = ops.concat([pooled, parameters[1]], 1)
    scores = ops.softmax(ops.matmul(vector, dense, False, False), 1)
    outputs = {1: spatial, 2: active, 3: pooled, 4: scores}
    scores.output(0).set_names({"scores", "layer:4"})
    for index in (1, 2, 3):
        outputs[index].output(0).set_names({f"layer:{index}"})
    graph = ov.Model([ops.result(scores), *(ops.result(outputs[index]) for index in (1, 2, 3))], parameters)
    with tempfile.TemporaryDirectory() as workdir:
        work = Path(workdir)
        files = {name: work / name for name in ("xml", "bin", "weights", "check")}
        ov.save_model(with_normalisation(graph, INPUT), work / "xml.xml", compress_to_fp16=False)
        (work / "xml.xml").rename(files["xml"])
        (work / "xml.bin").rename(files["bin"])
        files["weights"].write_bytes(kernel.tobytes())
        model_xml = work / "model.xml"
        model_xml.write_bytes(files["xml"].read_bytes())
        model_xml.with_suffix(".bin").write_bytes(files["bin"].read_bytes())
        head = HeadConfig(CHANNELS, extra=EXTRA) if extra else None
        spec = ModelSpec("tiny", Network("MobileNetV2"), INPUT, LABELS, "active", head)
        write_ir_check(files["check"], model_xml, spec.input, spec.check_columns)
        shape = (7, 11, CHANNELS)
        layers = (
            Layer(1, "convolved", "Conv2D", shape, CHANNELS, kernel.size),
            Layer(2, "active", "Activation", shape, CHANNELS),
            Layer(3, "pooled", "GlobalAveragePooling2D", (CHANNELS,), CHANNELS),
            Layer(4, "scores", "Dense", (len(LABELS),), len(LABELS), dense.size),
        )
        commit(LocalStore(folder), spec, layers, files)
    return open_model(LocalStore(folder))


def tiny_scores(model: Model, pixels: np.ndarray) -> np.ndarray:
    """Return the scores float32 (classes) of one picture by a separate way: OpenVINO without any of the engine."""
    with tempfile.TemporaryDirectory() as workdir:
        return score_ir(model.ir(workdir), pixels[None])[0]
