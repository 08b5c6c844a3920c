"""Thumbnails for the report: decoded as all pictures are and encoded anew, so that no byte of a file is copied."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vision_recipes.images.reading import read
from vision_recipes.images.webp import encode_webp
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import Store

SIDE = 176
"""The longer side, in pixels."""


@dataclass(frozen=True)
class Thumbnail:
    """A small picture for HTML: a data URI and its size; `digest` is the SHA-256 of the whole file."""

    source: str
    width: int
    height: int
    digest: str = ""


def make_thumbnails(store: Store | None, paths: Iterable[str]) -> dict[str, Thumbnail]:
    """Return thumbnails by path, of the paths that are in the folder and can be read."""
    if store is None:
        return {}
    listed = set(store.paths())
    present = [path for path in dict.fromkeys(paths) if path in listed]
    return {
        picture.path: encode(picture.pixels, picture.digest)
        for picture in read(store, present, Preprocessing(SIDE, SIDE, resize="inside"))
        if picture.pixels is not None
    }


def encode(pixels: np.ndarray, digest: str = "") -> Thumbnail:
    """Return pixels uint8 (height, width, 3) as a thumbnail of their own size."""
    content = base64.b64encode(encode_webp(pixels)).decode()
    return Thumbnail(f"data:image/webp;base64,{content}", pixels.shape[1], pixels.shape[0], digest)
