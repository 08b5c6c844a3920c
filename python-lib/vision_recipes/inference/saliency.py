"""Where in a picture the evidence for a label lies: gradients at the last layer that still knows places.

Grad-CAM (Selvaraju et al. 2017) with gradients taken place by place (HiResCAM, Draelos and Carin 2020): the same map
where a network averages its features, and a faithful one where it flattens or takes maxima.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_recipes.errors import DeviceError
from vision_recipes.inference.devices import choose, claim, list_gpus
from vision_recipes.model_folder.rebuilding import rebuild
from vision_recipes.preprocessing import normalise
from vision_recipes.settings import ComputeSettings

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

BATCH = 8
_SQUASHED = {"softmax", "sigmoid"}


@dataclass(frozen=True)
class Heat:
    """What was found for one picture: the map float32 (rows, columns), 0 and more, in sum 1 unless it is all 0.

    `shares` are the probabilities of all classes, `chosen` is the class that the map explains.
    """

    chosen: int
    shares: np.ndarray
    map: np.ndarray


class HeatNetwork:
    """A model's Keras network, made ready to tell where the evidence lies. TensorFlow computes."""

    def __init__(self, model: Model, compute: ComputeSettings) -> None:
        backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
        if backend != "tensorflow":
            raise DeviceError(
                f"KERAS_BACKEND is {backend!r}; heat maps need gradients, which are taken with TensorFlow here. "
                "Unset KERAS_BACKEND for this job."
            )
        self.device = claim(compute, choose(compute, list_gpus() if compute.use_gpu != "false" else ()))
        import keras

        self._preprocessing = model.preprocessing
        network = rebuild(model)
        spatial = _last_places(network, model.config.feature_layer)
        self.layer = "the pixels" if spatial is None else str(spatial.name)
        output, self._squash = _before_squashing(network)
        self._pixels = spatial is None
        outputs = [output] if spatial is None else [output, spatial.output]
        self._network = keras.Model(network.inputs, outputs)
        self.classes = int(network.outputs[0].shape[-1])

    def explain(self, pictures: np.ndarray, chosen: int | None, extra: np.ndarray | None = None) -> list[Heat]:
        """Return the heat of pictures uint8 (n, height, width, 3) for a class, or for each one's best (None)."""
        import tensorflow as tf

        values = tf.convert_to_tensor(normalise(pictures, self._preprocessing))
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs = self._forward(values, extra)
            raw, places = outputs[0], values if self._pixels else outputs[1]
            shares = self._shares(raw.numpy())
            classes = np.full(len(pictures), chosen) if chosen is not None else shares.argmax(axis=1)
            evidence = self._evidence(raw, classes)
        slopes = tape.gradient(evidence, places)
        heat = np.zeros(places.shape[:3]) if slopes is None else tf.reduce_sum(slopes * places, axis=-1).numpy()
        heat = np.maximum(heat, 0.0).astype(np.float64)
        sums = heat.sum(axis=(1, 2), keepdims=True)
        heat = np.divide(heat, sums, out=np.zeros_like(heat), where=sums > 0)
        return [
            Heat(int(number), share, one.astype(np.float32))
            for number, share, one in zip(classes, shares, heat, strict=True)
        ]

    def score(self, pictures: np.ndarray, extra: np.ndarray | None = None) -> np.ndarray:
        """Return the probabilities of pictures, (n, classes)."""
        return self._shares(self._forward(normalise(pictures, self._preprocessing), extra)[0].numpy())

    def _forward(self, values: Any, extra: np.ndarray | None) -> list[Any]:
        import tensorflow as tf

        given = [tf.convert_to_tensor(values), *([] if extra is None else [tf.convert_to_tensor(extra)])]
        outputs = self._network(given, training=False)
        return list(outputs) if isinstance(outputs, list | tuple) else [outputs]

    def _shares(self, raw: np.ndarray) -> np.ndarray:
        raw = raw.astype(np.float64)
        if self._squash == "softmax":
            powers = np.exp(raw - raw.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
        return 1 / (1 + np.exp(-raw)) if self._squash == "sigmoid" else raw

    def _evidence(self, raw: Any, classes: np.ndarray) -> Any:
        """Return the log-odds of the classes, whose slopes do not vanish where a probability is near 1."""
        import tensorflow as tf

        mine = tf.one_hot(classes, self.classes, dtype=raw.dtype)
        own = tf.reduce_sum(raw * mine, axis=1)
        if self._squash == "sigmoid":
            return own
        if self._squash == "softmax":
            return own - tf.reduce_logsumexp(raw - 1e9 * mine, axis=1)
        return tf.math.log(own + 1e-7) - tf.math.log(1 - own + 1e-7)


def _last_places(network: Any, feature_layer: str) -> Any:
    """Return the feature layer if it has places, else the last layer that has; None when no layer has any."""
    from vision_recipes.model_folder.networks import list_layers
    from vision_recipes.model_folder.weights import layer_names

    by_name = dict(zip(layer_names(network), network.layers, strict=True))
    spatial = [
        layer.name
        for layer in list_layers(network)
        if len(layer.shape) == 3 and (layer.shape[0] or 2) * (layer.shape[1] or 2) > 1
    ]
    if feature_layer in spatial:
        return by_name[feature_layer]
    return by_name[spatial[-1]] if spatial else None


def _before_squashing(network: Any) -> tuple[Any, str]:
    """Return the network's output without its softmax or sigmoid, and which of both it is; "" when there is none."""
    import keras

    last = network.layers[-1]
    tensor = network.outputs[0]
    if last.output is not tensor:
        return tensor, ""
    name = getattr(getattr(last, "activation", None), "__name__", "")
    kind = type(last).__name__
    if kind == "Softmax" or (kind == "Activation" and name in _SQUASHED):
        return last.input, "softmax" if kind == "Softmax" else name
    if name in _SQUASHED and kind in ("Dense", "Conv2D"):
        last.activation = keras.activations.linear
        return tensor, name
    return tensor, ""
