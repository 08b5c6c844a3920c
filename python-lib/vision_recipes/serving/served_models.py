"""The models that a process serves: pictures go in as bytes or pixels, each answer comes in a future."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any

import numpy as np

from vision_recipes.images.reading import cpu_count
from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import ExtraColumn
from vision_recipes.serving import heap
from vision_recipes.serving.loaded_model import LoadedModel, OpenLog
from vision_recipes.serving.picture_queue import Overloaded, PictureQueue, Request, ScoringFailed
from vision_recipes.serving.picture_threads import Observer, PictureThreads
from vision_recipes.serving.scorer import Scored
from vision_recipes.serving.serving_limits import SERVING_LIMITS, ServingLimits
from vision_recipes.serving.watched_folder import WatchedFolder
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import Store

__all__ = ["Overloaded", "ScoringFailed", "ServedModel", "ServedModels"]

log = logging.getLogger("vision_recipes")

_LOOK = 2.0
"""Seconds between two looks at the model folders."""


class ServedModel:
    """A model under its name, whichever version of it is served. Thread-safe."""

    def __init__(self, name: str, folder: WatchedFolder, queue: PictureQueue) -> None:
        self.name = name
        self.ready = True
        self._folder, self._queue = folder, queue

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in output order, made unique."""
        return self._folder.current.model.label_keys

    @property
    def version(self) -> str:
        """A hash of all that determines the scores."""
        return self._folder.current.model.folder_hash

    @property
    def width(self) -> int:
        """The width of pictures as the network takes them, in pixels."""
        return self._folder.current.model.preprocessing.width

    @property
    def height(self) -> int:
        """The height of pictures as the network takes them, in pixels."""
        return self._folder.current.model.preprocessing.height

    @property
    def extra_columns(self) -> tuple[ExtraColumn, ...]:
        """The table columns that the network takes beside a picture; empty for most."""
        return self._folder.current.model.extra_columns

    @property
    def swaps(self) -> int:
        """How often a changed folder took the place of the version before."""
        return self._folder.swaps

    def submit(self, content: bytes, extra: Mapping[str, Any] | None = None) -> Future[Scored]:
        """Return the future answer for a file's bytes; `extra` are the cells of its table columns.

        Raises Overloaded when too many wait. The future's own error is ScoringFailed.
        """
        request = Request(self._folder.current, content, extra)
        self._queue.add(request)
        return request.future

    def submit_pixels(self, pixels: np.ndarray, extra: Mapping[str, Any] | None = None) -> Future[Scored]:
        """Return the future answer for a decoded picture, uint8 (height, width, 3) RGB of the network's size.

        Raises ValueError for other pixels, Overloaded when too many wait.
        """
        loaded = self._folder.current
        shape = (loaded.model.preprocessing.height, loaded.model.preprocessing.width, 3)
        if pixels.shape != shape or pixels.dtype != np.uint8:
            raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}; this model takes uint8 {shape}")
        request = Request(loaded, picture=Picture("", pixels), columns=loaded.answers.encoded(extra))
        request.future.set_running_or_notify_cancel()
        self._queue.add(request)
        return request.future


class ServedModels:
    """Several models by name, which share one queue and the threads that decode and compute."""

    def __init__(
        self,
        folders: Mapping[str, Store],
        settings: ClassifySettings = ClassifySettings(),  # noqa: B008 - frozen
        *,
        features: bool = False,
        limits: ServingLimits = SERVING_LIMITS,
        open_log: OpenLog | None = None,
    ) -> None:
        """Open and verify every model; raises ModelFolderError, DeviceError.

        `features` asks for those in every answer. `open_log` opens what keeps something of each answer.
        """
        heap.keep_small()
        self._folders = [
            WatchedFolder(store, settings, features=features, open_log=open_log) for store in folders.values()
        ]
        self._queue = PictureQueue(limits, ahead=4 * cpu_count())
        self._models = {
            name: ServedModel(name, folder, self._queue) for name, folder in zip(folders, self._folders, strict=True)
        }
        self._threads = PictureThreads(self._queue, limits.picture)
        self._ended = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="model-folders", daemon=True)
        self._watching.start()

    def names(self) -> list[str]:
        """Return the names of the models, in the order given."""
        return list(self._models)

    def get(self, name: str) -> ServedModel:
        """Return a model by its name; raises KeyError."""
        return self._models[name]

    def waiting(self) -> int:
        """Return how many pictures are accepted and not answered."""
        return len(self._queue)

    def observe(self, observer: Observer) -> None:
        """Have an observer see the seconds of each stage and the sizes of batches from now on."""
        self._threads.observe = observer

    def close(self, grace_seconds: float = 20.0) -> None:
        """Take no more pictures, answer the accepted ones within the grace time, and end."""
        self._ended.set()
        self._queue.refuse()
        self._queue.wait_until_empty(grace_seconds)
        for request in self._queue.end():
            if self._queue.close_request(request):
                with suppress(InvalidStateError):  # nobody waits for it any more
                    request.future.set_exception(ScoringFailed("The server ended before this picture was answered."))
        self._threads.end(1.0)
        self._watching.join(grace_seconds)
        for folder in self._folders:
            folder.current.close()

    def _watch(self) -> None:
        """Choose the forms of the models, which answer already, then look at their folders until the end."""
        for folder in self._folders:
            folder.tune()
        heap.trim()
        replaced: list[LoadedModel] = []
        while not self._ended.wait(_LOOK):
            replaced += [before for folder in self._folders if (before := folder.look()) is not None]
            replaced = [loaded for loaded in replaced if not self._closed(loaded)]

    def _closed(self, loaded: LoadedModel) -> bool:
        """Close a version that was replaced and return True, unless it has pictures to answer."""
        if self._queue.holds(loaded):
            return False
        loaded.close()
        heap.trim()
        return True
