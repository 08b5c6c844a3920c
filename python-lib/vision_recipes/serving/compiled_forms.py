"""A network compiled for a lone picture and for many; the batch of the many is chosen by measuring.

Every form that is used gives the scores that the others give.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision_recipes.inference.engine import Engine, Output, Slot
from vision_recipes.inference.openvino_network import OpenVinoSource, recipe_batch
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.checks import check_columns

log = logging.getLogger("vision_recipes")

_BATCHES = (1, 2, 4, 8)
_SAME = 1e-7
_GAIN = 1.05
"""A larger batch, or a form for lone pictures, has to be this many times faster."""
_BUDGET = 3.0
"""Seconds after which no further batch is tried."""
_REPEATS, _REPEAT_SECONDS = 3, 0.03


class Form:
    """A network compiled in one way, with the slots that are free; `batch` is how many pictures a slot takes.

    `scores` are those of the model's check pictures, `seconds` how long one slot takes when it is alone.
    """

    def __init__(self, engine: Engine, model: Model) -> None:
        """Measure, while no other thread has the form."""
        self.batch, self.count = len(engine.slots[0].pixels), len(engine.slots)
        self._free = list(engine.slots)
        self.scores = self._check(model)
        self.seconds = self.batch * min(self.seconds_per_picture(1) for _ in range(_REPEATS))

    def take(self) -> Slot | None:
        """Return a slot that no other thread has, or None."""
        try:
            return self._free.pop()
        except IndexError:
            return None

    def give_back(self, slot: Slot) -> None:
        """Let others have a slot."""
        self._free.append(slot)

    def gives_the_scores_of(self, other: Form) -> bool:
        """Return whether the check pictures' scores are the same."""
        return float(np.abs(self.scores - other.scores).max()) <= _SAME

    def seconds_per_picture(self, slots: int = 0) -> float:
        """Return how long a picture takes with a number of slots under way, 0 for all; no thread may have one."""
        busy, started, done = self._free[: slots or self.count], time.perf_counter(), 0
        for slot in busy:
            slot.start()
        while done < len(busy) or time.perf_counter() - started < _REPEAT_SECONDS:
            slot = busy[done % len(busy)]
            slot.collect()
            slot.start()
            done += 1
        seconds = time.perf_counter() - started
        for slot in busy:
            slot.collect()
        return seconds / (done * self.batch)

    def _check(self, model: Model) -> np.ndarray:
        pictures, columns, found = model.check.pictures, check_columns(model.config.head), []
        for start in range(0, len(pictures), self.batch):
            part = pictures[start : start + self.batch]
            found.append(vectors(self._free[0], list(part), [columns] * len(part))[:, : model.config.n_classes])
        return np.concatenate(found)


@dataclass(frozen=True)
class Forms:
    """How pictures are computed: `alone` when there is one, `together` when there are several; they may be the same.

    A batch that is not full waits up to `wait_seconds` for pictures that are on their way.
    """

    alone: Form
    together: Form
    wait_seconds: float = 0.0

    def __str__(self) -> str:
        batch = "one by one" if self.together.batch == 1 else f"in batches of {self.together.batch}"
        wait = f", waiting up to {1000 * self.wait_seconds:.0f} ms for a batch to fill" if self.wait_seconds else ""
        alone = (
            "" if self.alone is self.together else f"; one alone on all processors in {self.alone.seconds * 1e3:.1f} ms"
        )
        return f"several pictures {batch}, {self.together.count} at a time{wait}{alone}"


def vectors(slot: Slot, pictures: Sequence[np.ndarray], columns: Sequence[np.ndarray | None]) -> np.ndarray:
    """Return the vectors float32 (n, length) that a slot computes for at most its batch of pictures."""
    for place, (pixels, encoded) in enumerate(zip(pictures, columns, strict=True)):
        slot.pixels[place] = pixels
        if slot.extra is not None:
            slot.extra[place] = encoded
    slot.start()
    return slot.collect()[: len(pictures)].astype(np.float32)


def choose(source: OpenVinoSource, model: Model, output: Output, precision: str, alone: Form, batch: int = 0) -> Forms:
    """Return the fastest forms of those that give the recipe's scores; compiling and measuring takes some seconds.

    Batches grow as long as that is worth it, unless `batch` says which to take. A picture waits for others as long as
    a batch takes, and not at all when batches hold one.
    """
    ends = time.perf_counter() + _BUDGET

    def compiled(size: int) -> Form:
        return Form(source.compile(output, precision, verified=True, throughput=size), model)

    recipe = compiled(recipe_batch(model))
    if not alone.gives_the_scores_of(recipe):
        log.info("model %s: scores depend on the batch, so all pictures are computed as by vision-classify", model.name)
        return Forms(recipe, recipe)
    best: Form | None = None
    for size in (batch,) if batch else _BATCHES:
        form = recipe if size == recipe.batch else compiled(size)
        if form.gives_the_scores_of(recipe):
            if best is not None and not _faster(form, best):
                break
            best = form
        if time.perf_counter() > ends:
            break
    together = best or recipe
    wait = together.seconds if together.batch > 1 else 0.0
    return Forms(alone if alone.seconds * _GAIN < together.seconds else together, together, wait)


def _faster(form: Form, than: Form) -> bool:
    """Return whether a form computes more pictures per second; they take turns, so that both see the same machine."""
    times = [(form.seconds_per_picture(), than.seconds_per_picture()) for _ in range(_REPEATS)]
    return min(new for new, _ in times) * _GAIN < min(old for _, old in times)
