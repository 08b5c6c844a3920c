"""Copies agree, whatever was done to them; other pictures do not, flat ones with nothing."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from vision_recipes.images.perceptual_hash import SAME, SAME_EVENLY, agreements, luminance_grid


def scene(seed):
    """Return a picture of shapes, as a photo has them: large and small, dark and light."""
    random = np.random.default_rng(seed)
    noise = [random.integers(0, 256, (side, side, 3), np.uint8) for side in (4, 9, 20)]
    parts = [np.asarray(Image.fromarray(one).resize((240, 200), Image.Resampling.BICUBIC), np.float32) for one in noise]
    return Image.fromarray((parts[0] * 0.4 + parts[1] * 0.3 + parts[2] * 0.3).astype(np.uint8))


def grid(picture):
    return luminance_grid(np.asarray(picture.convert("RGB").resize((224, 224))))


def agreement(one, other):
    one, other = grid(one), grid(other)
    return max(agreements(one, other[None])[0], agreements(other, one[None])[0])


COPIES = {
    "smaller": lambda picture: picture.resize((60, 50)),
    "mirrored": ImageOps.mirror,
    "cropped": lambda picture: picture.crop((3, 15, 3 + 216, 15 + 180)),
    "mirrored and cropped": lambda picture: ImageOps.mirror(picture).crop((20, 2, 20 + 216, 2 + 180)),
    "grey": ImageOps.grayscale,
    "low contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(0.5),
    "bright": lambda picture: ImageEnhance.Brightness(picture).enhance(1.4),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_agree(name):
    assert min(agreement(scene(seed), COPIES[name](scene(seed))) for seed in range(4)) >= SAME


def test_other_pictures_do_not():
    pictures = [scene(seed) for seed in range(12)]
    pairs = [(one, other) for place, one in enumerate(pictures) for other in pictures[:place]]
    assert max(agreement(one, other) for one, other in pairs) < 0.65


def test_flat_pictures_agree_with_nothing():
    flat = Image.new("RGB", (50, 50), (90, 90, 90))
    assert agreement(flat, flat) == 0 and agreement(flat, scene(1)) < 0.1


def over_water(seed):
    """Return a picture of a dark line on a light ground with weak waves, which differ by seed."""
    random = np.random.default_rng(seed)
    waves = Image.fromarray(random.integers(0, 256, (14, 16), np.uint8)).resize((240, 200), Image.Resampling.BICUBIC)
    pixels = 150 + np.asarray(waves, np.float32) / 12
    pixels[90:106, 20:220] -= 100
    return Image.fromarray(pixels.astype(np.uint8))


def test_a_strong_edge_alone_makes_no_copies():
    assert agreement(over_water(1), over_water(2)) < SAME_EVENLY
    for name in ("smaller", "mirrored", "cropped", "low contrast"):
        assert agreement(over_water(1), COPIES[name](over_water(1))) >= SAME, name
