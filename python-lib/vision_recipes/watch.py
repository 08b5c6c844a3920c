"""From a model folder to its training curves, also while the training runs."""

from __future__ import annotations

import math
import time
from itertools import islice
from typing import Any

from vision_recipes.reports import tensorboard
from vision_recipes.reports.tensorboard_events import read_scalars
from vision_recipes.stores import Store

LOGS = "/tensorboard_logs/"
LARGEST = 64 << 20
MOST_FILES = 200
MOST_POINTS = 20_000
"""Limits on what a folder from an untrusted source can make this read."""


def watch(model: Store) -> dict[str, Any]:
    """Return the curves that are written so far, as plain data for a page.

    `curves` are `{"run", "tag", "points": [[step, value], …]}`, one for each run (train, validation) and tag; a value
    that is not finite is None. `age` is how many seconds ago the last point was written, None when there is none;
    `tensorboard` whether `tensorboard_pages` has something to show.
    """
    curves: dict[tuple[str, str], dict[int, float | None]] = {}
    last = 0.0
    for path in logs(model):
        run = path.removeprefix(LOGS).rpartition("/")[0] or "run"
        with model.open(path) as stream:
            content = stream.read(LARGEST)
        for scalar in islice(read_scalars(content), MOST_POINTS):
            steps = curves.setdefault((run, scalar.tag), {})
            steps[scalar.step] = scalar.value if math.isfinite(scalar.value) else None
            last = max(last, scalar.time)
    return {
        "model": model.name,
        "curves": [
            {"run": run, "tag": tag, "points": [list(pair) for pair in sorted(steps.items())]}
            for (run, tag), steps in sorted(curves.items())
        ],
        "age": round(max(0.0, time.time() - last), 1) if last else None,
        "tensorboard": tensorboard.is_installed(),
    }


def tensorboard_pages(model: Store) -> tensorboard.Application:
    """Return TensorBoard itself as an application over the same logs; it is imported at the first request."""
    return tensorboard.TensorBoardPages(model, logs)


def logs(model: Store) -> list[str]:
    """Return the paths of a model folder's event files, the newest last."""
    found = [path for path in model.paths() if path.startswith(LOGS) and "events.out.tfevents." in path]
    return sorted(found, key=lambda path: path.rpartition("/")[2])[-MOST_FILES:]
