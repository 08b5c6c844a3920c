"""What a picture costs one core: decoding, and each network in each precision; what docs/many-machines.md counts with.

python -m benchmarks.rates PICTURES MODEL_FOLDER …

Processor time is counted, not the clock's, so that other work on the machine changes little. One thread computes.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence

os.environ["PYTHON_CPU_COUNT"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from vision_recipes.errors import DeviceError
from vision_recipes.images.reading import list_pictures, read
from vision_recipes.inference.classification import Classification
from vision_recipes.inference.engine import Engine
from vision_recipes.inference.opening import open_engine
from vision_recipes.model_folder import Model, open_model
from vision_recipes.pictures import Picture
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore

ROUNDS = 3
PRECISIONS = ("float32", "bfloat16", "int8")


def main(pictures: str, folders: Sequence[str]) -> None:
    """Print milliseconds of processor time for a picture, and pictures per second and core."""
    store = LocalStore(pictures)
    paths = list_pictures(store)[:96]
    size = statistics.mean(store.size(path) or 0 for path in paths)
    models = [open_model(LocalStore(folder)) for folder in folders]
    found = [picture for picture in read(store, paths, models[0].preprocessing) if picture.pixels is not None]
    decoding = statistics.median(spent(lambda: list(read(store, paths, models[0].preprocessing)), len(paths)))
    print(f"{len(paths)} pictures of {size / 1000:.0f} kB on average; decoding takes {decoding:.2f} ms each\n")
    print("| network | precision | engine, ms | rows, ms | whole, ms | pictures/s and core |")
    print("|---|---|---|---|---|---|", flush=True)
    opening = ((model, opened(model, precision)) for model, precision in itertools.product(models, PRECISIONS))
    engines = [(model, engine) for model, engine in opening if engine is not None]
    batches = {id(engine): pixels_of(found, model) for model, engine in engines}
    times: dict[int, list[float]] = {id(engine): [] for _, engine in engines}
    for _ in range(ROUNDS):
        for _, engine in engines:
            times[id(engine)] += spent(lambda: list(engine.run(batches[id(engine)])), len(found), rounds=1)  # noqa: B023
    for model, engine in engines:
        answers, classification = list(engine.run(batches[id(engine)])), Classification(model, ClassifySettings())
        rows = statistics.median(spent(lambda: [classification.row(*one) for one in answers], len(answers)))  # noqa: B023
        computing = statistics.median(times[id(engine)])
        whole = decoding + computing + rows
        cells = (f"{computing:.2f}", f"{rows:.2f}", f"{whole:.2f}", f"{1000 / whole:.0f}")
        print(f"| {model.name} | {engine.precision} | {' | '.join(cells)} |")


def opened(model: Model, precision: str) -> Engine | None:
    """Return an engine that computes in a precision, None where processor or model do not."""
    try:
        return open_engine(model, ComputeSettings(engine="openvino", use_gpu="false", precision=precision), batch=8)
    except (DeviceError, ValueError, LookupError):
        return None
    except Exception as err:
        if getattr(err, "for_user", False):
            return None
        raise


def pixels_of(pictures: Sequence[Picture], model: Model) -> list[Picture]:
    """Return pictures with pixels of the size that a model takes."""
    shape = (model.preprocessing.height, model.preprocessing.width, 3)
    return [picture for picture in pictures if picture.pixels is not None and picture.pixels.shape == shape]


def spent(work: Callable[[], object], count: int, rounds: int = ROUNDS) -> list[float]:
    """Return the processor's milliseconds for each of `count` pictures, in every round."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        found.append(1000 * (time.process_time() - began) / count)
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
