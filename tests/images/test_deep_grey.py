"""Grey of more than 8 bits looks like the same picture of 8 bits, whatever its depth, and black stays black."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from images.files import chunk, encoded
from PIL import Image, TiffImagePlugin

from vision_recipes.images.decoding import decode
from vision_recipes.preprocessing import Preprocessing

SIZE = Preprocessing(16, 16)
EIGHT_BIT = np.arange(256).reshape(16, 16)


def _decoded(values: np.ndarray, kind: str = "TIFF", **options: Any) -> np.ndarray:
    return decode(encoded(Image.fromarray(values), kind, **options), SIZE)[..., 0].astype(int)


def _with_bits(content: bytes, bits: int) -> bytes:
    return content[:33] + chunk(b"sBIT", bytes([bits])) + content[33:]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_depth_is_the_smallest_that_holds_the_values(kind: str, bits: int) -> None:
    deep = np.round(EIGHT_BIT * ((1 << bits) - 1) / 255).astype(np.uint16)
    assert np.abs(_decoded(deep, kind) - EIGHT_BIT).max() == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_black_stays_black(dtype: Any) -> None:
    assert _decoded(np.zeros((16, 16), dtype)).max() == 0


def test_a_tag_for_the_largest_value_wins_over_the_values() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[341] = 4095
    tags.tagtype[341] = 3
    dark = EIGHT_BIT.astype(np.uint16)
    assert np.array_equal(_decoded(dark, tiffinfo=tags), np.round(dark * 255 / 4095))


def test_a_largest_value_that_is_none_is_ignored() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[341] = 0
    tags.tagtype[341] = 3
    assert np.array_equal(_decoded(EIGHT_BIT.astype(np.uint16) * 257, tiffinfo=tags), EIGHT_BIT)


def test_white_is_zero_is_inverted_in_deep_pictures_too() -> None:
    content = bytearray(encoded(Image.fromarray(EIGHT_BIT.astype(np.uint16) * 257), "TIFF"))
    entry = content.index(bytes((6, 1, 3, 0)))  # PhotometricInterpretation, a short
    content[entry + 8] = 0
    assert np.array_equal(decode(bytes(content), SIZE)[..., 0], 255 - EIGHT_BIT)


def test_a_png_that_names_its_bits_is_stretched_by_them() -> None:
    dark = encoded(Image.fromarray(EIGHT_BIT.astype(np.uint16) * 4), "PNG")
    assert np.array_equal(decode(_with_bits(dark, 12), SIZE)[..., 0], np.round(EIGHT_BIT * 4 * 255 / 4095))
    spread = encoded(Image.fromarray(EIGHT_BIT.astype(np.uint16) * 200), "PNG")
    assert np.array_equal(decode(_with_bits(spread, 12), SIZE)[..., 0], np.round(EIGHT_BIT * 200 / 257))


@pytest.mark.parametrize(("scale", "shift"), [(1 / 255, 0.0), (1.0, 0.0), (1000.0, -500.0), (1.0, 7e5)])
def test_floats_are_read_by_their_range(scale: float, shift: float) -> None:
    assert np.abs(_decoded((EIGHT_BIT * scale + shift).astype(np.float32)) - EIGHT_BIT).max() <= (
        20 if shift > 1e5 else 1
    )


def test_floats_a_little_beyond_one_are_clipped() -> None:
    values = (EIGHT_BIT / 255).astype(np.float32)
    values[0, 0], values[-1, -1] = -0.02, 1.05
    assert np.array_equal(_decoded(values), EIGHT_BIT)


def test_pixels_that_are_no_numbers_do_not_change_the_others() -> None:
    values = (EIGHT_BIT * 100).astype(np.float32)
    expected = _decoded(values)
    values[0, :3] = np.nan, np.inf, -np.inf
    found = _decoded(values)
    assert found[0, :3].tolist() == [0, 255, 0] and np.array_equal(found[1:], expected[1:])
    assert _decoded(np.full((16, 16), np.nan, np.float32)).max() == 0


def test_signed_and_large_integers_are_stretched_from_the_smallest_to_the_largest() -> None:
    assert np.array_equal(_decoded(EIGHT_BIT.astype(np.int32) * 10 - 1000), EIGHT_BIT)
    assert np.array_equal(_decoded(EIGHT_BIT.astype(np.int32) * 8_000_000), EIGHT_BIT)


def test_unsigned_integers_are_not_read_as_negative() -> None:
    signed, unsigned = (struct.pack("<HHIH", 339, 3, 1, kind) for kind in (2, 1))
    values = (EIGHT_BIT.astype(np.uint32) * 16_843_009).view(np.int32)
    content = encoded(Image.fromarray(values), "TIFF")
    assert content.count(signed) == 1
    found = decode(content.replace(signed, unsigned), SIZE)[..., 0].astype(int)
    assert np.abs(found - EIGHT_BIT).max() <= 1
