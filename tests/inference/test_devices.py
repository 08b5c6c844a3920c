"""The choice of GPUs, with made-up ones: who is taken, how much memory, what is said when they are not there."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from vision_recipes.errors import DeviceError
from vision_recipes.inference import device_claim, devices, keras_network
from vision_recipes.inference.device_claim import environment, memory_limit
from vision_recipes.inference.devices import Gpu, choose_gpus, list_gpus
from vision_recipes.inference.opening import open_engine
from vision_recipes.model_folder import Model
from vision_recipes.settings import ComputeSettings

GPUS = (Gpu(0, "GPU-aaa", "Big", 80 << 30, (9, 0)), Gpu(1, "GPU-bbb", "Small", 16 << 30, (7, 5)))


def _nvml(monkeypatch: pytest.MonkeyPatch, gpus: tuple[Gpu, ...], failing: str = "") -> None:
    """Put a made-up NVIDIA library in place of the real one."""

    class NVMLError(Exception):
        pass

    def call(name: str, answer: Any) -> Any:
        def function(*args: Any) -> Any:
            if name == failing:
                raise NVMLError("Driver Not Loaded")
            return answer(*args)

        return function

    names = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: len(gpus),
        "nvmlDeviceGetHandleByIndex": lambda number: gpus[number],
        "nvmlDeviceGetUUID": lambda gpu: gpu.uuid,
        "nvmlDeviceGetName": lambda gpu: gpu.name,
        "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(total=gpu.memory),
        "nvmlDeviceGetCudaComputeCapability": lambda gpu: gpu.capability,
    }
    library = SimpleNamespace(NVMLError=NVMLError, **{name: call(name, answer) for name, answer in names.items()})
    monkeypatch.setitem(sys.modules, "pynvml", library)  # type: ignore[arg-type]


def test_gpus_are_listed_with_what_nvidia_tells_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    _nvml(monkeypatch, GPUS)
    assert list_gpus() == GPUS


@pytest.mark.parametrize("failing", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetName"])
def test_without_a_working_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    _nvml(monkeypatch, GPUS, failing)
    assert list_gpus() == ()


@pytest.mark.parametrize(
    ("variable", "numbers"),
    [("0", [0]), ("1,0", [1, 0]), ("GPU-bbb", [1]), ("-1", []), ("", []), ("0,7,1", [0]), ("1, 0", [1, 0])],
)
def test_what_the_starter_of_the_job_hides_stays_hidden(
    monkeypatch: pytest.MonkeyPatch, variable: str, numbers: list[int]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", variable)
    _nvml(monkeypatch, GPUS)
    assert [gpu.number for gpu in list_gpus()] == numbers


@pytest.mark.parametrize(
    ("use_gpu", "gpu_list", "there", "chosen"),
    [
        ("auto", "", GPUS, GPUS),
        ("auto", "1", GPUS, GPUS[1:]),
        ("true", "1, 0", GPUS, GPUS[::-1]),
        ("true", "1,1", GPUS, GPUS[1:]),
        ("false", "0", GPUS, ()),
        ("auto", "", (), ()),
        ("auto", "3", (), ()),
        ("false", "", (), ()),
    ],
)
def test_gpus_are_chosen(
    monkeypatch: pytest.MonkeyPatch, use_gpu: str, gpu_list: str, there: tuple[Gpu, ...], chosen: tuple[Gpu, ...]
) -> None:
    monkeypatch.setattr(devices, "list_gpus", lambda: there)
    assert choose_gpus(ComputeSettings(use_gpu=use_gpu, gpu_list=gpu_list)) == chosen


@pytest.mark.parametrize(
    ("use_gpu", "gpu_list", "there", "words"),
    [
        ("true", "", (), "shows no NVIDIA GPU"),
        ("auto", "2", GPUS, "asks for GPU 2, but .* has only 0: Big, 80 GB; 1: Small, 16 GB"),
        ("true", "0,5,6", GPUS, "asks for GPU 5, 6"),
        ("true", "first", GPUS, "not a list of numbers"),
    ],
)
def test_gpus_that_are_not_there_are_a_clear_mistake(
    monkeypatch: pytest.MonkeyPatch, use_gpu: str, gpu_list: str, there: tuple[Gpu, ...], words: str
) -> None:
    monkeypatch.setattr(devices, "list_gpus", lambda: there)
    with pytest.raises(DeviceError, match=words):
        choose_gpus(ComputeSettings(use_gpu=use_gpu, gpu_list=gpu_list))


def test_the_environment_names_gpus_by_uuid_and_the_memory_mode() -> None:
    growth = environment(ComputeSettings(gpu_memory_mode="growth"), GPUS)
    assert growth["CUDA_VISIBLE_DEVICES"] == "GPU-aaa,GPU-bbb"
    assert growth["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert growth["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    limit = environment(ComputeSettings(gpu_memory_mode="limit", gpu_memory_limit=25), GPUS[:1])
    assert limit["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.250" and limit["TF_FORCE_GPU_ALLOW_GROWTH"] == "false"
    assert growth["JAX_DEFAULT_MATMUL_PRECISION"] == "highest"
    everything = environment(ComputeSettings(gpu_memory_mode="all"), GPUS[:1])
    assert not {"XLA_PYTHON_CLIENT_PREALLOCATE", "XLA_PYTHON_CLIENT_MEM_FRACTION"} & set(everything)
    assert environment(ComputeSettings(), ())["CUDA_VISIBLE_DEVICES"] == "-1"


def test_the_limit_is_a_part_of_each_gpus_own_memory() -> None:
    half = ComputeSettings(gpu_memory_mode="limit", gpu_memory_limit=50)
    assert [memory_limit(half, gpu) for gpu in GPUS] == [40 * 1024, 8 * 1024]


class _TensorFlow:
    """A made-up TensorFlow that sees some GPUs and notes what it is told."""

    def __init__(self, seen: int, *, awake: bool = False) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.config = SimpleNamespace(
            list_physical_devices=lambda kind: [f"{kind}{place}" for place in range(seen)],
            set_logical_device_configuration=lambda device, limits: self._tell("limit", device, limits[0], awake=awake),
            set_visible_devices=lambda devices, kind: self._tell("visible", tuple(devices), awake=awake),
            LogicalDeviceConfiguration=lambda memory_limit: memory_limit,
            experimental=SimpleNamespace(
                set_memory_growth=lambda device, on: self._tell("growth", device, on, awake=awake),
                enable_tensor_float_32_execution=lambda on: self._tell("tf32", on),
            ),
        )

    def _tell(self, *words: Any, awake: bool = False) -> None:
        if awake:
            raise RuntimeError("cannot be modified once initialised")
        self.told.append(words)


def _claim(monkeypatch: pytest.MonkeyPatch, compute: ComputeSettings, gpus: tuple[Gpu, ...], tf: _TensorFlow) -> Any:
    for name in environment(compute, GPUS):
        monkeypatch.setenv(name, "before")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(device_claim, "_imported", lambda backend: False)
    monkeypatch.setitem(sys.modules, "tensorflow", tf)  # type: ignore[arg-type]
    return device_claim.claim(compute, gpus)


def test_tensorflow_is_told_the_memory_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    tf = _TensorFlow(2)
    claimed = _claim(monkeypatch, ComputeSettings(gpu_memory_mode="growth"), GPUS, tf)
    assert tf.told == [("growth", "GPU0", True), ("growth", "GPU1", True), ("tf32", False)]
    assert claimed.names == ("gpu:0", "gpu:1") and str(claimed) == "Big + Small"
    tf = _TensorFlow(1)
    _claim(monkeypatch, ComputeSettings(gpu_memory_mode="limit", gpu_memory_limit=25), GPUS[1:], tf)
    assert tf.told == [("limit", "GPU0", 4 * 1024), ("tf32", False)]
    tf = _TensorFlow(1)
    _claim(monkeypatch, ComputeSettings(gpu_memory_mode="all"), GPUS[1:], tf)
    assert tf.told == [("tf32", False)]


def test_a_second_claim_in_the_same_process_leaves_things_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    tf = _TensorFlow(1, awake=True)
    assert _claim(monkeypatch, ComputeSettings(), GPUS[:1], tf).names == ("gpu:0",)


def test_a_tensorflow_without_cuda_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="TensorFlow sees 0 GPUs where 1 were chosen"):
        _claim(monkeypatch, ComputeSettings(use_gpu="true"), GPUS[:1], _TensorFlow(0))


def test_on_the_processor_gpus_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    tf = _TensorFlow(2)
    assert _claim(monkeypatch, ComputeSettings(), (), tf).names == ("cpu:0",)
    assert tf.told == [("visible", ())]


def test_openvino_and_a_gpu_exclude_each_other(monkeypatch: pytest.MonkeyPatch, tiny: Model) -> None:
    monkeypatch.setattr(devices, "list_gpus", lambda: GPUS)
    with pytest.raises(DeviceError, match="engine is 'openvino'"):
        open_engine(tiny, ComputeSettings(use_gpu="true", engine="openvino"))
    assert open_engine(tiny, ComputeSettings(use_gpu="auto", engine="openvino")).device == "CPU"


def test_insisting_on_a_gpu_where_there_is_none_is_an_error(monkeypatch: pytest.MonkeyPatch, tiny: Model) -> None:
    monkeypatch.setattr(devices, "list_gpus", lambda: ())
    with pytest.raises(DeviceError, match="use_gpu is 'true'"):
        open_engine(tiny, ComputeSettings(use_gpu="true"))


def test_auto_falls_back_to_the_processor_when_the_framework_cannot_use_the_gpu(
    monkeypatch: pytest.MonkeyPatch, tiny: Model, caplog: pytest.LogCaptureFixture
) -> None:
    def blind(compute: ComputeSettings, gpus: tuple[Gpu, ...]) -> None:
        raise DeviceError("TensorFlow sees 0 GPUs")

    monkeypatch.setattr(devices, "list_gpus", lambda: GPUS)
    monkeypatch.setattr(keras_network, "claim", blind)
    assert open_engine(tiny, ComputeSettings(use_gpu="auto")).name == "openvino"
    assert "TensorFlow sees 0 GPUs" in caplog.text
    with pytest.raises(DeviceError):
        open_engine(tiny, ComputeSettings(use_gpu="true"))


def test_choosing_devices_wakes_no_framework() -> None:
    code = """
import sys
from vision_recipes.inference.devices import choose_gpus
from vision_recipes.settings import ComputeSettings
choose_gpus(ComputeSettings())
assert not set(sys.modules) & {"tensorflow", "keras", "openvino", "torch", "jax"}
"""
    subprocess.run([sys.executable, "-c", code], check=True)
