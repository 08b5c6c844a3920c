"""The model that lies in a folder now: opened again, with all that stands on it, when a training has replaced it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from vision_recipes.model_folder import Model, open_model
from vision_recipes.model_folder.config import CONFIG
from vision_recipes.stores import Store, read_bytes
from vision_recipes.strict_json import MAX_BYTES

log = logging.getLogger("vision_recipes")
Opened = TypeVar("Opened")


class CurrentModel(Generic[Opened]):
    """What `prepare` makes of the model in a folder, made anew when its config.json has changed."""

    def __init__(self, store: Store, prepare: Callable[[Model], Opened]) -> None:
        """Open the model; raises ModelFolderError, DeviceError."""
        self._store, self._prepare = store, prepare
        self._lock = threading.Lock()
        self._config = self._read()
        self._opened = prepare(open_model(store))

    def get(self) -> Opened:
        """Return what stands on the model of now; raises ModelFolderError while the folder holds none."""
        with self._lock:
            config = self._read()
            if config is None or config != self._config:
                self._opened, self._config = self._prepare(open_model(self._store)), config
                log.info("the model in %s has changed; the new one is used from now on", self._store.name)
            return self._opened

    def _read(self) -> bytes | None:
        try:
            return read_bytes(self._store, "/" + CONFIG, MAX_BYTES)
        except OSError:
            return None
