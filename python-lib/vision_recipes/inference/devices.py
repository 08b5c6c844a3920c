"""Which GPUs a job uses: decided on the machine that runs it, before a framework is imported."""

from __future__ import annotations

import logging
import os
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


def choose_gpus(compute: ComputeSettings) -> tuple[Gpu, ...]:
    """Return the GPUs of this machine that the settings choose; none means the CPU. Raises DeviceError."""
    if compute.use_gpu == "false":
        return ()
    gpus = list_gpus()
    if not gpus:
        if compute.use_gpu == "true":
            raise DeviceError(
                "use_gpu is 'true', but the machine that runs this job shows no NVIDIA GPU. Set use_gpu to 'auto' or "
                "'false', or run the job where there is one with its driver (nvidia-smi must list it)."
            )
        return ()
    by_number = {gpu.number: gpu for gpu in gpus}
    try:
        numbers = [int(number) for number in compute.gpu_list.replace(";", ",").split(",") if number.strip()]
    except ValueError as err:
        raise DeviceError(f"gpu_list {compute.gpu_list!r} is not a list of numbers such as '0, 1'.") from err
    absent = [number for number in numbers if number not in by_number]
    if absent:
        raise DeviceError(
            f"gpu_list asks for GPU {', '.join(map(str, absent))}, but the machine that runs this job has only "
            f"{'; '.join(map(str, gpus))}. Change gpu_list, or leave it empty to use all."
        )
    return tuple(by_number[number] for number in dict.fromkeys(numbers)) or gpus


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
        log.warning("GPUs are not used: NVIDIA's library cannot describe them: %s", err)
        return ()
    finally:
        pynvml.nvmlShutdown()
    return _visible(found, os.environ.get("CUDA_VISIBLE_DEVICES"))


def _describe(pynvml: Any, number: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(number)
    uuid, name = pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle)
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    return Gpu(number, uuid, name, int(pynvml.nvmlDeviceGetMemoryInfo(handle).total), (major, minor))


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
