"""A model's IR compiled for the CPU: bytes in, vectors out, several batches under way."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from vision_recipes.errors import DeviceError
from vision_recipes.images.reading import cpu_count
from vision_recipes.inference.engine import Engine, Output, Slot
from vision_recipes.local_folders import make_work_folder
from vision_recipes.model_folder import Model

_TYPES = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int8": "f32"}
"""What is not quantised of a network in int8 is computed in float32."""
_CAPABILITIES = {"bfloat16": "BF16", "float16": "FP16"}
_BATCH_PIXELS, _MOST = 100_352, 8


def recipe_batch(model: Model) -> int:
    """Return how many pictures the recipes compute at a time: two of 224 x 224, more of small ones, one of large ones.

    So few that what the layers hand on stays in the cache of a processor core (benchmarks/throughput.md). It never
    depends on the number of pictures, so that no score does.
    """
    return max(1, min(_MOST, _BATCH_PIXELS // (model.preprocessing.width * model.preprocessing.height)))


class OpenVinoSource:
    """The IR of a model, fetched and checked during the import of OpenVINO; compiled as often as needed.

    `where` names engine, version and device; `bfloat16` says whether the CPU has instructions for it.
    """

    def __init__(self, model: Model, batch: int = 0) -> None:
        """A `batch` of one is for pictures that come alone: each is computed as soon as it can be. 0 = recipe_batch."""
        self._model, self._batch, self._alone = model, batch or recipe_batch(model), batch == 1
        self._folder = make_work_folder("vision-ir-")
        self._fetching = ThreadPoolExecutor(1).submit(model.ir, self._folder.name)
        import openvino

        self._core = openvino.Core()
        self._processor = str(self._core.get_property("CPU", "FULL_DEVICE_NAME"))
        self.where = f"openvino {openvino.__version__} {self._processor}"
        self.bfloat16 = self.native("bfloat16")

    def native(self, precision: str) -> bool:
        """Return whether the CPU computes in a precision by instructions of its own."""
        capabilities = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        return _TYPES[precision] == "f32" or _CAPABILITIES[precision] in capabilities

    def compile(self, output: Output, precision: str, *, verified: bool = False, throughput: int = 0) -> Engine:
        """Return an engine that computes an output; raises DeviceError for a precision that the CPU lacks.

        A network that is not `verified` on this machine is read within limits. `throughput` asks for batches of that
        many pictures, several at once, in place of the source's own batch.
        """
        if not self.native(precision):
            raise DeviceError(
                f"precision is {precision!r}, which the processor of this machine ({self._processor}) has no "
                "instructions for. Set precision to 'auto' or 'float32'."
            )
        graph, batch = self._read(verified, throughput or self._batch)
        graph = _prepared(graph, output, batch)
        alone = self._alone and not throughput
        hint = "LATENCY" if alone else "THROUGHPUT"
        settings: dict[str, Any] = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": _TYPES[precision]}
        if "PYTHON_CPU_COUNT" in os.environ:  # other processes have the other CPUs, and pinned threads meet theirs
            settings |= {"INFERENCE_NUM_THREADS": cpu_count(), "ENABLE_CPU_PINNING": False}
        compiled = self._core.compile_model(graph, "CPU", settings)
        count = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")) + (0 if alone else 1)
        slots: list[Slot] = [_Slot(compiled.create_infer_request(), len(graph.inputs)) for _ in range(count)]
        return Engine("openvino", precision, "CPU", int(compiled.outputs[0].shape[1]), slots)

    def _read(self, verified: bool, batch: int) -> tuple[Any, int]:
        """Return the ov.Model and the batch that it will take, which is 1 for a network that takes one picture."""
        self._fetching.result()
        xml = self._model.ir(self._folder.name)  # fetched anew where another job removed it
        if verified:
            graph = self._core.read_model(xml)
        else:
            from vision_recipes.model_folder.ir_limits import read_ir

            graph = read_ir(self._core, xml, self._model, batch)
        return graph, batch if graph.input(0).get_partial_shape()[0].is_dynamic else 1

    def close(self) -> None:
        """Remove the local copy of the IR; compiled networks may live on where the system lets an open file go."""
        wait([self._fetching])
        self._folder.cleanup()


class _Slot:
    """An infer request with its tensors."""

    def __init__(self, request: Any, inputs: int) -> None:
        self._request = request
        self.pixels: np.ndarray = request.get_input_tensor(0).data
        self.extra: np.ndarray | None = request.get_input_tensor(1).data if inputs > 1 else None
        self.start = request.start_async

    def ready(self) -> bool:
        return bool(self._request.wait_for(0))

    def collect(self, seconds: float | None = None) -> np.ndarray:
        if seconds is None:
            self._request.wait()
        elif not self._request.wait_for(int(1000 * seconds)):
            self._request.cancel()
            raise TimeoutError
        vectors: np.ndarray = self._request.get_output_tensor(0).data
        return vectors


def _prepared(graph: Any, output: Output, batch: int) -> Any:
    """Return the graph with one result, a vector per picture, and uint8 pixels in batches of a fixed size."""
    import openvino as ov
    import openvino.opset13 as ops
    from openvino.preprocess import PrePostProcessor

    results = {name: result for result in graph.get_results() for name in result.output(0).names}
    vectors = [_pooled(results[part.result].input_value(0), part.pooling) for part in output]
    kept = ops.result(vectors[0] if len(vectors) == 1 else ops.concat(vectors, 1))
    graph.add_results([kept])
    for result in graph.get_results():
        if result.get_friendly_name() != kept.get_friendly_name():
            graph.remove_result(result)
    if len(output) > 1 and any(results[part.result].output(0).partial_shape.rank.get_length() > 2 for part in output):
        from vision_recipes.model_folder.channels_first import channels_first

        channels_first(graph)
    steps = PrePostProcessor(graph)
    steps.input(0).tensor().set_element_type(ov.Type.u8)
    graph = steps.build()
    shapes = {}
    for place, port in enumerate(graph.inputs):
        shapes[place] = port.get_partial_shape()
        shapes[place][0] = batch
    graph.reshape(shapes)
    return graph


def _pooled(values: Any, pooling: str) -> Any:
    """Return a tensor (n, …, channels) as one of a vector per picture."""
    import openvino.opset13 as ops

    rank = values.partial_shape.rank.get_length()
    if rank <= 2:
        return values
    if pooling == "none":
        return ops.reshape(values, np.array([0, -1]), True).output(0)
    reduce = ops.reduce_max if pooling == "max" else ops.reduce_mean
    return reduce(values, np.arange(1, rank - 1), False).output(0)
