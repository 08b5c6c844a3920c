"""A file's bytes to a Picture: the one way for files of a folder and for pictures that are posted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import numpy as np

from vision_recipes.images.decoding import LIMITS, Limits, Rejected, decode, repaired
from vision_recipes.images.formats import sniff
from vision_recipes.pictures import REASONS, Picture
from vision_recipes.preprocessing import Preprocessing

if TYPE_CHECKING:
    from vision_recipes.images.decoder_process import DecoderProcess

Lookup = Callable[[Picture], np.ndarray | None]
"""Returns the cached result of a picture whose `digest` is known, float32 (length,), or None; called by any thread."""

_CONTAINED = ("TIFF", "WEBP", "GIF", "BMP", "AVIF", "HEIF")
"""Formats decoded outside the job's process; the decoders of JPEG and PNG are plain and the best tested of all."""


class PictureDecoder:
    """Decodes for one thread at a time; risky formats in a process of its own, which starts when first needed.

    A picture that `lookup` finds has its result as `cached`, and is decoded only if `decode_cached` has its path.
    """

    def __init__(
        self,
        preprocessing: Preprocessing,
        limits: Limits = LIMITS,
        lookup: Lookup | None = None,
        decode_cached: Collection[str] = (),
    ) -> None:
        self._preprocessing, self._limits = preprocessing, limits
        self._lookup, self._decode_cached = lookup, decode_cached
        self._process: DecoderProcess | None = None

    def picture(self, path: str, content: Callable[[], bytes], preprocessing: Preprocessing | None = None) -> Picture:
        """Return the picture of a file, with pixels at the preprocessing's size, a cached result, or a reason.

        `content` is called once for the file's bytes; whatever it raises becomes a reason. `preprocessing` stands for
        this picture in place of the decoder's own.
        """
        picture = Picture(path)
        try:
            self._fill(picture, content(), preprocessing or self._preprocessing)
        except Rejected as err:
            picture.reason, picture.detail = err.reason, err.detail
        except FileNotFoundError as err:
            picture.reason, picture.detail = "missing", str(err)
        except Exception as err:  # storages raise anything; one file never ends the job
            named = getattr(err, "reason", None)  # set by our own stores; in other errors it means other things
            picture.reason = named if isinstance(named, str) and named in REASONS else "unreadable"
            picture.detail = f"{type(err).__name__}: {err}"
        return picture

    def close(self) -> None:
        """End the process of risky formats."""
        if self._process is not None:
            self._process.close()

    def _fill(self, picture: Picture, content: bytes, preprocessing: Preprocessing) -> None:
        if len(content) > self._limits.file_bytes:
            raise Rejected("too_large", f"more than {self._limits.file_bytes} bytes")
        picture.digest = hashlib.sha256(content).hexdigest()
        if self._lookup is not None:
            picture.cached = self._lookup(picture)
        if picture.cached is None or picture.path in self._decode_cached:
            self._decode(picture, content, preprocessing)

    def _decode(self, picture: Picture, content: bytes, preprocessing: Preprocessing) -> None:
        """Give a picture its pixels; raises Rejected."""
        if _risky(content, self._limits):
            picture.pixels = self._own_process().decode(content, preprocessing)
            return
        try:
            picture.pixels = decode(content, preprocessing, self._limits)
        except Rejected as err:
            whole = repaired(content, self._limits) if err.reason == "truncated" else None
            if whole is None:
                raise
            picture.pixels = decode(whole, preprocessing, self._limits)
            picture.repaired = True

    def _own_process(self) -> DecoderProcess:
        if self._process is None:
            from vision_recipes.images.decoder_process import DecoderProcess

            self._process = DecoderProcess(self._limits)
        return self._process


def _risky(content: bytes, limits: Limits) -> bool:
    """Return whether a file is decoded in a process of its own; the whole of a JPEG is only searched if it has scans
    after the first, of which decoders read nothing otherwise."""
    name = sniff(content)
    if name != "JPEG":
        return name in _CONTAINED
    from vision_recipes.images.jpeg_end import several_scans

    return several_scans(content) and content.count(b"\xff\xda") > limits.scans
