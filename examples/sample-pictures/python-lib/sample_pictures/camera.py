"""How drawn pixels become a photograph: exposure, blur, grain and JPEG."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter

SIZES = ((256, 192), (240, 240), (192, 256), (288, 192), (224, 168))


def picture_size(rng: np.random.Generator) -> tuple[int, int]:
    """Return the height and width in pixels of the next picture."""
    width, height = SIZES[rng.integers(len(SIZES))]
    return height, width


def to_jpeg(rng: np.random.Generator, pixels: np.ndarray) -> bytes:
    """Return the JPEG of pixels (float RGB of 0..1), with a random exposure, vignette, softness, grain and quality."""
    height, width = pixels.shape[:2]
    down, right = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    vignette = 1 - rng.uniform(0.0, 0.3) * (down**2 + right**2) / 2
    exposed = np.clip(pixels * (vignette * rng.uniform(0.75, 1.2))[..., None], 0.0, 1.0) ** rng.uniform(0.8, 1.2)
    grain = rng.normal(0.0, rng.uniform(0.0, 0.025), pixels.shape[:2])
    picture = Image.fromarray((np.clip(exposed + grain[..., None], 0, 1) * 255 + 0.5).astype(np.uint8))
    if rng.random() < 0.35:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.3)))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=int(rng.integers(72, 94)))
    return stream.getvalue()
