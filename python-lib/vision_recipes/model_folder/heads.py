"""A new last layer on a base network, saved without Keras: the base's weights and IR are cut and continued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError, TrainingError
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder import hdf5, head_formulas, openvino_ir
from vision_recipes.model_folder.channels_first import channels_first
from vision_recipes.model_folder.checks import write_ir_check
from vision_recipes.model_folder.commit import commit
from vision_recipes.model_folder.config import HeadConfig, Layer, Network
from vision_recipes.model_folder.folder import Model
from vision_recipes.model_folder.head_formulas import HIDDEN, SCORES, HiddenLayer, KernelLayer
from vision_recipes.model_folder.ir_limits import read_ir
from vision_recipes.model_folder.ood import OodDetector
from vision_recipes.model_folder.reference_pictures import ReferencePictures
from vision_recipes.model_folder.spec import ModelSpec, require_keras, spec_of
from vision_recipes.preprocessing import ExtraColumn
from vision_recipes.stores import Store


@dataclass(frozen=True)
class Head:
    """A dense layer on pooled features and extra columns, joined as `columns` says: see head_formulas.py.

    `kernel` is float32 (features + extra, classes), with more rows for products, or as many as a `hidden` layer has
    units; with a `kernel_layer` it has a row for each landmark in place of the features. `bias` is float32 (classes);
    `labels` are in the order of the classes. `pooling` is "avg", "max" or "none"; `probabilities` is "softmax" or
    "sigmoid". `dropout` is for further training. `layers` are the inner layers whose means and maxima follow the pooled
    feature layer.
    """

    kernel: np.ndarray
    bias: np.ndarray
    labels: tuple[str, ...]
    pooling: str = "avg"
    dropout: float = 0.0
    extra: tuple[ExtraColumn, ...] = ()
    probabilities: str = "softmax"
    ood_detector: OodDetector | None = None
    layers: tuple[str, ...] = ()
    columns: str = "additive"
    hidden: HiddenLayer | None = None
    kernel_layer: KernelLayer | None = None

    @property
    def config(self) -> HeadConfig:
        """The head without its weights."""
        extra, rows = sum(column.width for column in self.extra), len(self.kernel)
        features = len(self.hidden.kernel) - extra if self.hidden else rows - extra
        if self.columns == "interactions":
            features = features // (1 + extra)
        units, sizes = rows if self.hidden else 0, {}
        if self.kernel_layer is not None:
            features, components = self.kernel_layer.projection.shape
            sizes = {"components": components, "landmarks": rows - extra}
        return HeadConfig(
            *(features, self.pooling, self.dropout, self.probabilities, self.extra, self.layers),
            columns=self.columns,
            hidden=units,
            **sizes,
        )

    @property
    def size(self) -> int:
        """How many weights the head has."""
        return sum(values.size for layer in self.weights.values() for values in layer)

    @property
    def weights(self) -> dict[str, list[np.ndarray]]:
        """Kernel and bias of each layer, float32, by its name."""
        below = {HIDDEN: [self.hidden.kernel, self.hidden.bias]} if self.hidden else {}
        below = self.kernel_layer.weights if self.kernel_layer else below
        layers = below | {SCORES: [self.kernel, self.bias]}
        return {name: [np.asarray(values, np.float32) for values in weights] for name, weights in layers.items()}


@dataclass(frozen=True)
class About:
    """What is said and kept of a retrained model: its name, what it was trained on, notes for its card, pictures."""

    name: str
    trained_on: str = ""
    notes: str = ""
    reference_pictures: ReferencePictures | None = None


def save_with_head(
    store: Store, base: Model, head: Head, about: About, reports: Mapping[str, bytes] | None = None
) -> None:
    """Write the folder of a network retrained in its last layer only; imports neither Keras nor TensorFlow.

    The layers of `base` up to its feature layer stay as they are. `store` may be the folder of `base` itself.
    """
    _require_finite(head)
    spec = spec_with_head(base, head, about)
    with work_folder() as work:
        files = {name: work / f"new.{name}" for name in ("head", "check", "xml", "bin")}
        if not base.config.openvino_only:
            files["weights"] = work / "new.weights"
            copy_weights(base, work, files["weights"])
        hdf5.write_stored(files["head"], {name: hdf5.StoredLayer("dense", w) for name, w in head.weights.items()})
        layers = _continue_ir(base.ir(work), base, head, files["xml"])
        write_ir_check(files["check"], files["xml"], spec.input, spec.check_columns)
        commit(store, spec, layers, files, reports)


def spec_with_head(base: Model, head: Head, about: About) -> ModelSpec:
    """Return the description, for `save_model`, of the network that `attach_head` makes."""
    return replace(
        spec_of(base).up_to_features(),
        name=about.name,
        network=network_without_top(base),
        labels=head.labels,
        head=head.config,
        trained_on=about.trained_on,
        notes=about.notes,
        ood_detector=head.ood_detector,
        reference_pictures=about.reference_pictures,
        quantisation=quantised.without_comparison() if (quantised := base.config.quantisation) else None,
    )


def attach_head(base: Model, head: Head, *, pretrained: bool = True) -> Any:
    """Return the keras.Model of the base with the head on it, for fine-tuning; all weights set, or random ones."""
    from vision_recipes.model_folder import networks

    require_keras(base, "training the layers below the last", "Set layer_to_retrain to last.")
    networks.check_size(base)
    import keras

    spec = spec_with_head(base, head, About(base.name))
    complete = networks.build(replace(spec, head=None))
    if pretrained:
        features = networks.layer_named(complete, spec.feature_layer).output
        networks.load_weights(keras.Model(complete.inputs[0], features), base)
    network = networks.put_head(complete, spec)
    if pretrained:
        for name, weights in head.weights.items():
            network.get_layer(name).set_weights(weights)
    return network


def network_without_top(base: Model) -> Network:
    """Return the network without its own top, which may not fit other picture sizes, where the features allow it."""
    network = base.config.network
    spatial = len(base.feature_layer.shape) == 3
    keras_builds = base.config.files.graph is None and not base.config.openvino_only
    return replace(network, top=False) if keras_builds and spatial else network


def _base_layers(base: Model) -> Sequence[Layer]:
    layers = base.config.layers
    return layers[: layers.index(base.feature_layer) + 1]


def copy_weights(base: Model, workdir: Path, target: Path) -> None:
    """Write the weights of the layers up to the feature layer, as they are stored in the base's own file."""
    entry = base.config.files.weights
    if entry is None:
        raise ValueError(f"model {base.name!r} has no weights for Keras")
    source, where = base.fetch(entry, workdir, "base.weights.h5"), base.where(entry)
    names = {layer.name for layer in _base_layers(base)}
    with hdf5.open_hdf5(source, where) as file:
        stored = hdf5.read_stored(file, where)
        pack = any(item.compression for layer in stored.values() for item in layer.variables)
        copied = {
            name: replace(layer, variables=[hdf5.read_values(item, f"{where}: {name}") for item in layer.variables])
            for name, layer in stored.items()
            if name.split("/")[0] in names
        }
    hdf5.write_stored(target, copied, pack=pack)


