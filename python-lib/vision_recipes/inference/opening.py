"""A model opened on the engine, device and precision that the settings and the machine allow."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from vision_recipes.errors import DeviceError, ModelFolderError
from vision_recipes.inference.devices import Gpu, choose, claim, list_gpus
from vision_recipes.inference.engine import Engine
from vision_recipes.inference.outputs import FEATURES, SCORES, Wanted, find
from vision_recipes.inference.verification import Remembered, verify
from vision_recipes.settings import ComputeSettings

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

log = logging.getLogger("vision_recipes")

__all__ = ["FEATURES", "SCORES", "open_engine"]

_CPU_BATCH, _GPU_BATCH = 8, 64
_BFLOAT16_CAPABILITY = (8, 0)


def open_engine(
    model: Model,
    compute: ComputeSettings,
    output: str | int = SCORES,
    *,
    pooling: str = "avg",
    batch: int = 0,
    pictures: int | None = None,
) -> Engine:
    """Return the model's network, ready to run and verified against the model's own answers.

    `output`: SCORES, FEATURES (the feature layer, pooled) or a layer's index. `batch` 0 = chosen; `pictures`, when
    known, is how many will come. Raises DeviceError, ModelFolderError.
    """
    wanted = find(model, output, pooling)
    gpus = () if compute.engine == "openvino" and compute.use_gpu != "true" else choose(compute, _gpus(compute))
    if gpus and compute.engine == "openvino":
        raise DeviceError(
            "engine is 'openvino', which computes on the processor here, but use_gpu is 'true'. Set engine to 'auto' "
            "or 'keras' for the GPU, or use_gpu to 'false'."
        )
    started = time.perf_counter()
    if gpus or compute.engine == "keras":
        engine = _open_keras(model, wanted, compute, gpus, batch)
    else:
        engine = _open_openvino(model, wanted, compute, batch or _fitting(pictures))
    log.info(
        "model %s: %s, %s on %s, ready after %.1f s",
        model.name,
        engine.name,
        engine.precision,
        engine.device,
        time.perf_counter() - started,
    )
    return engine


def _gpus(compute: ComputeSettings) -> tuple[Gpu, ...]:
    return () if compute.use_gpu == "false" else list_gpus()


def _fitting(pictures: int | None) -> int:
    """Return a batch size for the processor: small for few pictures, so that little is computed for nothing."""
    if pictures is None:
        return _CPU_BATCH
    return max(1, min(_CPU_BATCH, pictures // 8))


def _open_openvino(model: Model, wanted: Wanted, compute: ComputeSettings, batch: int) -> Engine:
    import openvino as ov

    from vision_recipes.inference.openvino_network import OpenVinoSource

    source = OpenVinoSource(model)
    try:
        if not source.native(_asked(compute, "float32")):
            raise DeviceError(
                f"precision is {compute.precision!r}, which the processor of this machine ({source.processor}) has no "
                "instructions for. Set precision to 'auto' or 'float32'."
            )

        def make(output: Wanted, precision: str) -> Engine:
            network = source.compile(output, precision, batch, single=batch == 1)
            return Engine("openvino", precision, "CPU", network)

        precisions = _candidates(compute, lower=source.native("bfloat16"))
        return _first_verified(model, wanted, precisions, make, f"openvino {ov.__version__} {source.processor}")
    finally:
        source.close()


def _open_keras(model: Model, wanted: Wanted, compute: ComputeSettings, gpus: tuple[Gpu, ...], batch: int) -> Engine:
    try:
        given = claim(compute, gpus)
    except DeviceError as err:
        if compute.use_gpu == "true" or not gpus:
            raise
        log.warning("the processor is used: %s", err)
        if compute.engine == "auto":
            return _open_openvino(model, wanted, compute, batch or _CPU_BATCH)
        given, gpus = claim(compute, ()), ()
    import keras

    from vision_recipes.inference.keras_network import KerasNetwork

    def make(output: Wanted, precision: str) -> Engine:
        network = KerasNetwork(model, output, precision, batch or (_GPU_BATCH if gpus else _CPU_BATCH), given)
        return Engine("keras", precision, str(given), network)

    lower = bool(gpus) and all(gpu.capability >= _BFLOAT16_CAPABILITY for gpu in gpus)
    where = f"keras {keras.__version__} {keras.backend.backend()} {os.cpu_count()} {given}"
    return _first_verified(model, wanted, _candidates(compute, lower=lower), make, where)


def _asked(compute: ComputeSettings, automatic: str) -> str:
    return automatic if compute.precision == "auto" else compute.precision


def _candidates(compute: ComputeSettings, *, lower: bool) -> list[str]:
    if compute.precision != "auto":
        return [compute.precision]
    return ["bfloat16", "float32"] if lower else ["float32"]


def _first_verified(
    model: Model, wanted: Wanted, precisions: list[str], make: Callable[[Wanted, str], Engine], where: str
) -> Engine:
    """Return the engine in the first precision whose scores are the model's own."""
    for precision in precisions:
        remembered = Remembered(model.folder_hash, where, precision)
        engine = make(wanted, precision)
        if remembered:
            return engine
        try:
            verify(engine if wanted == Wanted() else make(Wanted(), precision), model)
        except ModelFolderError as err:
            if precision == precisions[-1]:
                raise
            log.warning("%s The next precision is tried.", err)
            continue
        remembered.keep()
        return engine
    raise AssertionError("no precision to try")
