"""Saliency maps: where in a picture the evidence for a label lies, by gradients at the layers that the scores stand on.

Grad-CAM (Selvaraju et al. 2017) with the gradient multiplied element by element (HiResCAM, Draelos and Carin 2020): the
same map where a network averages its features, and a faithful one where it flattens or takes maxima. Of a head on
several layers, the map is the sum over them, each with the gradient through the head alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.errors import DeviceError
from vision_recipes.inference.device_claim import claim
from vision_recipes.inference.devices import choose_gpus
from vision_recipes.metrics import softmax
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.networks import check_size, rebuild
from vision_recipes.preprocessing import normalise
from vision_recipes.settings import ComputeSettings

BATCH = 8
_ACTIVATIONS = {"softmax", "sigmoid"}


@dataclass(frozen=True)
class SaliencyMap:
    """The map of one picture: `values` float32 (rows, columns), 0 and more, in sum 1 unless all are 0.

    `probabilities` (classes,) are those of all classes, `label` is the number of the class that the map explains.
    """

    label: int
    probabilities: np.ndarray
    values: np.ndarray


class HiResCam:
    """A model's Keras network, made ready for saliency maps. TensorFlow computes."""

    def __init__(self, model: Model, compute: ComputeSettings) -> None:
        backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
        if backend != "tensorflow":
            raise DeviceError(
                f"KERAS_BACKEND is {backend!r}; saliency maps need gradients, which are computed with TensorFlow here. "
                "Unset KERAS_BACKEND for this job."
            )
        check_size(model)
        self.device = claim(compute, choose_gpus(compute))
        import keras

        self._preprocessing = model.preprocessing
        network = rebuild(model)
        head = model.config.head
        layers = _layers_under_head(network, model.config.feature_layer, head.layers if head else ())
        logits, self._activation = _without_activation(network)
        self._head = keras.Model([layer.output for layer in layers] + network.inputs[1:], logits) if layers else None
        if not layers:
            found = _spatial_layer(network, model.config.feature_layer)
            layers = [] if found is None else [found]
        self.layer = " + ".join(str(layer.name) for layer in layers) or "the pixels"
        self._network = keras.Model(network.inputs, [logits, *(layer.output for layer in layers)])

    def maps(self, pictures: np.ndarray, label: int | None, extra: np.ndarray | None = None) -> list[SaliencyMap]:
        """Return a map for each picture uint8 (n, height, width, 3): for a class, or for the predicted one (None).

        `extra` float32 (n, columns) are the encoded table columns, for networks that take some.
        """
        import tensorflow as tf

        pixels = tf.convert_to_tensor(normalise(pictures, self._preprocessing))
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            logits, *layers = self._forward(pixels, extra)
            if self._head is not None:
                layers = [tf.stop_gradient(layer) for layer in layers]
                tape.watch(layers)
                logits = self._head([*layers, *_given(extra)], training=False)
            probabilities = self._probabilities(logits.numpy())
            labels = probabilities.argmax(axis=1) if label is None else np.full(len(pictures), label)
            log_odds = self._log_odds(logits, labels)
        layers = layers or [pixels]
        values = np.maximum(_evidence(layers, tape.gradient(log_odds, layers)), 0.0)
        sums = values.astype(np.float64).sum(axis=(1, 2), keepdims=True)
        values = (values / np.where(sums > 0, sums, 1.0)).astype(np.float32)
        return [SaliencyMap(int(labels[row]), probabilities[row], values[row]) for row in range(len(pictures))]

    def probabilities(self, pictures: np.ndarray, extra: np.ndarray | None = None) -> np.ndarray:
        """Return the probabilities of pictures, float64 (n, classes)."""
        return self._probabilities(self._forward(normalise(pictures, self._preprocessing), extra)[0].numpy())

    def _forward(self, pixels: Any, extra: np.ndarray | None) -> list[Any]:
        outputs = self._network([*_given(pixels), *_given(extra)], training=False)
        return list(outputs) if isinstance(outputs, list | tuple) else [outputs]

    def _probabilities(self, logits: np.ndarray) -> np.ndarray:
        logits = logits.astype(np.float64)
        if self._activation == "softmax":
            return softmax(logits)
        return 1 / (1 + np.exp(-logits)) if self._activation == "sigmoid" else logits

    def _log_odds(self, logits: Any, labels: np.ndarray) -> Any:
        """Return the log-odds of the classes, whose gradients do not vanish where a probability is near 1."""
        import tensorflow as tf

        chosen = tf.one_hot(labels, logits.shape[1], dtype=logits.dtype)
        own = tf.reduce_sum(logits * chosen, axis=1)
        if self._activation == "sigmoid":
            return own
        if self._activation == "softmax":
            return own - tf.reduce_logsumexp(logits - 1e9 * chosen, axis=1)
        return tf.math.log(own + 1e-7) - tf.math.log(1 - own + 1e-7)


def _given(array: Any) -> list[Any]:
    import tensorflow as tf

    return [] if array is None else [tf.convert_to_tensor(array)]


def _evidence(layers: list[Any], gradients: list[Any]) -> np.ndarray:
    """Return the sum over layers of gradient times value, summed over channels: (n, rows, columns) of the finest layer.

    Layers without height and width, and those without a gradient, add nothing. Maps of coarser layers are enlarged
    without a change of their sum.
    """
    import tensorflow as tf

    maps = [
        tf.zeros(layer.shape[:3]) if gradient is None else tf.reduce_sum(gradient * layer, axis=-1)
        for layer, gradient in zip(layers, gradients, strict=True)
        if len(layer.shape) == 4
    ]
    size = max((one.shape[1:] for one in maps), key=lambda shape: shape[0] * shape[1])
    large = [
        tf.image.resize(one[..., None], size)[..., 0] * (one[0].shape.num_elements() / (size[0] * size[1]))
        for one in maps
    ]
    return np.asarray(tf.add_n(large).numpy(), np.float32)


def _layers_under_head(network: Any, feature_layer: str, inner: Sequence[str]) -> list[Any]:
    """Return the layers whose outputs a head on several of them pools: the feature layer and inner ones; else none."""
    from vision_recipes.model_folder.networks import layer_named

    return [layer_named(network, name) for name in (feature_layer, *inner)] if inner else []


def _spatial_layer(network: Any, feature_layer: str) -> Any:
    """Return the feature layer if it has height and width, else the last layer that has; None when there is none."""
    from vision_recipes.model_folder.networks import list_layers

    layers = [layer for layer in list_layers(network) if len(layer.shape) == 3]
    spatial = [layer for layer in layers if (layer.shape[0] or 2) * (layer.shape[1] or 2) > 1]
    if not spatial:
        return None
    chosen = next((layer for layer in spatial if layer.name == feature_layer), spatial[-1])
    return network.layers[chosen.index]


def _without_activation(network: Any) -> tuple[Any, str]:
    """Return the network's output before its softmax or sigmoid, and which of the two it is; "" when it has none."""
    import keras

    last = network.layers[-1]
    tensor = network.outputs[0]
    if last.output is not tensor:
        return tensor, ""
    name = getattr(getattr(last, "activation", None), "__name__", "")
    kind = type(last).__name__
    if kind == "Softmax" or (kind == "Activation" and name in _ACTIVATIONS):
        return last.input, "softmax" if kind == "Softmax" else name
    if name in _ACTIVATIONS and kind in ("Dense", "Conv2D"):
        last.activation = keras.activations.linear
        return tensor, name
    return tensor, ""
