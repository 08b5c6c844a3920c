"""The bare engine with the recipes' decoder: threads that decode, OpenVINO's asynchronous queue, no rows, no files.

python -m benchmarks.bare_engine FOLDER MODEL_FOLDER PRECISION BATCH
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

AHEAD = 32


def main(folder: str, model_folder: str, precision: str, batch: int) -> None:
    """Score every picture of a folder and print how fast; the start, up to the compiled network, does not count."""
    import openvino as ov

    from vision_recipes.inference.engine import THE_SCORES
    from vision_recipes.inference.openvino_network import _prepared
    from vision_recipes.model_folder import open_model
    from vision_recipes.preprocessing import Preprocessing
    from vision_recipes.stores import LocalStore

    model, core = open_model(LocalStore(model_folder)), ov.Core()
    with tempfile.TemporaryDirectory() as place:
        graph = _prepared(core.read_model(model.ir(place)), THE_SCORES, batch)
        settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
        queue = ov.AsyncInferQueue(core.compile_model(graph, "CPU", settings))
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    goal: Preprocessing = model.preprocessing
    started, pixels = time.perf_counter(), np.zeros((batch, goal.height, goal.width, 3), np.uint8)
    for number, decoded in enumerate(_decoded(files, goal)):
        pixels[number % batch] = decoded
        if number % batch == batch - 1:
            queue.start_async({0: pixels})
    if len(files) % batch:
        queue.start_async({0: pixels})
    queue.wait_all()
    print(f"{len(files) / (time.perf_counter() - started):.2f} pictures/s")


def _decoded(files: list[Path], goal: object) -> Iterator[np.ndarray]:
    """Yield the pixels of each file in order, some files ahead."""
    from vision_recipes.images.decoding import decode

    waiting: deque[Future[np.ndarray]] = deque()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for path in files:
            waiting.append(pool.submit(lambda path: decode(path.read_bytes(), goal), path))  # type: ignore[arg-type]
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
