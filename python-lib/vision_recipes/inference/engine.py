"""A network ready to run: pictures go in, each comes out with its vector, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.pictures import Picture

_GROUP = 16
"""A batch goes off half empty once this many times its size in pictures without pixels have joined it."""


class Network(Protocol):
    """A compiled network with a few slots, each a batch on its way.

    `pixels[slot]` is uint8 (batch, height, width, 3), written by the caller; `extra[slot]` float32 (batch, columns).
    A vector has `length` numbers.
    """

    batch: int
    length: int
    pixels: list[np.ndarray]
    extra: list[np.ndarray]

    def start(self, slot: int) -> None:
        """Send a slot's batch off; it may not be written to until it was collected."""

    def ready(self, slot: int) -> bool:
        """Return whether a slot's batch is computed, so that `collect` will not wait."""

    def collect(self, slot: int) -> np.ndarray:
        """Wait for a slot's batch and return its vectors, (batch, length); valid until the slot starts again."""


@dataclass
class _Group:
    """The pictures of a batch, and those without pixels that stand between them."""

    slot: int
    pictures: list[Picture] = field(default_factory=list)
    filled: int = 0


@dataclass
class Engine:
    """A network that was checked against its model's own answers.

    `name` is "openvino" or "keras"; `precision` is what is really computed in.
    """

    name: str
    precision: str
    device: str
    network: Network

    def run(
        self, pictures: Iterable[Picture], extra: Callable[[Picture], np.ndarray] | None = None
    ) -> Iterator[tuple[Picture, np.ndarray | None]]:
        """Yield every picture with its float32 vector, in order; None for a picture without pixels.

        `extra` gives the standardised table columns of a picture, for networks that take some. It holds few batches.
        """
        free = list(range(len(self.network.pixels)))
        started: deque[_Group] = deque()
        group: _Group | None = None
        for picture in pictures:
            while started and (not started[0].filled or self.network.ready(started[0].slot)):
                yield from self._finish(started.popleft(), free)
            if group is None:
                if not free:
                    yield from self._finish(started.popleft(), free)
                group = _Group(free.pop())
            self._add(group, picture, extra)
            if group.filled == self.network.batch or len(group.pictures) >= _GROUP * self.network.batch:
                self._send(group, started)
                group = None
        if group is not None:
            self._send(group, started)
        while started:
            yield from self._finish(started.popleft(), free)

    def _add(self, group: _Group, picture: Picture, extra: Callable[[Picture], np.ndarray] | None) -> None:
        group.pictures.append(picture)
        if picture.pixels is None:
            return
        self.network.pixels[group.slot][group.filled] = picture.pixels
        if self.network.extra:
            if extra is None:
                raise ModelFolderError(
                    "This model was trained with columns of a table beside the pictures: give that table as well."
                )
            self.network.extra[group.slot][group.filled] = extra(picture)
        group.filled += 1

    def _send(self, group: _Group, started: deque[_Group]) -> None:
        if group.filled:
            self.network.start(group.slot)
        started.append(group)

    def _finish(self, group: _Group, free: list[int]) -> Iterator[tuple[Picture, np.ndarray | None]]:
        vectors = np.empty((0,), np.float32)
        if group.filled:
            vectors = self.network.collect(group.slot)[: group.filled].astype(np.float32)
            if not np.isfinite(vectors).all():
                raise ModelFolderError(
                    f"The network's answers are not finite numbers with {self.name} in {self.precision} "
                    f"(first picture of the batch: {group.pictures[0].path}). Set the precision to float32."
                )
        free.append(group.slot)
        row = 0
        for picture in group.pictures:
            if picture.pixels is None:
                yield picture, None
            else:
                yield picture, vectors[row]
                row += 1
