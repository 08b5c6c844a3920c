"""A model exported for other programs: pictures in as they are (uint8, RGB), probabilities out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes import strict_json
from vision_recipes.model_export.model_repository import interface, served_name, write_repository
from vision_recipes.model_export.onnx_files import write_onnx
from vision_recipes.model_export.scripts import EXTRA, PICTURES, PROBABILITIES, script
from vision_recipes.model_folder import openvino_ir
from vision_recipes.model_folder.checks import check_columns
from vision_recipes.model_folder.folder import Model
from vision_recipes.model_folder.ir_limits import read_ir


def open_network(model: Model, workdir: Path) -> Any:
    """Return the model's network as an ov.Model: `pictures` uint8 (n, height, width, 3) RGB to `probabilities`.

    Scaling and channel order are inside. A model with extra columns also takes `extra`, float32 (n, their width).
    """
    import openvino as ov
    from openvino.passes import ConstantFolding, Manager
    from openvino.preprocess import PrePostProcessor

    network = read_ir(ov.Core(), model.ir(workdir), model, batch=1)
    # the scores may be a layer's result as well: one result of them stays
    results = sorted(network.get_results(), key=lambda result: openvino_ir.SCORES not in result.output(0).names)
    for other in results[1:]:
        network.remove_result(other)
    steps = PrePostProcessor(network)
    steps.input(openvino_ir.PIXELS).tensor().set_element_type(ov.Type.u8)
    network = steps.build()
    for port in network.inputs:
        port.get_tensor().set_names({EXTRA if openvino_ir.EXTRA in port.names else PICTURES})
    (scores,) = network.get_results()
    for output in (scores.input_value(0), scores.output(0)):
        output.set_names({PROBABILITIES})
    if model.config.quantisation is None:  # which would turn the weights of int8 into numbers of float32
        folding = Manager()
        folding.register_pass(ConstantFolding())
        folding.run_passes(network)
    return network


def export(model: Model, network: Any, kind: str, workdir: Path) -> float:
    """Write a network into the folder `kind`, with a description and a script that uses it.

    `kind` is "onnx", "openvino" or "model_server", a model repository of OpenVINO Model Server. Return the largest
    difference of a probability from the model's own. Raises ModelFolderError when the scores are not those that the
    model gave when it was made.
    """
    folder = workdir / kind
    folder.mkdir()
    about = describe(model)
    if kind == "onnx":
        write_onnx(network, folder / "model.onnx", {"model": json.dumps(about)})
        scores = _run_onnx(folder / "model.onnx", _inputs(model))
    else:
        xml = folder / "model.xml"
        if kind == "model_server":
            xml = write_repository(folder, served_name(model.name))
            about |= {"model": served_name(model.name), **interface(network)}
        openvino_ir.write_ir(network, xml)
        scores = _run_openvino(xml, _inputs(model))
    model.check.require(scores, f"The {kind} form of {model.name!r}")
    (folder / "about.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "classify.py").write_text(script(kind, columns=bool(about.get("columns"))), encoding="utf-8")
    return model.check.difference(scores)


def describe(model: Model) -> dict[str, Any]:
    """Return what a program has to know beside the network: size and fit of pictures, labels, extra columns."""
    size = model.preprocessing
    about = {"name": model.name, "width": size.width, "height": size.height, "resize": size.resize}
    about["crop_fraction"] = size.crop_fraction
    if model.extra_columns:
        about["columns"] = strict_json.write(model.extra_columns)
    return about | {"licence": model.config.licence, "labels": list(model.labels)}


def _inputs(model: Model) -> dict[str, np.ndarray]:
    pictures, head = model.check.pictures, model.config.head
    if head is None or not head.extra:
        return {PICTURES: pictures}
    return {PICTURES: pictures, EXTRA: np.tile(check_columns(head), (len(pictures), 1))}


def _run_onnx(path: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.asarray(session.run([PROBABILITIES], inputs)[0])


def _run_openvino(path: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    import openvino as ov

    compiled = ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(compiled(inputs)[PROBABILITIES])
