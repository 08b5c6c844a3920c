"""Keras networks built from their description: a row of the catalogue or an imported graph, and a head of our own.

A model folder's network is rebuilt with its verified weights.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder import efficientnet_lite, graph_shapes, head_formulas, layer_graph
from vision_recipes.model_folder.catalogue import Architecture, find
from vision_recipes.model_folder.config import POOLED, HeadConfig, Layer
from vision_recipes.model_folder.folder import NEXT_STEP, Model
from vision_recipes.model_folder.hdf5 import require_shapes
from vision_recipes.model_folder.hdf5_structure import StoredWeightsError
from vision_recipes.model_folder.spec import ModelSpec, require_keras, spec_of
from vision_recipes.model_folder.weights import (
    WeightsFile,
    layer_names,
    load_files,
    open_weights,
)

CLASSES = 1000
"""Classes of the catalogue's networks."""

GLOBAL_POOLINGS = ("GlobalAveragePooling2D", "GlobalMaxPooling2D")
_LAST, _INNER_POOLING = "head_last", re.compile(r"head_(avg|max)_\d+")
"""The names of the layers that pool the outputs of several layers for a head."""
SAME_AT_SCORING = ("Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "ActivityRegularization")


def build(spec: ModelSpec) -> Any:
    """Return the keras.Model with random weights: normalised pixels (and extra columns) to scores."""
    base = _base(spec)
    return base if spec.head is None else put_head(base, spec)


def rebuild(model: Model) -> Any:
    """Return the keras.Model of the folder with its weights."""
    require_keras(model, "building it with Keras", "Set engine to auto or openvino.")
    spec = spec_of(model)
    with work_folder() as workdir:
        files = model.weights(workdir)
        require_fit(spec, files, NEXT_STEP)
        network = build(spec)
        if model.config.ends_in_features:
            network = cut(network, model.config.feature_layer)
        load_files(network, files, NEXT_STEP)
    return network


def load_weights(network: Any, model: Model) -> None:
    """Load the model's weights into a network by the names of its layers, which must all be among them."""
    with work_folder() as workdir:
        load_files(network, model.weights(workdir), NEXT_STEP)


def check_size(model: Model) -> None:
    """Raise ModelFolderError when the folder's graph needs other weights than it has; loads no framework."""
    if model.config.files.graph is not None:
        with work_folder() as workdir:
            require_fit(spec_of(model), model.weights(workdir), NEXT_STEP)


def require_fit(spec: ModelSpec, files: Sequence[WeightsFile], next_step: str) -> None:
    """Raise ModelFolderError unless weights files hold what a network needs, before any of it is built."""
    where, needed = files[0][1], {}
    with open_weights(files, next_step) as stored:
        if spec.graph is not None:
            needed = graph_shapes.variable_shapes(spec.graph, spec.input.input_shape, where)
        elif not _has_published_size(spec):
            _require_size(spec, sum(prod(item.shape) for items in stored.values() for item in items), where)
        if spec.head is not None:
            needed.update(head_formulas.variable_shapes(spec.head, len(spec.labels)))
        require_shapes(needed, stored, where)


def _has_published_size(spec: ModelSpec) -> bool:
    """Return whether a network of the catalogue has as many variables as its row says, or fewer."""
    row, size = find(spec.network.architecture), (spec.input.width, spec.input.height)
    usual = not spec.network.top or (spec.network.classes <= CLASSES and size == (row.width, row.height))
    return usual and not spec.network.arguments


def _require_size(spec: ModelSpec, stored: int, where: str) -> None:
    """Raise StoredWeightsError when a network of the catalogue with a size of its own needs more than is stored.

    Layers that a head replaces are not stored; they may have as many variables as the published network.
    """
    import keras

    with keras.StatelessScope(initialize_variables=False):
        needed = int(_base(spec).count_params())
    if needed > stored + find(spec.network.architecture).parameters:
        raise StoredWeightsError(f"{where} has {stored:,} numbers, but the network that it is for needs {needed:,}.")


def put_head(base: Any, spec: ModelSpec) -> Any:
    """Return a keras.Model that shares the layers of `base` up to the feature layer and ends in the spec's head."""
    import keras

    head = spec.head
    if head is None:
        raise ValueError("the spec has no head")
    features = _features(base, spec.feature_layer, head)
    inputs = [base.inputs[0]]
    if features.shape[-1] != head.features:
        raise ModelFolderError(f"The head takes {head.features} features, but the network gives {features.shape[-1]}.")
    if head.landmarks:
        features = head_formulas.kernel_in_keras(features, head)
    if head.extra:
        extra = keras.Input((head.extra_width,), name="extra")
        inputs.append(extra)
        features = head_formulas.join_in_keras(features, extra, head)
    if head.dropout:
        features = keras.layers.Dropout(head.dropout, name="head_dropout")(features)
    dense = keras.layers.Dense(len(spec.labels), activation=head.probabilities, name="head_scores")
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], dense(features), name="network")


def cut(base: Any, feature_layer: str) -> Any:
    """Return a keras.Model that ends at the feature layer, averaged over the picture."""
    import keras

    return keras.Model(base.inputs[0], _pooled(layer_named(base, feature_layer).output, "avg"), name="network")


