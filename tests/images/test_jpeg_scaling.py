"""Reduced decoding stays within two levels of full decoding, for photos and for all that is sharp."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from images.files import announcing, encoded
from PIL import Image, ImageDraw, ImageOps

from vision_recipes.images import jpeg_scaling
from vision_recipes.images.decoding import Limits, Rejected, decode
from vision_recipes.preprocessing import Preprocessing

SIDE = 48


def _sharp(width: int, height: int) -> Iterator[tuple[str, Image.Image]]:
    random = np.random.default_rng(5)
    down, across = np.mgrid[0:height, 0:width]
    yield "noise", Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8))
    yield "colours", Image.fromarray((random.random((height, width, 3)) > 0.1).astype(np.uint8) * 255)
    for part in (0.02, 0.15):
        dots = (random.random((height, width)) > part).astype(np.uint8) * 255
        yield f"dots {part}", Image.fromarray(dots)
        yield f"stars {part}", Image.fromarray(255 - dots)
    for period in (2, 3, 4, 5, 7, 9, 11, 17):
        yield f"stripes {period}", Image.fromarray((across % period < period // 2).astype(np.uint8) * 255)
        yield f"checks {period}", Image.fromarray(((across // period + down // period) % 2).astype(np.uint8) * 255)
        pair = np.zeros((height, width, 3), np.uint8)
        pair[..., 0] = np.where(across % period < period // 2, 255, 0)
        pair[..., 2] = 255 - pair[..., 0]
        yield f"red and blue {period}", Image.fromarray(pair)
    for background, colour in (("white", "black"), ("black", "white"), ("yellow", "blue")):
        page = Image.new("RGB", (width, height), background)
        draw = ImageDraw.Draw(page)
        for line in range(0, height, 11):
            draw.text((0, line), "the quick brown fox jumps over the lazy dog " * (width // 200), fill=colour)
        yield f"text {background}", page


@pytest.mark.parametrize("ratio", [4.1, 7.1, 8.3, 13.4])
@pytest.mark.parametrize(("quality", "subsampling"), [(20, 2), (75, 2), (90, 2), (95, 0)])
def test_sharp_pictures_are_as_decoded_fully(ratio: float, quality: int, subsampling: int) -> None:
    for name, image in _sharp(int(SIDE * ratio) + 3, int(SIDE * ratio) + 5):
        content = encoded(image, "JPEG", quality=quality, subsampling=subsampling)
        whole = Image.open(io.BytesIO(content)).convert("RGB")
        for resize, expected in (
            ("squash", whole.resize((SIDE, SIDE), Image.Resampling.BILINEAR)),
            ("crop", ImageOps.fit(whole, (SIDE, SIDE), Image.Resampling.BILINEAR)),
        ):
            found = decode(content, Preprocessing(SIDE, SIDE, resize=resize))
            assert np.abs(found.astype(int) - np.asarray(expected)).mean() < 2, (name, resize)


@pytest.mark.parametrize("ratio", [4.2, 5.7, 7.2, 9.4, 13.3, 17.7])
@pytest.mark.parametrize("period", [1.9, 2.1, 2.6, 3.1, 3.9, 4.2, 4.4, 5.6])
def test_fine_gratings_are_as_decoded_fully(ratio: float, period: float) -> None:
    across = np.arange(int(SIDE * ratio) + 1)
    wave = 127.5 + 127.5 * np.sin(2 * np.pi * across / period)
    for lines in (np.where(wave > 127, 255, 0), wave):
        image = Image.fromarray(np.broadcast_to(lines.astype(np.uint8), (len(across) + 2, len(across))).copy())
        for turned in (image, image.transpose(Image.Transpose.ROTATE_90)):
            content = encoded(turned, "JPEG", quality=90)
            whole = Image.open(io.BytesIO(content)).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
            found = decode(content, Preprocessing(SIDE, SIDE))
            assert np.abs(found.astype(int) - np.asarray(whole)).mean() < 2


def test_photos_are_decoded_at_a_part_of_their_size(shared, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    accepted = []
    faithful = jpeg_scaling.faithful

    def spy(*arguments: object) -> bool:
        accepted.append(faithful(*arguments))  # type: ignore[arg-type]
        return accepted[-1]

    monkeypatch.setattr(jpeg_scaling, "faithful", spy)
    for path in sorted((shared / "houses200").glob("*.jpg"))[::20]:
        photo = Image.open(path).convert("RGB").resize((1200, 900), Image.Resampling.BICUBIC)
        content = encoded(photo, "JPEG", quality=90)
        expected = Image.open(io.BytesIO(content)).resize((96, 72), Image.Resampling.BILINEAR)
        found = decode(content, Preprocessing(96, 72))
        assert np.abs(found.astype(int) - np.asarray(expected)).mean() < 1
    assert sum(accepted) >= 7


@pytest.mark.parametrize("size", [(1201, 907), (1207, 1201), (1193, 1600)])
def test_odd_sizes_keep_their_geometry(size: tuple[int, int]) -> None:
    across = np.linspace(0, 12, size[0])
    waves = np.broadcast_to(128 + 90 * np.sin(across * 6), size[::-1])
    content = encoded(Image.fromarray(waves.astype(np.uint8)), "JPEG", quality=95)
    expected = Image.open(io.BytesIO(content)).convert("RGB").resize((90, 60), Image.Resampling.BILINEAR)
    assert np.abs(decode(content, Preprocessing(90, 60)).astype(int) - np.asarray(expected)).max() <= 3


def test_colours_of_print_are_decoded_fully() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (600, 600, 4), dtype=np.uint8)
    content = encoded(Image.frombytes("CMYK", (600, 600), noise.tobytes()), "JPEG", quality=95)
    expected = Image.open(io.BytesIO(content)).convert("RGB").resize((30, 30), Image.Resampling.BILINEAR)
    assert np.abs(decode(content, Preprocessing(30, 30)).astype(int) - np.asarray(expected)).max() <= 1


def test_jpegs_may_have_more_pixels_than_other_files() -> None:
    content = encoded(Image.new("L", (9000, 6000), 77), "JPEG")
    assert np.abs(decode(content, Preprocessing(24, 16)).astype(int) - 77).max() <= 1
    with pytest.raises(Rejected, match="the limit is 120000000"):
        decode(announcing(content, 12_000, 10_001), Preprocessing(24, 16))


def test_what_would_take_too_much_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(Image.new("RGB", (800, 600)), "JPEG", progressive=True, subsampling=0)
    decoded = 800 * 600 * (3 * 2 + 4)
    monkeypatch.setattr(jpeg_scaling, "usable_scale", lambda *arguments: 1)
    assert decode(content, Preprocessing(24, 16), Limits(jpeg_memory=decoded)).shape == (16, 24, 3)
    with pytest.raises(Rejected, match=r"too_large: 800 x 600 pixels in several scans take 4 MiB"):
        decode(content, Preprocessing(24, 16), Limits(jpeg_memory=decoded - 1))
