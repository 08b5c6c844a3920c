"""The models that a process serves: pictures go in as bytes or pixels, each answer comes in a future."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any

import numpy as np

from vision_recipes.errors import VisionError
from vision_recipes.model_folder import Model, open_model
from vision_recipes.preprocessing import ExtraColumn
from vision_recipes.serving.scorer import Scored, Scorer
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import Store


class Overloaded(Exception):
    """No more pictures are taken at the moment: the queue is full, or the server ends."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"busy: try again in {retry_after_seconds:.1f} s")
        self.retry_after_seconds = retry_after_seconds


class ScoringFailed(VisionError):
    """The network gave no answer for a picture; the next one may be answered."""


class ServedModel:
    """A model under its name. Thread-safe."""

    def __init__(self, name: str, model: Model, settings: ClassifySettings, *, features: bool = False) -> None:
        self.name = name
        self.ready = True
        self._model = model
        self._scorer = Scorer(model, settings, features=features)
        self._pool = ThreadPoolExecutor(1)
        self._room = BoundedSemaphore(64)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in output order, made unique."""
        return self._model.label_keys

    @property
    def version(self) -> str:
        """A hash of all that determines the answers."""
        return self._model.folder_hash

    @property
    def width(self) -> int:
        """The width of pictures as the network takes them, in pixels."""
        return self._model.preprocessing.width

    @property
    def height(self) -> int:
        """The height of pictures as the network takes them, in pixels."""
        return self._model.preprocessing.height

    @property
    def extra_columns(self) -> tuple[ExtraColumn, ...]:
        """The table columns that the network takes beside a picture; empty for most."""
        return self._model.extra_columns

    def submit(self, content: bytes, extra: Mapping[str, Any] | None = None) -> Future[Scored]:
        """Return the future answer for a file's bytes; `extra` are the cells of its table columns.

        Raises Overloaded when the queue is full. The future's own error is ScoringFailed.
        """
        if not self._room.acquire(blocking=False):
            raise Overloaded(1.0)
        future = self._pool.submit(lambda: self._scorer.score([content], [extra])[0])
        future.add_done_callback(lambda _future: self._room.release())
        return future

    def submit_pixels(self, pixels: np.ndarray, extra: Mapping[str, Any] | None = None) -> Future[Scored]:
        """Return the future answer for a decoded picture, uint8 (height, width, 3) RGB of the network's size.

        Raises ValueError for other pixels, Overloaded when the queue is full.
        """
        if pixels.shape != (self.height, self.width, 3) or pixels.dtype != np.uint8:
            raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}, not uint8 {(self.height, self.width, 3)}")
        import io

        from PIL import Image

        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        return self.submit(stream.getvalue(), extra)

    def close(self) -> None:
        """End the threads, once what was accepted is answered."""
        self._pool.shutdown(wait=True)
        self._scorer.close()


class ServedModels:
    """Several models by name, which share the processor."""

    def __init__(
        self,
        folders: Mapping[str, Store],
        settings: ClassifySettings = ClassifySettings(),  # noqa: B008 - frozen
        *,
        features: bool = False,
    ) -> None:
        """Open and verify every model; raises ModelFolderError, DeviceError."""
        self._models = {
            name: ServedModel(name, open_model(store), settings, features=features) for name, store in folders.items()
        }

    def names(self) -> list[str]:
        """Return the names of the models, in the order given."""
        return list(self._models)

    def get(self, name: str) -> ServedModel:
        """Return a model by its name; raises KeyError."""
        return self._models[name]

    def close(self, grace_seconds: float = 20.0) -> None:
        """Take no more pictures, answer the accepted ones within the grace time, and end."""
        for model in self._models.values():
            model.close()
