"""A model's IR compiled for the processor: bytes in, vectors out, several batches under way."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_recipes.inference.outputs import Wanted

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

_TYPES = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_CAPABILITIES = {"bfloat16": "BF16", "float16": "FP16"}


class OpenVinoSource:
    """The IR of a model, fetched and checked beside the import of OpenVINO; compiled as often as needed."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._folder = tempfile.TemporaryDirectory(prefix="vision-ir-")
        self._failure: BaseException | None = None
        self._fetching = threading.Thread(target=self._fetch, daemon=True)
        self._fetching.start()
        import openvino

        self.core = openvino.Core()

    @property
    def processor(self) -> str:
        """The processor's name."""
        return str(self.core.get_property("CPU", "FULL_DEVICE_NAME"))

    def native(self, precision: str) -> bool:
        """Return whether the processor computes in a precision by instructions of its own."""
        capabilities = self.core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        return precision == "float32" or _CAPABILITIES[precision] in capabilities

    def compile(self, wanted: Wanted, precision: str, batch: int, *, single: bool = False) -> OpenVinoNetwork:
        """Return the network for batches of a fixed size; `single` computes one soon rather than many at once."""
        self._fetching.join()
        if self._failure is not None:
            raise self._failure
        graph = self.core.read_model(Path(self._folder.name) / "model.xml")
        return OpenVinoNetwork(self.core, _prepared(graph, wanted, batch), precision, single=single)

    def close(self) -> None:
        """Remove the local copy of the IR; compiled networks may live on where the system lets an open file go."""
        self._fetching.join()
        self._folder.cleanup()

    def _fetch(self) -> None:
        try:
            self._model.ir(self._folder.name)
        except BaseException as err:  # raised again in the thread that waits for the IR
            self._failure = err


class OpenVinoNetwork:
    """A compiled IR with its infer requests, one per slot."""

    def __init__(self, core: Any, graph: Any, precision: str, *, single: bool) -> None:
        hint = "LATENCY" if single else "THROUGHPUT"
        settings = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": _TYPES[precision]}
        self._compiled = core.compile_model(graph, "CPU", settings)
        count = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")) + (0 if single else 1)
        self._requests = [self._compiled.create_infer_request() for _ in range(count)]
        self.batch = int(graph.inputs[0].shape[0])
        self.length = int(self._compiled.outputs[0].shape[1])
        self.pixels = [request.get_input_tensor(0).data for request in self._requests]
        self.extra = [request.get_input_tensor(1).data for request in self._requests if len(graph.inputs) > 1]

    def start(self, slot: int) -> None:
        """Send a slot's batch off."""
        self._requests[slot].start_async()

    def ready(self, slot: int) -> bool:
        """Return whether a slot's batch is computed."""
        return bool(self._requests[slot].wait_for(0))

    def collect(self, slot: int) -> np.ndarray:
        """Wait for a slot's batch and return its vectors."""
        request = self._requests[slot]
        request.wait()
        vectors: np.ndarray = request.get_output_tensor(0).data
        return vectors


def _prepared(graph: Any, wanted: Wanted, batch: int) -> Any:
    """Return the graph with one result, a vector per picture, and uint8 pixels in batches of a fixed size."""
    import openvino as ov
    import openvino.opset13 as ops
    from openvino.preprocess import PrePostProcessor

    results = {name: result for result in graph.get_results() for name in result.output(0).names}
    kept = results[wanted.result]
    output = kept.input_value(0)
    rank = output.partial_shape.rank.get_length()
    if rank > 2:
        axes = np.arange(1, rank - 1)
        pooled = {
            "avg": lambda: ops.reduce_mean(output, axes, False),
            "max": lambda: ops.reduce_max(output, axes, False),
            "none": lambda: ops.reshape(output, np.array([0, -1]), True),
        }[wanted.pooling]()
        kept = ops.result(pooled)
        graph.add_results([kept])
    if wanted.beside:
        kept = ops.result(ops.concat([output, results[wanted.beside].input_value(0)], 1))
        graph.add_results([kept])
    for result in graph.get_results():
        if result.get_friendly_name() != kept.get_friendly_name():
            graph.remove_result(result)
    steps = PrePostProcessor(graph)
    steps.input(0).tensor().set_element_type(ov.Type.u8)
    graph = steps.build()
    shapes = {}
    for place, port in enumerate(graph.inputs):
        shapes[place] = port.get_partial_shape()
        shapes[place][0] = batch
    graph.reshape(shapes)
    return graph
