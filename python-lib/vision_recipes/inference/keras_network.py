"""A model's Keras network, compiled for the GPUs that were claimed, or for the CPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import numpy as np

from vision_recipes.inference.device_claim import claim
from vision_recipes.inference.devices import Gpu
from vision_recipes.inference.engine import THE_SCORES, Engine, Output, Part, Slot
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.networks import check_size, rebuild
from vision_recipes.preprocessing import LUMINANCE
from vision_recipes.settings import ComputeSettings

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
_CPU_BATCH, _GPU_BATCH = 8, 64
_BFLOAT16_CAPABILITY = (8, 0)


class KerasSource:
    """A model to be compiled with Keras on the chosen GPUs, or on the CPU when there are none; as OpenVinoSource."""

    def __init__(self, model: Model, compute: ComputeSettings, gpus: tuple[Gpu, ...], batch: int) -> None:
        self._model, self._batch = model, batch or (_GPU_BATCH if gpus else _CPU_BATCH)
        check_size(model)
        self._devices = claim(compute, gpus)
        import keras

        self.where = f"keras {keras.__version__} {keras.backend.backend()} {os.cpu_count()} {self._devices}"
        self.bfloat16 = bool(gpus) and all(gpu.capability >= _BFLOAT16_CAPABILITY for gpu in gpus)

    def compile(self, output: Output, precision: str, *, verified: bool = False) -> Engine:
        """Return an engine that computes an output; the network is checked while it is built, `verified` or not."""
        import keras

        copies = []
        with _policy(_POLICIES[precision]):
            for name in self._devices.names:
                with keras.device(name):
                    copies.append(_Copy(name, _compiled(self._model, output, on_gpu=bool(self._devices.gpus))))
        network, size = copies[0].network, self._model.preprocessing
        shape = (self._batch, size.height, size.width, 3)
        columns = (self._batch, network.inputs[1].shape[1]) if len(network.inputs) > 1 else None
        turns = cycle(copies)
        slots: list[Slot] = [_Slot(turns, shape, columns) for _ in range(len(copies) + 1)]
        return Engine("keras", precision, str(self._devices), int(network.outputs[0].shape[1]), slots)

    def close(self) -> None:
        """Nothing is held for compiling."""


class _Copy:
    """A network on one device, with a thread that feeds it."""

    def __init__(self, device: str, network: Any) -> None:
        self.network = network
        self._device = device
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=device)

    def submit(self, inputs: Any) -> Future[np.ndarray]:
        return self._thread.submit(self._predict, inputs)

    def _predict(self, inputs: Any) -> np.ndarray:
        import keras

        with keras.device(self._device):
            return np.asarray(self.network.predict_on_batch(inputs))


class _Slot:
    """A batch that goes to the next device in turn."""

    def __init__(self, copies: Iterator[_Copy], shape: tuple[int, ...], columns: tuple[int, int] | None) -> None:
        self.pixels = np.zeros(shape, np.uint8)
        self.extra = None if columns is None else np.zeros(columns, np.float32)
        self._copies = copies
        self._result: Future[np.ndarray] = Future()

    def start(self) -> None:
        self._result = next(self._copies).submit(self.pixels if self.extra is None else [self.pixels, self.extra])

    def ready(self) -> bool:
        return self._result.done()

    def collect(self, seconds: float | None = None) -> np.ndarray:
        return self._result.result(seconds)


@contextmanager
def _policy(name: str) -> Iterator[None]:
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _compiled(model: Model, output: Output, *, on_gpu: bool) -> Any:
    """Return a keras.Model from uint8 RGB pixels (and extra columns) to float32 vectors."""
    import keras

    network = rebuild(model)
    network.layers[-1].dtype_policy = "float32"  # labels of nearly the same probability keep their order
    if output != THE_SCORES:
        network = keras.Model(network.inputs, [_tensor(network, part) for part in output])
    size = model.preprocessing
    pixels = keras.Input((size.height, size.width, 3), dtype="uint8", name="pixels")
    values = keras.ops.cast(pixels, "float32")
    if size.channels == "bgr":
        values = keras.ops.flip(values, axis=-1)
    if size.channels == "grey":
        weighted = values * (np.array(LUMINANCE, np.float32) / 65536)
        values = keras.ops.floor(keras.ops.sum(weighted, axis=-1, keepdims=True) + 0.5)
    values = (values - np.array(size.mean, np.float32)) / np.array(size.std, np.float32)
    inputs = [pixels, *(keras.Input(port.shape[1:], name="extra") for port in network.inputs[1:])]
    found = network([values, *inputs[1:]] if len(inputs) > 1 else values)
    tensors = found if isinstance(found, list | tuple) else [found]
    vectors = [_pooled(tensor, part.pooling) for tensor, part in zip(tensors, output, strict=True)]
    vector = vectors[0] if len(vectors) == 1 else keras.ops.concatenate(vectors, axis=1)
    complete = keras.Model(inputs, vector)
    complete.compile(jit_compile="auto" if on_gpu else False)
    return complete


def _tensor(network: Any, part: Part) -> Any:
    from vision_recipes.model_folder.networks import layer_named

    return layer_named(network, part.layer).output if part.layer else network.outputs[0]


def _pooled(values: Any, pooling: str) -> Any:
    """Return a tensor (n, …, channels) as a float32 one of a vector per picture."""
    import keras

    values = keras.ops.cast(values, "float32")
    axes = tuple(range(1, len(values.shape) - 1))
    if not axes:
        return values
    if pooling == "none":
        return keras.ops.reshape(values, (-1, int(np.prod(values.shape[1:]))))
    return keras.ops.max(values, axis=axes) if pooling == "max" else keras.ops.mean(values, axis=axes)
