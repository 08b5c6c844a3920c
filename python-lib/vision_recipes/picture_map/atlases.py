"""Thumbnails in atlases: many small pictures in one WEBP, as large and as good as a number of bytes allows."""

from __future__ import annotations

import io
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, WebPImagePlugin

from vision_recipes.dataset.mapped_arrays import RowWriter
from vision_recipes.dataset.path_matching import match_paths
from vision_recipes.images.reading import read
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import Store
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

_WIDTH = 2048
"""At most so many pixels wide and high is an atlas."""
_BYTES = {128: 3000, 96: 1900, 80: 1400, 64: 950, 56: 750, 48: 570, 40: 420, 32: 300}
"""Sides of a thumbnail in pixels, with the bytes that one of a photo takes at the middle quality."""
_QUALITIES = (72, 60, 48, 36, 24, 12)
_FEWEST_BYTES = 220


@dataclass(frozen=True)
class Atlases:
    """Thumbnails of the pictures `rows`, in order: `side` is that of a tile, `sizes` the pixels in it, uint8 (m, 2).

    Each of `files` holds `per_row` times as many tiles, row by row. `unreadable` counts the pictures without one, by
    reason.
    """

    side: int = 0
    per_row: int = 0
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    sizes: np.ndarray = field(default_factory=lambda: np.empty((0, 2), np.uint8))
    files: Sequence[bytes] = ()
    unreadable: Counter[str] = field(default_factory=Counter)


def make_atlases(store: Store, paths: Sequence[str], rows: np.ndarray, limit: int, workdir: Path) -> Atlases:
    """Return thumbnails of the pictures `rows` that take at most `limit` bytes in all; fewer where so many do not fit.

    Each file is read once and decoded at a small size.
    """
    rows = _evenly(rows, max(0, limit // _FEWEST_BYTES))
    side = next((side for side, size in _BYTES.items() if 0.8 * size * len(rows) <= limit), min(_BYTES))
    found = match_paths(store.paths(), [paths[row] for row in rows])
    present = [(int(row), path) for row in rows if (path := found.find(paths[row])) is not None]
    unreadable = Counter({"missing": len(rows) - len(present)}) if len(present) < len(rows) else Counter[str]()
    tiles, shown, sizes = RowWriter(workdir / "tiles"), [], []
    pictures = read(store, [path for _, path in present], Preprocessing(side, side, resize="inside"))
    for (row, _), picture in zip(present, pictures, strict=True):
        if picture.pixels is None:
            unreadable[picture.reason] += 1
            continue
        height, width = picture.pixels.shape[:2]
        tiles.append(np.pad(picture.pixels, ((0, side - height), (0, side - width), (0, 0)), mode="edge"))
        shown.append(row)
        sizes.append((width, height))
    array = tiles.array()
    log.info("made thumbnails of %s, %d could not be read", counted(len(shown), "picture"), unreadable.total())
    return _fitted(array, np.array(shown, np.int64), np.array(sizes, np.uint8).reshape(-1, 2), unreadable, limit)


def _evenly(rows: np.ndarray, most: int) -> np.ndarray:
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)] if most else rows[:0]


def _fitted(tiles: np.ndarray, rows: np.ndarray, sizes: np.ndarray, unreadable: Counter[str], limit: int) -> Atlases:
    """Return the atlases with the largest tiles and best quality that fit; of fewer pictures when even none does."""
    if not len(rows):
        return Atlases(unreadable=unreadable)
    whole = tiles.shape[1]
    for side in (side for side in _BYTES if side <= whole):
        for quality in _QUALITIES:
            files, used = [], 0
            for sheet in _sheets(tiles, side):
                files.append(_webp(sheet, quality))
                used += len(files[-1])
                if used > limit:
                    break
            else:
                scaled = np.maximum(1, np.rint(sizes * (side / whole))).astype(np.uint8)
                return Atlases(side, _WIDTH // side, rows, scaled, files, unreadable)
            if used > 1.6 * limit and len(files) == 1:
                break
    half = np.arange(0, len(rows), 2)
    return _fitted(tiles[half], rows[half], sizes[half], unreadable, limit) if len(rows) > 1 else Atlases()


def _sheets(tiles: np.ndarray, side: int) -> Iterator[Image.Image]:
    """Yield the atlases with tiles of a side, each no higher than its tiles need."""
    per_row = _WIDTH // side
    for start in range(0, len(tiles), per_row * per_row):
        part = tiles[start : start + per_row * per_row]
        lines = -(-len(part) // per_row)
        across = per_row if lines > 1 else len(part)
        sheet = Image.new("RGB", (across * side, lines * side))
        for number, tile in enumerate(part):
            image = Image.fromarray(tile)
            image = image if image.width == side else image.resize((side, side), Image.Resampling.BOX)
            sheet.paste(image, (number % per_row * side, number // per_row * side))
        yield sheet


def _webp(sheet: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    sheet.save(stream, WebPImagePlugin.WebPImageFile.format, quality=quality, method=4)
    return stream.getvalue()
