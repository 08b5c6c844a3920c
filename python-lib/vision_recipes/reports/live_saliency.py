"""Saliency maps of pictures that are posted: the network is loaded in the background when it is first needed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from vision_recipes.dataset.column_encoding import encode
from vision_recipes.errors import PictureFolderError, VisionError
from vision_recipes.images.decoding import LIMITS, Limits
from vision_recipes.images.picture_decoder import PictureDecoder
from vision_recipes.inference.saliency import HiResCam
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.spec import require_keras
from vision_recipes.pictures import REASONS
from vision_recipes.reports import overlays, saliency_maps
from vision_recipes.settings import ComputeSettings

log = logging.getLogger("vision_recipes")


@dataclass(frozen=True)
class Drawn:
    """The map of a picture: a JPEG of the tinted picture, the number of the label it explains, and it in words."""

    jpeg: bytes
    label: int
    words: str


class LiveSaliency:
    """A model's saliency maps, one at a time. Scoring goes on meanwhile, also while the network is loaded."""

    def __init__(self, model: Model, limits: Limits = LIMITS) -> None:
        self._model = model
        self._shown = PictureDecoder(overlays.shown_as(), limits)
        self._seen = PictureDecoder(model.preprocessing, limits)
        self._network: HiResCam | None = None
        self._failure: Exception | None = None
        self._loading: threading.Thread | None = None
        self._starting, self._drawing = threading.Lock(), threading.Lock()

    def is_ready(self) -> bool:
        """Return whether maps can be drawn now; if not, loading has begun. Raises VisionError where it never can."""
        require_keras(self._model, "a saliency map", "Only networks that were made with Keras can be explained.")
        with self._starting:
            if self._failure is not None:
                failure, self._failure, self._loading = self._failure, None, None
                raise failure
            if self._loading is None:
                self._loading = threading.Thread(target=self._load, name="saliency", daemon=True)
                self._loading.start()
        return self._network is not None

    def draw(self, content: bytes, label: int | None, cells: Mapping[str, Any]) -> Drawn:
        """Return the map of a picture for a label, None for the predicted one; call it when `is_ready`.

        Raises PictureFolderError for a picture that cannot be read.
        """
        assert self._network is not None
        columns = self._model.extra_columns
        with self._drawing:
            seen, shown = (decoder.picture("", partial(bytes, content)) for decoder in (self._seen, self._shown))
            if seen.pixels is None:
                raise PictureFolderError(f"This is no picture that can be explained: {REASONS[seen.reason]}.")
            extra = encode(columns, cells)[None] if columns else None
            (found,) = self._network.maps(seen.pixels[None], label, extra)
        saliency = saliency_maps.enlarge(found.values, *seen.pixels.shape[:2])
        pixels, aligned = seen.pixels, saliency
        if shown.pixels is not None:
            pixels = shown.pixels
            aligned = overlays.align(saliency, pixels.shape[:2], self._model.preprocessing)
        words = in_words(saliency_maps.describe(saliency))
        return Drawn(overlays.tinted_jpeg(pixels, aligned), found.label, words)

    def _load(self) -> None:
        try:
            self._network = HiResCam(self._model, ComputeSettings(use_gpu="false"))
        except VisionError as err:
            self._failure = err
        except Exception as err:
            log.exception("the network for saliency maps could not be loaded")
            self._failure = PictureFolderError(f"Saliency maps cannot be drawn here: {type(err).__name__}: {err}")


def in_words(figures: Mapping[str, float]) -> str:
    """Return in a sentence where the saliency lies; `figures` are those of saliency_maps.describe."""
    if not figures:
        return saliency_maps.NO_SALIENCY.capitalize() + "."
    across, down = figures["centre_x"], figures["centre_y"]
    row = "upper" if down < 0.4 else "lower" if down > 0.6 else ""
    side = "left" if across < 0.4 else "right" if across > 0.6 else ""
    where = f"its {row} {side}".replace("  ", " ").strip() if row and side else ""
    where = where or (f"its {row} part" if row else f"its {side} side" if side else "its middle")
    return f"Half of the evidence lies in {100 * figures['extent']:.0f} % of the picture, around {where}."
