"""A new last layer on a known network, saved without waking Keras: the base's weights and IR, cut and continued."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError, TrainingError
from vision_recipes.model_folder import checks, hdf5, networks, openvino_ir, rebuilding, saving
from vision_recipes.model_folder.config import ExtraColumn, HeadConfig, Layer, Network
from vision_recipes.model_folder.folder import Model, open_model
from vision_recipes.model_folder.ood import Verdict
from vision_recipes.model_folder.saving import Draft, ModelSpec
from vision_recipes.stores import LocalStore, Store


@dataclass(frozen=True)
class Head:
    """A dense layer on pooled features (and extra columns after them).

    `kernel` is float32 (features + extra, classes), `bias` float32 (classes); `labels` are in the order of the classes.
    `pooling` is "avg", "max" or "none"; `probabilities` is "softmax" or "sigmoid". `dropout` is for further training.
    """

    kernel: np.ndarray
    bias: np.ndarray
    labels: tuple[str, ...]
    pooling: str = "avg"
    dropout: float = 0.0
    extra: tuple[ExtraColumn, ...] = ()
    probabilities: str = "softmax"
    verdict: Verdict | None = None

    @property
    def config(self) -> HeadConfig:
        """The head without its numbers."""
        features = self.kernel.shape[0] - sum(column.width for column in self.extra)
        return HeadConfig(features, self.pooling, self.dropout, self.probabilities, self.extra)


@dataclass(frozen=True)
class About:
    """What people are told about a retrained model: its name, what it was trained on, notes for its card."""

    name: str
    trained_on: str = ""
    notes: str = ""


def save_with_head(
    store: Store, base: Model, head: Head, about: About, reports: Mapping[str, bytes] | None = None
) -> None:
    """Write the folder of a network retrained in its last layer only; imports neither Keras nor TensorFlow.

    The layers of `base` up to its feature layer are kept as they are. `store` may be the folder of `base` itself.
    """
    _require_finite(head)
    spec = spec_with_head(base, head, about)
    with tempfile.TemporaryDirectory() as workdir:
        work = Path(workdir)
        files = {name: work / f"new.{name}" for name in ("weights", "head", "check")}
        files |= {"xml": work / "new.xml", "bin": work / "new.bin"}
        if base.config.files.graph is not None:
            files["graph"] = base.fetch(base.config.files.graph, work, "graph.json")
        _copy_weights(base, work, files["weights"])
        hdf5.write_stored(files["head"], {"head_scores": hdf5.StoredLayer("dense", _numbers(head))})
        layers = _continue_ir(base.ir(work), base, head, files["xml"])
        pictures = checks.draw_pictures(spec.input.width, spec.input.height)
        extra = spec.head.width - spec.head.features if spec.head else 0
        scores = saving.score_ir(files["xml"], pictures, extra)
        files["check"].write_bytes(checks.write_check(checks.Check(pictures, scores)))
        saving.commit(store, Draft(spec, layers, base.config.feature_layer, files, reports or {}))


def spec_with_head(base: Model, head: Head, about: About) -> ModelSpec:
    """Return the description, for `save_model`, of the network that `attach_head` makes."""
    config = base.config
    return ModelSpec(
        name=about.name,
        network=_without_top(base),
        input=config.input,
        labels=head.labels,
        feature_layer=config.feature_layer,
        head=head.config,
        graph=rebuilding.read_graph(base),
        trained_on=about.trained_on,
        source=config.source,
        licence=config.licence,
        notes=about.notes,
        verdict=head.verdict,
    )


def attach_head(base: Model, head: Head, *, pretrained: bool = True) -> Any:
    """Return the keras.Model of the base with the head on it, for fine-tuning; all weights set, or random ones."""
    import keras

    spec = spec_with_head(base, head, About(base.name))
    blueprint = networks.Blueprint(
        spec.network, spec.input.width, spec.input.height, spec.feature_layer, spec.head, len(head.labels), spec.graph
    )
    whole = networks.build(replace(blueprint, head=None))
    if pretrained:
        kept = keras.Model(whole.inputs[0], networks.layer_named(whole, spec.feature_layer).output)
        rebuilding.load_weights(kept, base)
    network = networks.put_head(whole, blueprint)
    if pretrained:
        network.get_layer("head_scores").set_weights(_numbers(head))
    return network


def resize(base: Model, workdir: Path, width: int, height: int) -> Model:
    """Return the model up to its feature layer, for pictures of another size: its "scores" are the averaged features.

    Takes some seconds. It is for features and new heads (`save_with_head`, `attach_head`), and lives in `workdir`.
    """
    size = replace(base.config.input, width=width, height=height)
    files = {"weights": workdir / "resized.weights.h5", "xml": workdir / "resized.xml", "bin": workdir / "resized.bin"}
    if base.config.files.graph is not None:
        files["graph"] = base.fetch(base.config.files.graph, workdir, "resized.graph.json")
    _copy_weights(base, workdir, files["weights"])
    order = openvino_ir.Order(
        network=_without_top(base),
        input=size,
        weights=(str(files["weights"]),),
        target=str(files["xml"]),
        n_classes=base.config.n_classes,
        feature_layer=base.config.feature_layer,
        graph=str(files["graph"]) if "graph" in files else None,
        cut=True,
    )
    layers = openvino_ir.convert(order)
    pictures = checks.draw_pictures(width, height)
    check = checks.Check(pictures, saving.score_ir(files["xml"], pictures))
    files["check"] = workdir / "resized.npz"
    files["check"].write_bytes(checks.write_check(check))
    names = tuple(str(number) for number in range(check.scores.shape[1]))
    spec = ModelSpec(
        name=base.name,
        network=order.network,
        input=size,
        labels=names,
        feature_layer=base.config.feature_layer,
        graph=rebuilding.read_graph(base),
        source=base.config.source,
        licence=base.config.licence,
    )
    folder = LocalStore(workdir / "resized", base.store.name)
    saving.commit(folder, Draft(spec, layers, spec.feature_layer, files))
    return open_model(folder)


def _without_top(base: Model) -> Network:
    """Return the network without its own top, which may not fit other picture sizes, where the features allow it."""
    network = base.config.network
    spatial = len(base.feature_layer.shape) == 3
    return replace(network, top=False) if base.config.files.graph is None and spatial else network


def _kept_layers(base: Model) -> Sequence[Layer]:
    layers = base.config.layers
    return layers[: layers.index(base.feature_layer) + 1]


def _copy_weights(base: Model, workdir: Path, target: Path) -> None:
    """Write the weights of the layers up to the feature layer, as they are stored in the base's own file."""
    entry = base.config.files.weights
    source = base.fetch(entry, workdir, "base.weights.h5")
    with hdf5.open_hdf5(source, base.where(entry)) as file:
        stored = hdf5.read_stored(file, base.where(entry))
        pack = any(item.compression for layer in stored.values() for item in layer.variables)
        kept = {layer.name for layer in _kept_layers(base)}
        read = {
            name: hdf5.StoredLayer(
                layer.kinds, [hdf5.read_values(item, f"{base.where(entry)}: {name}") for item in layer.variables]
            )
            for name, layer in stored.items()
            if name.split("/")[0] in kept
        }
    hdf5.write_stored(target, read, pack=pack)