def fold_deviations(row: Architecture, network: Any) -> None:
    """Divide an EfficientNet's input by the square root of ImageNet's deviations, as the published network does.

    keras.applications puts in a layer for that, but only when it loads the weights itself (tensorflow#49930).
    """
    if row.family != "efficientnet":
        return
    stem = network.get_layer("stem_conv")
    (kernel,) = stem.get_weights()
    deviations = np.sqrt(np.array([0.229, 0.224, 0.225], np.float32))
    stem.set_weights([kernel / deviations[None, None, :, None]])


def layer_named(network: Any, name: str) -> Any:
    """Return the layer of a network that `layer_names` calls so."""
    names = layer_names(network)
    if name not in names:
        raise ModelFolderError(f"The network has no layer {name!r}; its last layers are {', '.join(names[-5:])}.")
    return network.layers[names.index(name)]


def list_layers(network: Any) -> tuple[Layer, ...]:
    """Return the layers whose output can be extracted: all with one float tensor, in the network's order."""
    listed = []
    for index, (layer, name) in enumerate(zip(network.layers, layer_names(network), strict=True)):
        if name in (*head_formulas.UNLISTED, _LAST) or _INNER_POOLING.fullmatch(name):
            continue
        output: Any = None if type(layer).__name__ == "InputLayer" else getattr(layer, "output", None)
        if hasattr(output, "shape") and len(output.shape) in (2, 3, 4) and "float" in str(output.dtype):
            shape = tuple(None if side is None else int(side) for side in output.shape[1:])
            listed.append(Layer(index, name, type(layer).__name__, shape, shape[-1] or 0, layer.count_params()))
    return tuple(layer for layer in listed if layer.size > 0)


def find_feature_layer(network: Any, ignored: Sequence[str] = ()) -> str:
    """Return the layer whose pooled output is the picture's feature vector.

    It is the last spatial layer that all of the network passes through before the last layer with weights, which gives
    the scores; a later global pooling is taken instead when other weights come between. Networks without spatial layers
    have their features just before the scores. `ignored` are layers that do not count as the network's own.
    """
    layers = [layer for layer in list_layers(network) if layer.name not in ignored]
    weighted = [place for place, layer in enumerate(layers) if layer.parameters]
    before = [layer for layer in layers[: weighted[-1] if weighted else -1] if layer.kind not in SAME_AT_SCORING]
    passed = [layer for layer in before if _is_passed(network, network.layers[layer.index].output)]
    maps = [layer for layer in passed if len(layer.shape) == 3 and layer.kind not in GLOBAL_POOLINGS]
    spatial = [layer for layer in maps if (layer.shape[0] or 2) * (layer.shape[1] or 2) > 1]
    pools = [layer for layer in passed if layer.kind in GLOBAL_POOLINGS and spatial and layer.index > spatial[-1].index]
    between = [layer for layer in layers if pools and spatial[-1].index < layer.index < pools[-1].index]
    if any(layer.parameters for layer in between):
        return pools[-1].name
    candidates = spatial or passed
    if not candidates:
        raise ModelFolderError("The network has no layer before its scores, so it has no features to train on.")
    return candidates[-1].name


def _is_passed(network: Any, tensor: Any) -> bool:
    """Return whether every path from the network's input to its output goes through a tensor."""
    waiting, seen, start = [network.outputs[0]], {id(tensor)}, id(network.inputs[0])
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        if id(current) == start:
            return False
        seen.add(id(current))
        history = current._keras_history
        waiting.extend(history.operation._inbound_nodes[history.node_index].input_tensors)
    return True


def _features(base: Any, feature_layer: str, head: HeadConfig) -> Any:
    """Return the vector that a head takes, the output of a layer POOLED."""
    last = layer_named(base, feature_layer).output
    if not head.layers:
        return _pooled(last, head.pooling)
    import keras

    vectors = [_pooled(last, head.pooling, _LAST)]
    for number, name in enumerate(head.layers):
        for pooling in ("avg", "max"):
            vectors.append(_pooled(layer_named(base, name).output, pooling, f"head_{pooling}_{number}"))
    return keras.layers.Concatenate(name=POOLED)(vectors)


def _pooled(features: Any, pooling: str, name: str = POOLED) -> Any:
    import keras

    places = len(features.shape) - 2
    kinds = {
        (1, "avg"): keras.layers.GlobalAveragePooling1D,
        (1, "max"): keras.layers.GlobalMaxPooling1D,
        (2, "avg"): keras.layers.GlobalAveragePooling2D,
        (2, "max"): keras.layers.GlobalMaxPooling2D,
    }
    return kinds.get((places, pooling), keras.layers.Flatten)(name=name)(features)


def _base(spec: ModelSpec) -> Any:
    shape = spec.input.input_shape
    if spec.graph is not None:
        return layer_graph.build(spec.graph, shape)
    name = find(spec.network.architecture).builder
    builder = efficientnet_lite.BUILDERS.get(name) or _keras_builder(name)
    classes = {"classes": spec.network.classes} if spec.network.top else {}
    given = dict(spec.network.arguments) | classes
    return builder(weights=None, include_top=spec.network.top, input_shape=shape, **given)


def _keras_builder(name: str) -> Any:
    import keras

    return getattr(keras.applications, name)
