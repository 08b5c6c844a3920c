"""Limit: threads that decode photos feeding OpenVINO's asynchronous queue, nothing else. No rows, no files.

python -m benchmarks.engine_limit FOLDER MODEL.xml f32|bf16
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (224, 224)
BATCH = 8


def read(path: Path) -> np.ndarray:
    """Return a photo's pixels."""
    with Image.open(path) as image:
        image.draft("RGB", SIZE)
        return np.asarray(image.convert("RGB").resize(SIZE, Image.Resampling.BILINEAR))


def main(folder: str, xml: str, precision: str) -> None:
    """Score every photo and print how fast."""
    import openvino as ov
    from openvino.preprocess import PrePostProcessor

    files = sorted(Path(folder).rglob("*.jpg"))
    model = ov.Core().read_model(xml)
    for result in model.get_results():
        if "scores" not in result.output(0).names:
            model.remove_result(result)
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8)
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
    compiled = ov.Core().compile_model(steps.build(), "CPU", settings)
    queue, batch = ov.AsyncInferQueue(compiled), []
    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for pixels in pool.map(read, files):
            batch.append(pixels)
            if len(batch) == BATCH:
                queue.start_async({0: np.stack(batch)})
                batch = []
        if batch:
            queue.start_async({0: np.stack(batch)})
        queue.wait_all()
    print(f"{len(files) / (time.perf_counter() - started):.2f} pictures/s")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
