"""Photos to measure with: those of a folder, re-encoded to one size, or drawn ones where there are none."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path

import numpy as np
from PIL import Image

from sample_pictures.drawing import draw

SIZE = (470, 400)
LARGE = (4000, 3000)


def make_photos(target: Path, number: int, source: Path | None) -> None:
    """Write `number` different JPEGs of SIZE into target/x."""
    folder = target / "x"
    folder.mkdir(parents=True, exist_ok=True)
    for place, image in zip(range(number), _images(source), strict=False):
        image.resize(SIZE, Image.Resampling.BILINEAR).save(folder / f"photo_{place:05}.jpg", quality=88)


def make_large_photos(target: Path, number: int, source: Path | None) -> None:
    """Write `number` JPEGs of 12 megapixels, as phones take them, with the grain of a sensor."""
    target.mkdir(parents=True, exist_ok=True)
    grain = np.random.default_rng(0).normal(0, 6, (LARGE[1], LARGE[0], 1))
    for place, image in zip(range(number), _images(source), strict=False):
        pixels = np.asarray(image.resize(LARGE, Image.Resampling.BICUBIC)) + grain
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(target / f"large_{place:03}.jpg", quality=90)


def _images(source: Path | None) -> Iterator[Image.Image]:
    """Yield pictures without end, each a little different from those before."""
    if source is None:
        for seed in count():
            for _, content in draw("egg-or-not", 200, seed):
                yield Image.open(io.BytesIO(content)).convert("RGB")
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg")) if source else []
    for place, path in enumerate(cycle(files)):
        shift = 2 * (place // len(files))
        with Image.open(path) as image:
            yield image.convert("RGB").crop((shift, shift, image.width - shift // 2, image.height - shift))
