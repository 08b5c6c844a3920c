"""An engine's answers held against those that came with the model; what passed once on a machine is remembered."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.inference.engine import Engine
from vision_recipes.pictures import Picture

if TYPE_CHECKING:
    from vision_recipes.model_folder import Check, Model

log = logging.getLogger("vision_recipes")

_TIE = 0.98
"""Two labels are equally good when the model's own probability of one is at least this part of the other's."""


def verify(engine: Engine, model: Model) -> None:
    """Raise ModelFolderError when the engine does not give the model's own answers for its check pictures.

    In float32 no probability may move by more than a check allows; in a lower one each best label must be as good.
    """
    check = model.check
    pictures = [Picture(f"check picture {number}", pixels) for number, pixels in enumerate(check.pictures)]
    head = model.config.head
    extra = np.zeros(head.extra_width if head else 0, np.float32)
    scored = engine.run(pictures, lambda picture: extra)
    scores = np.stack([vector for _, vector in scored if vector is not None])
    where = f"{engine.name} in {engine.precision} on {engine.device}, for model {model.name!r},"
    if engine.precision == "float32":
        check.require(scores, where)
    elif not _same_labels(check, scores):
        raise ModelFolderError(
            f"{where} gives other best labels than the model gave when it was made; a probability differs by up to "
            f"{check.difference(scores):.2g}. Set the precision to auto or float32."
        )


def _same_labels(check: Check, scores: np.ndarray) -> bool:
    if scores.shape != check.scores.shape or not np.isfinite(scores).all():
        return False
    rows = np.arange(len(scores))
    chosen = check.scores[rows, scores.argmax(axis=1)]
    return bool((chosen >= _TIE * check.scores.max(axis=1)).all())


class Remembered:
    """Notes, in the user's cache folder, of which model passed on which engine, version and processor."""

    def __init__(self, *circumstances: str) -> None:
        name = hashlib.sha256("\n".join(circumstances).encode()).hexdigest()
        self._note: Path | None = None
        with suppress(OSError, RuntimeError, ImportError):
            import platformdirs

            self._note = platformdirs.user_cache_path("vision-recipes", appauthor=False) / "verified" / name

    def __bool__(self) -> bool:
        with suppress(OSError):
            return self._note is not None and self._note.is_file()
        return False

    def keep(self) -> None:
        """Remember; without a folder to write to, the next run checks again."""
        if self._note is not None:
            try:
                self._note.parent.mkdir(parents=True, exist_ok=True)
                self._note.touch()
            except OSError as err:
                log.debug("what was verified cannot be remembered: %s", err)
