"""A model's Keras network, compiled for the GPUs that were claimed, or for the processor."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_recipes.inference.devices import Claim
from vision_recipes.inference.outputs import Wanted
from vision_recipes.model_folder.rebuilding import rebuild

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


class KerasNetwork:
    """Compiled copies of a network, one on each device, each with a thread that feeds it."""

    def __init__(self, model: Model, wanted: Wanted, precision: str, batch: int, claim: Claim) -> None:
        import keras

        self.batch = batch
        self._copies = []
        with _policy(_POLICIES[precision]):
            for name in claim.names:
                with keras.device(name):
                    self._copies.append(_compiled(model, wanted, on_gpu=bool(claim.gpus)))
        self._names = claim.names
        self._feeders = [ThreadPoolExecutor(1, thread_name_prefix=name) for name in claim.names]
        shape = (model.preprocessing.height, model.preprocessing.width, 3)
        slots = len(claim.names) + 1
        self.pixels = [np.zeros((batch, *shape), np.uint8) for _ in range(slots)]
        columns = self._copies[0].inputs[1].shape[1] if len(self._copies[0].inputs) > 1 else 0
        self.extra = [np.zeros((batch, columns), np.float32) for _ in range(slots if columns else 0)]
        self.length = int(self._copies[0].outputs[0].shape[1])
        self._next = 0
        self._results: dict[int, Future[np.ndarray]] = {}

    def start(self, slot: int) -> None:
        """Send a slot's batch to the next device."""
        device = self._next
        self._next = (device + 1) % len(self._copies)
        self._results[slot] = self._feeders[device].submit(self._predict, device, slot)

    def ready(self, slot: int) -> bool:
        """Return whether a slot's batch is computed."""
        return self._results[slot].done()

    def collect(self, slot: int) -> np.ndarray:
        """Wait for a slot's batch and return its vectors."""
        return self._results.pop(slot).result()

    def _predict(self, device: int, slot: int) -> np.ndarray:
        import keras

        given = [self.pixels[slot], self.extra[slot]] if self.extra else self.pixels[slot]
        with keras.device(self._names[device]):
            return np.asarray(self._copies[device].predict_on_batch(given))


@contextmanager
def _policy(name: str) -> Iterator[None]:
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _compiled(model: Model, wanted: Wanted, *, on_gpu: bool) -> Any:
    """Return a keras.Model from uint8 RGB pixels (and extra columns) to float32 vectors."""
    import keras

    network = rebuild(model)
    network.layers[-1].dtype_policy = "float32"  # labels of nearly the same probability keep their order
    if wanted.layer or wanted.beside:
        from vision_recipes.model_folder.networks import layer_named

        outputs = layer_named(network, wanted.layer).output if wanted.layer else network.outputs[0]
        if wanted.beside:
            features = keras.ops.cast(layer_named(network, wanted.beside_layer).output, "float32")
            outputs = keras.ops.concatenate([outputs, features], axis=1)
        network = keras.Model(network.inputs, outputs)
    size = model.preprocessing
    pixels = keras.Input((size.height, size.width, 3), dtype="uint8", name="pixels")
    values = keras.ops.cast(pixels, "float32")
    if size.channels == "bgr":
        values = keras.ops.flip(values, axis=-1)
    values = (values - np.array(size.mean, np.float32)) / np.array(size.std, np.float32)
    inputs = [pixels, *(keras.Input(port.shape[1:], name="extra") for port in network.inputs[1:])]
    vector = network([values, *inputs[1:]] if len(inputs) > 1 else values)
    if len(vector.shape) > 2:
        axes = tuple(range(1, len(vector.shape) - 1))
        vector = {
            "avg": lambda: keras.ops.mean(vector, axis=axes),
            "max": lambda: keras.ops.max(vector, axis=axes),
            "none": lambda: keras.ops.reshape(vector, (-1, int(np.prod(vector.shape[1:])))),
        }[wanted.pooling]()
    whole = keras.Model(inputs, keras.ops.cast(vector, "float32"))
    whole.compile(jit_compile="auto" if on_gpu else False)
    return whole
