"""Which GPUs a job uses and how much of their memory: decided on the machine that runs it, before a framework wakes."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vision_recipes.errors import DeviceError
from vision_recipes.settings import ComputeSettings

log = logging.getLogger("vision_recipes")


@dataclass(frozen=True)
class Gpu:
    """A GPU as NVIDIA's library lists it: `number` in that list, `memory` in bytes, compute `capability`."""

    number: int
    uuid: str
    name: str
    memory: int
    capability: tuple[int, int] = (0, 0)

    def __str__(self) -> str:
        return f"{self.number}: {self.name}, {self.memory / 2**30:.0f} GB"


@dataclass(frozen=True)
class Claim:
    """What a framework was given: GPUs (none = the processor) and the devices' names as Keras calls them."""

    gpus: tuple[Gpu, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The devices' names in keras.device."""
        return tuple(f"gpu:{place}" for place in range(len(self.gpus))) or ("cpu:0",)

    def __str__(self) -> str:
        return " + ".join(gpu.name for gpu in self.gpus) or "CPU"


def list_gpus() -> tuple[Gpu, ...]:
    """Return the NVIDIA GPUs of this machine that this process may see; none without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as err:
        log.debug("no NVIDIA GPU: %s", err)
        return ()
    try:
        found = tuple(_describe(pynvml, number) for number in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError as err:
        log.warning("GPUs are left aside, NVIDIA's library cannot describe them: %s", err)
        return ()
    finally:
        pynvml.nvmlShutdown()
    return _visible(found, os.environ.get("CUDA_VISIBLE_DEVICES"))


def choose(compute: ComputeSettings, gpus: Sequence[Gpu]) -> tuple[Gpu, ...]:
    """Return the GPUs to use among those that there are; none means the processor. Raises DeviceError."""
    if compute.use_gpu == "false":
        return ()
    if not gpus:
        if compute.use_gpu == "true":
            raise DeviceError(
                "use_gpu is 'true', but the machine that runs this job shows no NVIDIA GPU. Set use_gpu to 'auto' or "
                "'false', or run the job where there is one with its driver (nvidia-smi must list it)."
            )
        return ()
    by_number = {gpu.number: gpu for gpu in gpus}
    try:
        wanted = [int(number) for number in compute.gpu_list.replace(";", ",").split(",") if number.strip()]
    except ValueError as err:
        raise DeviceError(f"gpu_list {compute.gpu_list!r} is not a list of numbers such as '0, 1'.") from err
    absent = [number for number in wanted if number not in by_number]
    if absent:
        raise DeviceError(
            f"gpu_list asks for GPU {', '.join(map(str, absent))}, but the machine that runs this job has only "
            f"{'; '.join(map(str, gpus))}. Change gpu_list, or leave it empty to use all."
        )
    return tuple(by_number[number] for number in dict.fromkeys(wanted)) or tuple(gpus)


def claim(compute: ComputeSettings, gpus: Sequence[Gpu]) -> Claim:
    """Give the Keras backend of this process the chosen GPUs and no others, with the memory mode of the settings.

    Works on `choose`'s result, before the backend is imported or used for the first time. Raises DeviceError when the
    backend does not see exactly these GPUs.
    """
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if not _awake(backend):
        os.environ.update(environment(compute, gpus))
    if backend == "tensorflow":
        _claim_tensorflow(compute, gpus)
    elif backend == "torch":
        _claim_torch(compute, gpus)
    return Claim(tuple(gpus))


def environment(compute: ComputeSettings, gpus: Sequence[Gpu]) -> dict[str, str]:
    """Return the environment variables that tell CUDA and the frameworks what to take, before they wake."""
    told = {"CUDA_VISIBLE_DEVICES": ",".join(gpu.uuid for gpu in gpus) or "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    told["JAX_DEFAULT_MATMUL_PRECISION"] = "highest"  # not TF32, which is wrong in the third digit
    told["TF_FORCE_GPU_ALLOW_GROWTH"] = str(compute.gpu_memory_mode == "growth").lower()
    if compute.gpu_memory_mode == "growth":
        told["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    elif compute.gpu_memory_mode == "limit":
        told["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{compute.gpu_memory_limit / 100:.3f}"
    return told if gpus else {name: told[name] for name in ("CUDA_VISIBLE_DEVICES", "TF_CPP_MIN_LOG_LEVEL")}


def memory_limit(compute: ComputeSettings, gpu: Gpu) -> int:
    """Return how many MiB of a GPU's memory may be taken in the mode `limit`."""
    return max(1, int(gpu.memory / 2**20 * compute.gpu_memory_limit / 100))


def _claim_tensorflow(compute: ComputeSettings, gpus: Sequence[Gpu]) -> None:
    import tensorflow as tf

    seen = tf.config.list_physical_devices("GPU")
    if len(seen) != len(gpus):
        if gpus or not _hide(tf):
            raise DeviceError(
                f"TensorFlow sees {len(seen)} GPUs where {len(gpus)} were chosen "
                f"({'; '.join(map(str, gpus)) or 'none'}). Install TensorFlow with CUDA (pip install "
                "'tensorflow[and-cuda]') and its driver, or set use_gpu to 'false'."
            )
        return
    for device, gpu in zip(seen, gpus, strict=True):
        with suppress(
            RuntimeError
        ):  # already in use by an earlier claim of this process: the settings stay as they are
            if compute.gpu_memory_mode == "growth":
                tf.config.experimental.set_memory_growth(device, True)
            elif compute.gpu_memory_mode == "limit":
                limit = tf.config.LogicalDeviceConfiguration(memory_limit=memory_limit(compute, gpu))
                tf.config.set_logical_device_configuration(device, [limit])
    tf.config.experimental.enable_tensor_float_32_execution(False)  # float32 is the reference: 1e-4, not 1e-3


def _hide(tf: Any) -> bool:
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:
        return False
    return True


def _claim_torch(compute: ComputeSettings, gpus: Sequence[Gpu]) -> None:
    import torch

    if torch.cuda.device_count() != len(gpus):
        raise DeviceError(f"PyTorch sees {torch.cuda.device_count()} GPUs where {len(gpus)} were chosen.")
    if compute.gpu_memory_mode == "limit":
        for place in range(len(gpus)):
            torch.cuda.set_per_process_memory_fraction(compute.gpu_memory_limit / 100, place)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def _awake(backend: str) -> bool:
    return backend in sys.modules


def _describe(pynvml: Any, number: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(number)
    uuid, name = pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle)
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    return Gpu(number, _text(uuid), _text(name), int(pynvml.nvmlDeviceGetMemoryInfo(handle).total), (major, minor))


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _visible(gpus: tuple[Gpu, ...], variable: str | None) -> tuple[Gpu, ...]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES, set by whoever started the job, leaves over, in its order."""
    if variable is None:
        return gpus
    found: list[Gpu] = []
    for word in variable.split(","):
        matches = [gpu for gpu in gpus if word.strip() in (str(gpu.number), gpu.uuid)]
        if not matches:
            break  # CUDA, too, ignores all that follows a name it does not know
        found += matches
    return tuple(found)
