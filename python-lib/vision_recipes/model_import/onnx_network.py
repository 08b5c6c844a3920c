"""An ONNX network made our IR, in a process of its own: pixels in, scores or a vector out, and layers to extract."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_folder import checks
from vision_recipes.model_folder.config import POOLED, Layer
from vision_recipes.model_folder.ir_file import check_file
from vision_recipes.model_folder.ir_limits import require_limits
from vision_recipes.model_folder.openvino_ir import SCORES, any_batch, with_normalisation, write_ir
from vision_recipes.model_import import onnx_layers
from vision_recipes.model_import.onnx_checks import pixel_input, read_onnx
from vision_recipes.model_import.onnx_descriptions import Description
from vision_recipes.model_import.onnx_input import PixelInput, find_input, preprocessing
from vision_recipes.preprocessing import Preprocessing

TOLERANCE = 1e-3
"""How far several pictures at once may move one picture's results, as a part of the largest number in each."""


@dataclass(frozen=True)
class OnnxRequest:
    """What the converting process needs: a local file, the words for it, and where the IR goes.

    `labelled` says that there is a file with labels.
    """

    file: str
    where: str
    settings: ImportSettings
    description: Description
    labelled: bool
    target: str


@dataclass(frozen=True)
class OnnxNetwork:
    """What a network turned out to be; `width` is how many scores it gives, or how long its vector is."""

    preprocessing: Preprocessing
    layers: tuple[Layer, ...]
    feature_layer: str
    width: int
    vector: bool
    notes: tuple[str, ...]


def convert(request: OnnxRequest) -> OnnxNetwork:
    """Write the IR to `request.target`, its check beside it; raises ModelFolderError or SettingsError."""
    where, target = request.where, Path(request.target)
    try:
        found = find_input(
            pixel_input(read_onnx(Path(request.file)).graph), request.settings, request.description, where
        )
        scaling = preprocessing(found, request.settings, request.description, where)
        model, network = _complete(_read(request, found), request)
        batch, check = _write(model, found, scaling, target)
    except ValueError as err:
        raise ModelFolderError(f"{where} {err}") from err
    except RuntimeError as err:
        raise ModelFolderError(
            f"{where} cannot be read by OpenVINO ({_last_line(err)}). Export it again for pictures of a fixed size, "
            "with opset_version=17."
        ) from err
    if not np.isfinite(check.scores).all():
        raise ModelFolderError(f"{where} gives answers that are not finite numbers. Export it in float32.")
    target.with_name("check.npz").write_bytes(checks.write_check(check))
    slow = "the network takes one picture at a time, so it is slower than one exported for any batch"
    notes = (*found.notes, *request.description.notes, *network.notes, *((slow,) if batch == 1 else ()))
    return replace(network, preprocessing=scaling, notes=notes)


def _read(request: OnnxRequest, found: PixelInput) -> Any:
    """Return the file's ov.Model for one picture with the output that is chosen, simplified, within the limits."""
    import openvino as ov
    from openvino._offline_transformations import apply_moc_transformations

    model = ov.Core().read_model(request.file)
    _choose_output(model, request.settings.model_output, request.where)
    model.get_parameters()[0].set_partial_shape(ov.PartialShape([1, *found.shape]))
    model.validate_nodes_and_infer_types()
    _require_limits(model, Path(request.file).stat().st_size)
    apply_moc_transformations(model, cf=False)
    return model


def _write(model: Any, found: PixelInput, scaling: Preprocessing, target: Path) -> tuple[int, checks.Check]:
    """Write the IR for any batch (-1) or, where its answers depend on the batch, for one picture; return which."""
    pictures = checks.draw_pictures(scaling.width, scaling.height)
    _write_for(1, model, found, scaling, target)
    alone = [_results(target, picture[None]) for picture in pictures]
    expected = {name: np.concatenate([results[name] for results in alone]) for name in alone[0]}
    check, batch = checks.Check(pictures, expected[SCORES]), 1
    with suppress(RuntimeError):
        _write_for(-1, model, found, scaling, target)
        batch = -1 if _are_same(expected, _results(target, pictures)) else 1
    if batch == 1:
        _write_for(1, model, found, scaling, target)
    return batch, check