def _continue_ir(source: Path, base: Model, head: Head, target: Path) -> tuple[Layer, ...]:
    """Write the base's IR cut at its feature layer, with pooling, dense layer and probabilities after it."""
    import openvino as ov
    import openvino.opset13 as ops

    model = read_ir(ov.Core(), source, base, batch=1)
    below = _base_layers(base)
    outputs = {name: result for result in model.get_results() for name in result.output(0).names}
    pixels = next(node for node in model.get_parameters() if openvino_ir.PIXELS in node.output(0).names)
    index = _free_index(below[-1].index, {name for layer in below for name in outputs[layer.output].output(0).names})
    parts = [(base.feature_layer, head.pooling)]
    parts += [(base.config.layer_named(name), kind) for name in head.layers for kind in ("avg", "max")]
    vectors = [_pool(ops, outputs[part.output].input_value(0), kind, len(part.shape)) for part, kind in parts]
    pooled = ops.concat(vectors, 1) if len(vectors) > 1 else vectors[0]
    pooled.output(0).set_names({f"layer:{index}"})
    size, classes = head.config.features, len(head.bias)
    found = pooled.output(0).partial_shape[1]
    if found.is_static and found.get_length() != size:
        raise ModelFolderError(f"The head was made for {size} features, but {base.name!r} gives {found.get_length()}.")
    parameters, vector = [pixels], pooled
    if head.kernel_layer is not None:
        vector = head_formulas.kernel_in_ir(ops, vector, head.kernel_layer)
    if head.extra:
        extra = ops.parameter([-1, head.config.extra_width], np.float32, name=openvino_ir.EXTRA)
        extra.output(0).set_names({openvino_ir.EXTRA})
        parameters.append(extra)
        vector = head_formulas.join_in_ir(ops, vector, extra, head.config, head.hidden)
    kernel, bias = head.weights[SCORES]
    logits = ops.add(ops.matmul(vector, kernel, False, False), bias[None])
    scores = ops.softmax(logits, 1) if head.probabilities == "softmax" else ops.sigmoid(logits)
    scores.output(0).set_names({openvino_ir.SCORES, f"layer:{index + 1}"})
    # dropout inside a network is the tensor before it, so two layers have one result, which may be there only once
    inner = {outputs[layer.output].get_friendly_name(): outputs[layer.output] for layer in below}
    results = [ops.result(scores), *inner.values(), ops.result(pooled)]
    network = ov.Model(results, parameters, "network")
    if head.layers:
        channels_first(network)
    openvino_ir.write_ir(network, target)
    pooling = {"avg": "GlobalAveragePooling2D", "max": "GlobalMaxPooling2D", "none": "Flatten"}[head.pooling]
    pooling = "Concatenate" if head.layers else pooling
    return (
        *below,
        Layer(index, "head_pooling", pooling, (size,), size),
        Layer(
            index + 1,
            "head_scores",
            "Dense",
            (classes,),
            classes,
            head.size,
        ),
    )


def _free_index(after: int, taken: set[str]) -> int:
    """Return the next index of two layers whose names no tensor has: dropout names the tensor before it as well."""
    index = after + 1
    while taken & {f"layer:{index}", f"layer:{index + 1}"}:
        index += 1
    return index


def _pool(ops: Any, features: Any, pooling: str, rank: int) -> Any:
    places = np.arange(1, rank)  # of a picture's places, or of its tokens
    if rank > 1 and pooling == "avg":
        return ops.reduce_mean(features, places, False)
    if rank > 1 and pooling == "max":
        return ops.reduce_max(features, places, False)
    return ops.reshape(features, np.array([0, -1]), True)


def _require_finite(head: Head) -> None:
    if head.kernel.shape[1:] != head.bias.shape or len(head.labels) != len(head.bias):
        raise ValueError(f"kernel {head.kernel.shape}, bias {head.bias.shape} and {len(head.labels)} labels do not fit")
    if not all(np.isfinite(values).all() for layer in head.weights.values() for values in layer):
        raise TrainingError("Training gave numbers that are not finite, so nothing is saved. Lower the learning rate.")
