"""The chosen GPUs given to the Keras backend of this process, with a limit on their memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from vision_recipes.errors import DeviceError
from vision_recipes.inference.devices import Gpu
from vision_recipes.settings import ComputeSettings


@dataclass(frozen=True)
class DeviceClaim:
    """What the Keras backend was given: GPUs, or the CPU when there are none."""

    gpus: tuple[Gpu, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the devices for keras.device."""
        return tuple(f"gpu:{place}" for place in range(len(self.gpus))) or ("cpu:0",)

    def __str__(self) -> str:
        return " + ".join(gpu.name for gpu in self.gpus) or "CPU"


def claim(compute: ComputeSettings, gpus: Sequence[Gpu]) -> DeviceClaim:
    """Give the Keras backend of this process the chosen GPUs and no others, with the memory mode of the settings.

    `gpus` come from `choose_gpus`. To be called before the backend is used for the first time. Raises DeviceError when
    the backend does not see exactly these GPUs.
    """
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if not _imported(backend):
        os.environ.update(environment(compute, gpus))
    if backend == "tensorflow":
        _claim_tensorflow(compute, gpus)
    elif backend == "torch":
        _claim_torch(compute, gpus)
    return DeviceClaim(tuple(gpus))


def environment(compute: ComputeSettings, gpus: Sequence[Gpu]) -> dict[str, str]:
    """Return the environment variables that limit CUDA and the backends to these GPUs, set before they are imported."""
    variables = {"CUDA_VISIBLE_DEVICES": ",".join(gpu.uuid for gpu in gpus) or "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    if not gpus:
        return variables
    variables["JAX_DEFAULT_MATMUL_PRECISION"] = "highest"  # not TF32, which is wrong in the third digit
    variables["TF_FORCE_GPU_ALLOW_GROWTH"] = str(compute.gpu_memory_mode == "growth").lower()
    if compute.gpu_memory_mode == "growth":
        variables["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    elif compute.gpu_memory_mode == "limit":
        variables["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{compute.gpu_memory_limit / 100:.3f}"
    return variables


def memory_limit(compute: ComputeSettings, gpu: Gpu) -> int:
    """Return how many MiB of a GPU's memory may be taken in the mode `limit`."""
    return max(1, int(gpu.memory / 2**20 * compute.gpu_memory_limit / 100))


def _claim_tensorflow(compute: ComputeSettings, gpus: Sequence[Gpu]) -> None:
    import tensorflow as tf

    seen = tf.config.list_physical_devices("GPU")
    if seen and not gpus:
        with suppress(RuntimeError):  # in use already, and so not to be hidden any more
            tf.config.set_visible_devices([], "GPU")
            return
    if len(seen) != len(gpus):
        raise DeviceError(
            f"TensorFlow sees {len(seen)} GPUs where {len(gpus)} were chosen "
            f"({'; '.join(map(str, gpus)) or 'none'}). Install TensorFlow with CUDA (pip install "
            "'tensorflow[and-cuda]') and its driver, or set use_gpu to 'false'."
        )
    for device, gpu in zip(seen, gpus, strict=True):
        with suppress(RuntimeError):  # in use since an earlier claim of this process: the settings stay as they are
            if compute.gpu_memory_mode == "growth":
                tf.config.experimental.set_memory_growth(device, True)
            elif compute.gpu_memory_mode == "limit":
                limit = tf.config.LogicalDeviceConfiguration(memory_limit=memory_limit(compute, gpu))
                tf.config.set_logical_device_configuration(device, [limit])
    tf.config.experimental.enable_tensor_float_32_execution(False)  # float32 is the reference: 1e-4, not 1e-3


def _claim_torch(compute: ComputeSettings, gpus: Sequence[Gpu]) -> None:
    import torch

    if torch.cuda.device_count() != len(gpus):
        raise DeviceError(f"PyTorch sees {torch.cuda.device_count()} GPUs where {len(gpus)} were chosen.")
    if compute.gpu_memory_mode == "limit":
        for place in range(len(gpus)):
            torch.cuda.set_per_process_memory_fraction(compute.gpu_memory_limit / 100, place)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def _imported(backend: str) -> bool:
    return backend in sys.modules