def _write_for(batch: int, model: Any, found: PixelInput, scaling: Preprocessing, target: Path) -> None:
    import openvino as ov

    trial = model.clone()
    trial.get_parameters()[0].set_partial_shape(ov.PartialShape([batch, *found.shape]))
    any_batch(trial)
    write_ir(with_normalisation(trial, scaling, layout=found.layout, batch=batch), target)
    written = ov.Core().read_model(target)
    written.reshape({0: ov.PartialShape([1, scaling.height, scaling.width, 3])})
    _require_limits(written, target.with_suffix(".bin").stat().st_size, target)


def _results(xml: Path, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Return what an IR gives for pictures, by the name of each result."""
    import openvino as ov

    compiled = ov.Core().compile_model(xml, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled(pictures.astype(np.float32))
    return {
        min(port.get_names(), key=lambda name: name != SCORES): np.array(results[port]) for port in compiled.outputs
    }


def _are_same(expected: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> bool:
    """Return whether all results, the scores and every layer, are the same up to rounding."""
    return all(
        found[name].shape == values.shape
        and np.abs(found[name].astype(np.float64) - values).max() <= TOLERANCE * np.abs(values).max()
        for name, values in expected.items()
    )


def _require_limits(model: Any, weights: int, xml: Path | None = None) -> None:
    """Raise ValueError when the network, or the IR that it became, is not within the limits of a model folder."""
    try:
        require_limits(model, weights, frozenset() if xml is None else check_file(xml))
    except ValueError as err:
        raise ValueError(f"{err}. Export it without that, for pictures of a fixed size.") from err


def _last_line(err: Exception) -> str:
    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(err).__name__


def _choose_output(model: Any, name: str, where: str) -> None:
    """Keep the output that is asked for, or the only one."""
    outputs = model.outputs
    chosen = next((port for port in outputs if name and name in port.get_names()), None)
    if chosen is None and (name or len(outputs) != 1):
        listed = ", ".join(f"{min(port.get_names())[:60]} {port.get_partial_shape()}" for port in outputs[:8])
        raise SettingsError(
            f"model_output: {where} has {f'no output {name!r}' if name else f'{len(outputs)} outputs'}. "
            f"Choose one of: {listed}."
        )
    result = (chosen or outputs[0]).get_node()
    for other in model.get_results():
        if other.get_name() != result.get_name():
            model.remove_result(other)


@dataclass(frozen=True)
class _Answers:
    """The tensor (n, width) with the answers, and the step whose output is the features; `vector` says both are one."""

    tensor: Any
    features: onnx_layers.Step
    vector: bool
    notes: tuple[str, ...]

    @property
    def width(self) -> int:
        return int(self.tensor.get_partial_shape()[1].get_length())


def _complete(model: Any, request: OnnxRequest) -> tuple[Any, OnnxNetwork]:
    """Return an ov.Model with the scores or the vector and the layers as results, and what it turned out to be."""
    import openvino as ov
    import openvino.opset13 as ops

    steps = onnx_layers.steps_to(model.get_results()[0].input_value(0), model.get_parameters()[0])
    if len(steps) < 2:
        raise ValueError("gives an output that does not depend on the picture. Choose another as model_output.")
    total, answers = sum(step.weights for step in steps), _answers(steps, request)
    listed = onnx_layers.list_steps(steps[:-1], answers.features)
    taken = {"scores", "vector", POOLED}
    layers = [onnx_layers.described(step, index, taken) for index, step in enumerate(listed, 1)]
    results = [
        _named(ops.result(onnx_layers.channels_last(step)), {layer.output})
        for layer, step in zip(layers, listed, strict=True)
    ]
    rest, kind = total - sum(layer.parameters for layer in layers), steps[-1].node.get_type_name()
    feature_layer = "vector" if answers.vector else layers[listed.index(answers.features)].name
    last = [("vector", rest), (POOLED, 0)] if answers.vector else [("scores", rest)]
    for index, (name, weights) in enumerate(last, len(layers) + 1):
        layers.append(Layer(index, name, kind, (answers.width,), answers.width, weights))
    names = {SCORES, *(layer.output for layer in layers[-len(last) :])}
    results.insert(0, _named(ops.result(answers.tensor), names))
    network = OnnxNetwork(
        Preprocessing(8, 8), tuple(layers), feature_layer, answers.width, answers.vector, answers.notes
    )
    return ov.Model(results, model.get_parameters(), "network"), network


def _answers(steps: list[onnx_layers.Step], request: OnnxRequest) -> _Answers:
    """Return the scores as probabilities, or the vector, that the last step gives."""
    last, features = steps[-1], onnx_layers.feature_step(steps)
    tensor, probabilities = _as_vector(last), _gives_probabilities(last.output)
    width = tensor.get_partial_shape()[1].get_length()
    if _is_vector(request, width, probabilities):
        note = f"its output is a vector of {width} numbers, no scores: extract it, or retrain the model on labels"
        return _Answers(tensor, last, True, (note,))
    if features is None:
        raise ValueError(
            "has no layer before its scores that all passes through. Choose another output as model_output."
        )
    notes: list[str] = []
    return _Answers(_as_probabilities(tensor, width, probabilities, notes), features, False, tuple(notes))


def _named(result: Any, names: set[str]) -> Any:
    result.output(0).get_tensor().add_names(names)
    return result


def _as_vector(last: onnx_layers.Step) -> Any:
    """Return the output as (n, length): places and tokens are averaged."""
    import openvino.opset13 as ops

    shape, output = last.shape, last.output
    if len(shape) < 2 or any(side.is_dynamic for side in shape[1:]):
        raise ValueError(f"gives an output of shape {last.output.get_partial_shape()}, not a vector for each picture. "
                         "Choose another as model_output.")  # fmt: skip
    if not output.get_element_type().is_real():
        raise ValueError("gives whole numbers, not scores. Choose the output with the scores as model_output.")
    if output.get_element_type().to_string() != "f32":
        output = ops.convert(output, np.float32).output(0)
    sizes = [side.get_length() for side in shape[1:]]
    if len(sizes) > 1 and (max(sizes) == np.prod(sizes)):
        return ops.reshape(output, np.array([0, -1]), True).output(0)
    if len(sizes) > 1:
        axis = last.channels or (1 if len(sizes) == 3 else 2)
        return ops.reduce_mean(output, np.array([a for a in range(1, len(shape)) if a != axis]), False).output(0)
    return output


def _gives_probabilities(output: Any) -> bool:
    """Return whether the last operation that changes values is a softmax or a sigmoid."""
    node = output.get_node()
    while node.get_type_name() in ("Reshape", "Squeeze", "Unsqueeze", "Convert", "Transpose"):
        node = node.input_value(0).get_node()
    return node.get_type_name() in ("Softmax", "Sigmoid", "HardSigmoid")


def _is_vector(request: OnnxRequest, width: int, probabilities: bool) -> bool:
    """Return whether the output is a vector and no scores, as the settings say or as it is known; else ask."""
    kind, known = request.settings.output_kind, request.description
    if width == 1 and kind == "vector":
        raise SettingsError(
            "output_kind: the output is a single number, so it is no vector. Set output_kind to scores."
        )
    if kind != "auto":
        return kind == "vector"
    if probabilities or request.labelled or width in (1, 1000, len(known.labels), known.classes):
        return False
    raise SettingsError(
        f"output_kind: {request.where} gives {width} numbers for a picture, and neither the file nor labels tell what "
        "they are. Set output_kind to scores (or give labels_file), or to vector for a network that gives features."
    )


def _as_probabilities(vector: Any, width: int, probabilities: bool, notes: list[str]) -> Any:
    """Return probabilities of at least two classes, made from the scores; `notes` gets what was added."""
    import openvino.opset13 as ops

    if not probabilities:
        kind = "sigmoid" if width == 1 else "softmax"
        vector = (ops.sigmoid(vector) if width == 1 else ops.softmax(vector, 1)).output(0)
        notes.append(f"its scores were not probabilities, so a {kind} was added")
    if width == 1:
        vector = ops.concat([ops.subtract(np.float32(1), vector), vector], 1).output(0)
        notes.append("its one output was made two classes: it gives the probability of the second")
    return vector
