"""The walk from a seed to a folder of sample pictures."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from vision_recipes.samples import draw
from vision_recipes.settings import SamplesSettings
from vision_recipes.stores import Store

log = logging.getLogger("vision_recipes")


def draw_samples(
    settings: SamplesSettings, folder: Store, progress: Callable[[int, int], None] | None = None
) -> dict[str, object]:
    """Draw pictures into a folder, beside what is there, and return facts for people; `progress` gets (done, total)."""
    started, drawn = time.monotonic(), Counter[str]()
    before = set(folder.paths())
    for path, jpeg in draw(settings.sample, settings.count, settings.seed):
        folder.write(path, jpeg)
        before.discard(path)
        drawn[_group(path)] += 1
        if progress is not None:
            progress(drawn.total(), settings.count)
    seconds = time.monotonic() - started
    log.info("drew %d pictures of %s into %s, %.1f s", drawn.total(), settings.sample, folder.name, seconds)
    return {
        "Sample": settings.sample,
        "Folder": folder.name,
        "Pictures": drawn.total(),
        "Beside them, from before": len(before),
        "Of each kind": ", ".join(f"{name} {number}" for name, number in sorted(drawn.items())),
        "Seed": settings.seed,
        "Hint": "Another seed draws other pictures, under other names.",
    }


def _group(path: str) -> str:
    folder, _slash, name = path.strip("/").rpartition("/")
    return folder or name.split("_pic_")[0]
