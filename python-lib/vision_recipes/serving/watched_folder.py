"""A model folder that is served: a changed one is loaded beside the version in use, verified, and takes its place."""

from __future__ import annotations

import hashlib
import logging
import time

from vision_recipes.errors import VisionError
from vision_recipes.model_folder.config import CONFIG
from vision_recipes.serving.loaded_model import LoadedModel, OpenLog
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import Store, read_bytes
from vision_recipes.strict_json import MAX_BYTES

log = logging.getLogger("vision_recipes")

_PATIENCE = (2.0, 60.0)
"""Seconds until a folder that could not be loaded is tried again: the first time, and at most."""


class WatchedFolder:
    """`current` is the version that new pictures are for; `swaps` counts those that took the place of another.

    One thread calls `look`; `current` may be read by any.
    """

    def __init__(
        self, store: Store, settings: ClassifySettings, *, features: bool = False, open_log: OpenLog | None = None
    ) -> None:
        """Load the model; raises ModelFolderError, DeviceError."""
        self._store, self._settings, self._features, self._open_log = store, settings, features, open_log
        self._seen = self._digest()
        self.current = self._load()
        self.swaps = 0
        self._failed, self._problem, self._try_at, self._patience = "", "", 0.0, _PATIENCE[0]

    def tune(self) -> None:
        """Choose how the version in use computes; it goes on as it is when that fails."""
        try:
            self.current.tune()
        except Exception:  # engines raise anything
            log.exception("model folder %s: only one picture is computed at a time", self._store.name)

    def look(self) -> LoadedModel | None:
        """Load the folder if its config.json is another than that in use; return the version that was replaced."""
        digest = self._digest()
        if digest in ("", self._seen) or (digest == self._failed and time.monotonic() < self._try_at):
            return None
        try:
            loaded = self._load()
            loaded.tune(like=self.current)
        except Exception as err:  # engines raise anything; the model in use is untouched
            self._postpone(digest, str(err) if isinstance(err, VisionError) else f"{type(err).__name__}: {err}")
            return None
        before, self.current, self._seen = self.current, loaded, digest
        self.swaps += 1
        self._failed = self._problem = ""
        words = (before.model.name, before.model.folder_hash[:8], loaded.model.name, loaded.model.folder_hash[:8])
        log.info("model folder %s: %s (%s) was replaced by %s (%s)", self._store.name, *words)
        return before

    def _load(self) -> LoadedModel:
        return LoadedModel(self._store, self._settings, features=self._features, open_log=self._open_log)

    def _digest(self) -> str:
        """Return a hash of config.json, which a model is written with last; "" when it cannot be read."""
        try:
            return hashlib.sha256(read_bytes(self._store, "/" + CONFIG, MAX_BYTES)).hexdigest()
        except OSError:
            return ""

    def _postpone(self, digest: str, problem: str) -> None:
        """Try again later, as files may still be on their way; the log says each problem once."""
        if problem != self._problem:
            words = "model folder %s has changed and cannot be used, so the model before is used further: %s"
            log.warning(words, self._store.name, problem)
        self._patience = min(_PATIENCE[1], 2 * self._patience) if digest == self._failed else _PATIENCE[0]
        self._failed, self._problem, self._try_at = digest, problem, time.monotonic() + self._patience
