"""A model opened on the engine, device and precision that the settings and the machine allow, and verified there."""

from __future__ import annotations

import hashlib
import logging
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vision_recipes.errors import DeviceError, ModelFolderError
from vision_recipes.inference.devices import Gpu, choose_gpus
from vision_recipes.inference.engine import SCORES, THE_SCORES, Engine, Output, find_output
from vision_recipes.local_folders import cache_folder
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.checks import Check, check_columns
from vision_recipes.model_folder.config import INT8
from vision_recipes.pictures import Picture
from vision_recipes.settings import ComputeSettings

if TYPE_CHECKING:
    from vision_recipes.inference.keras_network import KerasSource
    from vision_recipes.inference.openvino_network import OpenVinoSource

log = logging.getLogger("vision_recipes")

_SECONDS = 300
"""How long a batch of check pictures may take."""

_TIE = 0.98
"""Two labels are equally good when the model's own probability of one is at least this part of the other's."""


def open_engine(
    model: Model,
    compute: ComputeSettings,
    output: str | int = SCORES,
    *,
    pooling: str = "avg",
    batch: int = 0,
) -> Engine:
    """Return the model's network, ready to run and verified against the model's own answers.

    `output`: as for find_output. `batch` 0 = chosen. Raises DeviceError, ModelFolderError.
    """
    found, started = find_output(model, output, pooling), time.perf_counter()
    gpus = () if compute.engine == "openvino" and compute.use_gpu != "true" else choose_gpus(compute)
    if gpus and compute.engine == "openvino":
        raise DeviceError(
            "engine is 'openvino', which computes on the processor here, but use_gpu is 'true'. Set engine to 'auto' "
            "or 'keras' for the GPU, or use_gpu to 'false'."
        )
    with closing(_open_source(model, compute, gpus, batch)) as source:
        engine = compile_verified(model, found, source, compute)
    seconds = time.perf_counter() - started
    words = (model.name, engine.name, engine.precision, engine.device, seconds)
    log.info("model %s: %s, %s on %s, ready after %.1f s", *words)
    return engine


def _open_source(
    model: Model, compute: ComputeSettings, gpus: tuple[Gpu, ...], batch: int
) -> KerasSource | OpenVinoSource:
    if model.config.openvino_only and (compute.engine == "keras" or compute.use_gpu == "true"):
        from vision_recipes.model_folder.spec import require_keras

        require_keras(model, "scoring with Keras or on a GPU", "Set engine to auto or openvino, and use_gpu to false.")
    if model.config.openvino_only and gpus:
        why = "is quantised to int8" if model.config.quantisation else "came as an ONNX file"
        log.info("model %s %s, which OpenVINO computes on the processor", model.name, why)
    elif gpus or compute.engine == "keras":
        from vision_recipes.inference.keras_network import KerasSource

        try:
            return KerasSource(model, compute, gpus, batch)
        except DeviceError as err:
            if compute.use_gpu == "true" or not gpus:
                raise
            log.warning("the CPU is used: %s", err)
            return _open_source(model, compute, (), batch)
    from vision_recipes.inference.openvino_network import OpenVinoSource

    return OpenVinoSource(model, batch)


def compile_verified(
    model: Model, output: Output, source: KerasSource | OpenVinoSource, compute: ComputeSettings
) -> Engine:
    """Return an engine for an output, in the first precision that gives the model's own scores."""
    precisions = _precisions(model, compute, lower=source.bfloat16)
    for precision in precisions:
        note = _note_file(model.folder_hash, source.where, precision)
        verified = note is not None and _noted(note)
        engine = source.compile(output, precision, verified=verified)
        if verified:
            return engine
        try:
            verify(engine if output == THE_SCORES else source.compile(THE_SCORES, precision), model)
        except ModelFolderError as err:
            if precision == precisions[-1]:
                raise
            log.info("model %s: %s would change its answers, so the next precision is tried", model.name, precision)
            log.debug("%s", err)
            continue
        if note is not None:
            try:
                note.parent.mkdir(parents=True, exist_ok=True)
                note.touch()
            except OSError as err:
                log.info("the next run will verify the model again: %s. Set VISION_RECIPES_CACHE to change that.", err)
        return engine
    raise AssertionError("no precision to try")


def _precisions(model: Model, compute: ComputeSettings, *, lower: bool) -> list[str]:
    """Return the precisions to try in turn; `lower` says whether the device has instructions for bfloat16."""
    chosen, quantised = compute.precision, model.config.quantisation
    if quantised is not None:
        if chosen not in ("auto", INT8):
            raise ModelFolderError(
                f"precision is {chosen!r}, but model {model.name!r} is quantised to int8. Set precision to 'auto' or "
                f"'int8', or use a float32 model: {quantised.base!r}, retrained if this one was."
            )
        return [INT8]
    if chosen == INT8:
        raise ModelFolderError(
            f"precision is 'int8', but model {model.name!r} is not quantised. Run the macro vision-quantize on it and "
            "connect the folder that it writes, or set precision to 'auto'."
        )
    if chosen == "auto":
        return ["bfloat16", "float32"] if lower else ["float32"]
    return [chosen]


def verify(engine: Engine, model: Model) -> None:
    """Raise ModelFolderError when the engine does not give the model's own answers for its check pictures.

    In float32, and in int8 of a quantised model, no probability may differ by more than a check allows; in a lower
    precision each predicted label must be as good.
    """
    check, head = model.check, model.config.head
    pictures = [Picture(f"check picture {number}", pixels) for number, pixels in enumerate(check.pictures)]
    extra = check_columns(head)
    where = f"{engine.name} in {engine.precision} on {engine.device}, for model {model.name!r},"
    try:
        found = [vector for _, vector in engine.run(pictures, lambda picture: extra, seconds=_SECONDS)]
    except TimeoutError as err:
        raise ModelFolderError(
            f"{where} does not answer for its check pictures within {_SECONDS} s. Free the processor and run the job "
            "again, or use a smaller network."
        ) from err
    scores = np.stack([vector for vector in found if vector is not None])
    if engine.precision in ("float32", INT8):
        check.require(scores, where)
    elif not _same_labels(check, scores):
        raise ModelFolderError(
            f"{where} gives other best labels than the model gave when it was made; a probability differs by up to "
            f"{check.difference(scores):.2g}. Set the precision to auto or float32."
        )


def _same_labels(check: Check, scores: np.ndarray) -> bool:
    if scores.shape != check.scores.shape or not np.isfinite(scores).all():
        return False
    chosen = check.scores[np.arange(len(scores)), scores.argmax(axis=1)]
    return bool((chosen >= _TIE * check.scores.max(axis=1)).all())


def _noted(note: Path) -> bool:
    with suppress(OSError):  # a folder that may not even be looked into
        return note.is_file()
    return False


def _note_file(*circumstances: str) -> Path | None:
    """Return the file in the user's cache folder that notes a verified model; None without such a folder."""
    with suppress(OSError, RuntimeError, ImportError):
        return cache_folder() / "verified" / hashlib.sha256("\n".join(circumstances).encode()).hexdigest()
    return None
