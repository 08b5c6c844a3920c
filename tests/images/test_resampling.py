"""Resizing strip by strip is Pillow's resizing, and a crop with a part is a resize followed by a centre crop."""

from __future__ import annotations

import numpy as np
import pytest
from images.files import encoded, picture
from PIL import Image, ImageOps

from vision_recipes.images import resampling
from vision_recipes.images.decoding import decode
from vision_recipes.preprocessing import Preprocessing

SIZES = [(300, 200), (37, 1000), (5, 7), (1, 500), (500, 1), (64, 48), (640, 701)]


def _noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("strip", [1, 3000, 1 << 30])
def test_strips_give_what_the_whole_gives(size: tuple[int, int], strip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "_STRIP", strip)
    image = _noise(*size)
    squashed = resampling.fit(image, Preprocessing(64, 48), lambda part: part)
    cropped = resampling.fit(image, Preprocessing(64, 48, resize="crop"), lambda part: part)
    for found, expected in (
        (squashed, image.resize((64, 48), Image.Resampling.BILINEAR)),
        (cropped, ImageOps.fit(image, (64, 48), Image.Resampling.BILINEAR)),
    ):
        assert np.abs(np.asarray(found).astype(int) - np.asarray(expected)).max() <= 1


@pytest.mark.parametrize("size", [(640, 480), (481, 640), (500, 333), (1024, 1024)])
@pytest.mark.parametrize(("side", "shorter"), [(224, 256), (299, 331), (96, 96)])
def test_a_crop_is_a_resize_of_the_shorter_side_and_then_the_centre(
    size: tuple[int, int], side: int, shorter: int
) -> None:
    image = picture(*size)
    scale = shorter / min(size)
    resized = image.resize((round(size[0] * scale), round(size[1] * scale)), Image.Resampling.BILINEAR)
    left, top = round((resized.width - side) / 2), round((resized.height - side) / 2)
    expected = np.asarray(resized.crop((left, top, left + side, top + side))).astype(int)
    wanted = Preprocessing(side, side, resize="crop", crop_fraction=side / shorter)
    found = decode(encoded(image, "PNG"), wanted)
    assert np.abs(found - expected).mean() < 0.7 and np.abs(found - expected).max() <= 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_same_part_is_cut_of_turned_and_large_pictures(kind: str, orientation: int) -> None:
    upright = picture(1300, 900)
    stored = upright.rotate({1: 0, 3: 180, 6: 90, 8: -90}[orientation], expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    wanted = Preprocessing(48, 32, resize="crop", crop_fraction=0.8)
    found = decode(encoded(stored, kind, exif=exif), wanted).astype(int)
    assert np.abs(found - decode(encoded(upright, "PNG"), wanted)).mean() < 1.5


def test_a_needle_is_resized_without_a_picture_as_wide_as_the_network_and_as_long_as_the_needle() -> None:
    content = encoded(Image.new("L", (1, 2_000_000), 9), "PNG")
    assert (decode(content, Preprocessing(4000, 2)) == 9).all()