def _continue_ir(source: Path, base: Model, head: Head, target: Path) -> tuple[Layer, ...]:
    """Write the base's IR cut at its feature layer, with pooling, dense layer and probabilities after it."""
    import openvino as ov
    import openvino.opset13 as ops

    model = ov.Core().read_model(source)
    kept = _kept_layers(base)
    outputs = {name: result for result in model.get_results() for name in result.output(0).names}
    missing = [layer.output for layer in kept if layer.output not in outputs]
    if missing:
        raise ModelFolderError(
            f"{base.where(base.config.files.xml)} has no result {missing[0]}. Import the model again."
        )
    pixels = next(node for node in model.get_parameters() if openvino_ir.PIXELS in node.output(0).names)
    features = outputs[base.feature_layer.output].input_value(0)
    index = _free_index(kept[-1].index, {name for layer in kept for name in outputs[layer.output].output(0).names})
    pooled = _pool(ops, features, head.pooling, len(base.feature_layer.shape))
    pooled.output(0).set_names({f"layer:{index}"})
    size = head.config.features
    found = pooled.output(0).partial_shape[1]
    if found.is_static and found.get_length() != size:
        raise ModelFolderError(f"The head was made for {size} features, but {base.name!r} gives {found.get_length()}.")
    parameters, vector = [pixels], pooled
    if head.extra:
        extra = ops.parameter([-1, head.config.width - size], np.float32, name=openvino_ir.EXTRA)
        extra.output(0).set_names({openvino_ir.EXTRA})
        parameters.append(extra)
        vector = ops.concat([pooled, extra], 1)
    kernel, bias = _numbers(head)
    logits = ops.add(ops.matmul(vector, kernel, False, False), bias[None])
    scores = ops.softmax(logits, 1) if head.probabilities == "softmax" else ops.sigmoid(logits)
    scores.output(0).set_names({openvino_ir.SCORES, f"layer:{index + 1}"})
    # dropout inside a network is the tensor before it, so two layers have one result, which may be there only once
    inner = {outputs[layer.output].get_friendly_name(): outputs[layer.output] for layer in kept}
    results = [ops.result(scores), *inner.values(), ops.result(pooled)]
    openvino_ir.write_ir(ov.Model(results, parameters, "network"), target)
    pooling = {"avg": "GlobalAveragePooling2D", "max": "GlobalMaxPooling2D", "none": "Flatten"}[head.pooling]
    return (
        *kept,
        Layer(index, "head_pooling", pooling, (size,), size),
        Layer(
            index + 1,
            "head_scores",
            "Dense",
            (len(head.bias),),
            len(head.bias),
            head.kernel.size + head.bias.size,
        ),
    )


def _free_index(after: int, taken: set[str]) -> int:
    """Return the next index of two layers whose names no tensor has: dropout names the tensor before it as well."""
    index = after + 1
    while taken & {f"layer:{index}", f"layer:{index + 1}"}:
        index += 1
    return index


def _pool(ops: Any, features: Any, pooling: str, rank: int) -> Any:
    if rank == 3 and pooling == "avg":
        return ops.reduce_mean(features, np.array([1, 2]), False)
    if rank == 3 and pooling == "max":
        return ops.reduce_max(features, np.array([1, 2]), False)
    return ops.reshape(features, np.array([0, -1]), True)


def _numbers(head: Head) -> list[np.ndarray]:
    return [np.asarray(head.kernel, np.float32), np.asarray(head.bias, np.float32)]


def _require_finite(head: Head) -> None:
    if head.kernel.shape[1:] != head.bias.shape or len(head.labels) != len(head.bias):
        raise ValueError(f"kernel {head.kernel.shape}, bias {head.bias.shape} and {len(head.labels)} labels do not fit")
    if not (np.isfinite(head.kernel).all() and np.isfinite(head.bias).all()):
        raise TrainingError(
            "Training ended in numbers that are not finite, so nothing is saved. Lower the learning rate."
        )
