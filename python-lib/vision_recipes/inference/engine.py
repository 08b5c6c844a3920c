"""A network ready to run: pictures go in, each comes out with its vector, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.config import POOLED
from vision_recipes.pictures import Picture

SCORES = "scores"
FEATURES = "features"
SCORES_AND_FEATURES = "scores and features"
"""The scores, and after them the pooled features: of a network with a head of its own, those that it was made for."""
SEVERAL_FEATURES = "features of several layers"
"""The feature layer, pooled, and after it the means and maxima of the inner layers (model_folder.inner_layers)."""

_LONGEST = 16
"""A batch is sent off half empty once this many times its size in pictures without pixels have joined it."""


@dataclass(frozen=True)
class Part:
    """A piece of a network's output vector: `result` is its name in the IR, `layer` in Keras, empty for the scores.

    `pooling` turns spatial values into a vector: "avg", "max" or "none" (flattened, channels last).
    """

    result: str = SCORES
    layer: str = ""
    pooling: str = "avg"


Output = tuple[Part, ...]
"""What an engine computes: the vectors of its parts, one after the other."""

THE_SCORES: Output = (Part(),)


def find_output(model: Model, output: str | int, pooling: str) -> Output:
    """Return an output of a model by its name (SCORES, FEATURES …) or by a layer's index."""
    if output == SCORES:
        return THE_SCORES
    if output == SCORES_AND_FEATURES:
        pooled = model.config.layer_named(POOLED) if model.config.head else model.feature_layer
        return (*THE_SCORES, Part(pooled.output, pooled.name))
    if output == SEVERAL_FEATURES:
        from vision_recipes.model_folder.inner_layers import inner_layers

        inner = inner_layers(model.layers, model.feature_layer)
        pooled_twice = (Part(layer.output, layer.name, kind) for layer in inner for kind in ("avg", "max"))
        return (Part(model.feature_layer.output, model.feature_layer.name, pooling), *pooled_twice)
    layer = model.feature_layer if output == FEATURES else model.layer(int(output))
    return (Part(layer.output, layer.name, pooling),)


class Slot(Protocol):
    """Room for one batch on its way through a network.

    `pixels` is uint8 (batch, height, width, 3), `extra` float32 (batch, columns), None for a network without table
    columns. Both are written by the caller, and not again between `start` and `collect`.
    """

    pixels: np.ndarray
    extra: np.ndarray | None

    def start(self) -> None:
        """Begin to compute the batch."""

    def ready(self) -> bool:
        """Return whether the batch is computed, so that `collect` will not wait."""

    def collect(self, seconds: float | None = None) -> np.ndarray:
        """Wait for the batch and return its vectors, (batch, length); valid until the slot starts again.

        Raises TimeoutError when it takes longer than `seconds`.
        """


@dataclass
class _Batch:
    """The pictures of a slot, with those without pixels that stand between them; `filled` of them have pixels."""

    slot: Slot
    pictures: list[Picture] = field(default_factory=list)
    filled: int = 0

    def add(self, picture: Picture, extra: Callable[[Picture], np.ndarray] | None) -> None:
        self.pictures.append(picture)
        if picture.pixels is None or picture.cached is not None:
            return
        self.slot.pixels[self.filled] = picture.pixels
        if self.slot.extra is not None:
            if extra is None:
                raise ModelFolderError(
                    "This model was trained with columns of a table beside the pictures: give that table as well."
                )
            self.slot.extra[self.filled] = extra(picture)
        self.filled += 1


@dataclass
class Engine:
    """A compiled network, with slots that take a batch each; `length` is that of a vector.

    `name` is "openvino" or "keras"; `precision` is what is really computed in.
    """

    name: str
    precision: str
    device: str
    length: int
    slots: list[Slot]

    def run(
        self,
        pictures: Iterable[Picture],
        extra: Callable[[Picture], np.ndarray] | None = None,
        *,
        seconds: float | None = None,
    ) -> Iterator[tuple[Picture, np.ndarray | None]]:
        """Yield every picture with its float32 vector, in order: computed, or its cached one; None with a reason.

        `extra` gives the standardised table columns of a picture, for networks that take some. It holds few batches.
        Raises TimeoutError when it has to wait for a batch for longer than `seconds`.
        """
        free, started, size = list(self.slots), deque[_Batch](), len(self.slots[0].pixels)
        batch: _Batch | None = None
        for picture in pictures:
            if batch is None:
                while started and (not started[0].filled or started[0].slot.ready()):
                    yield from self._collect(started.popleft(), free, seconds)
                if not free:
                    yield from self._collect(started.popleft(), free, seconds)
                batch = _Batch(free.pop())
            batch.add(picture, extra)
            if batch.filled == size or len(batch.pictures) >= _LONGEST * size:
                if batch.filled:
                    batch.slot.start()
                started.append(batch)
                batch = None
        if batch is not None:
            if batch.filled:
                batch.slot.start()
            started.append(batch)
        while started:
            yield from self._collect(started.popleft(), free, seconds)

    def _collect(
        self, batch: _Batch, free: list[Slot], seconds: float | None
    ) -> list[tuple[Picture, np.ndarray | None]]:
        vectors = iter(())
        if batch.filled:
            values = batch.slot.collect(seconds)[: batch.filled].astype(np.float32)
            if not np.isfinite(values).all():
                raise ModelFolderError(
                    f"The network's answers are not finite numbers with {self.name} in {self.precision} "
                    f"(first picture of the batch: {batch.pictures[0].path}). Set the precision to float32."
                )
            vectors = iter(values)
        free.append(batch.slot)
        return [
            (picture, next(vectors) if picture.pixels is not None and picture.cached is None else picture.cached)
            for picture in batch.pictures
        ]
