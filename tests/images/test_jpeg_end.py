"""A JPEG that lacks its end marker is whole; one that lacks any of its data is not, wherever it was cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from images.files import encoded, picture
from PIL import Image

from vision_recipes.images.decoding import Limits, Rejected, decode, repaired
from vision_recipes.images.jpeg_end import completed, scans_complete, several_scans
from vision_recipes.preprocessing import Preprocessing

SMALL = Preprocessing(40, 30)
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 5},
    "best": {"quality": 100, "subsampling": 0},
    "optimised": {"optimize": True, "quality": 40},
}


def _noisy() -> Image.Image:
    noise = np.random.default_rng(3).integers(-40, 40, (160, 208, 3))
    return Image.fromarray(np.clip(np.asarray(picture(208, 160)) + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
def test_only_the_end_marker_may_be_missing(kind: str, mode: str) -> None:
    content = encoded(_noisy().convert(mode), "JPEG", **KINDS[kind])
    for lost in (1, 2):
        found = completed(content[:-lost])
        assert found is not None and np.array_equal(decode(found, SMALL), decode(content, SMALL))
    for lost in (6, 20, 300, len(content) // 3, len(content) // 2, len(content) - 700):
        assert completed(content[:-lost]) is None, lost


@pytest.mark.parametrize("kind", ["progressive", "restarts"])
def test_a_cut_between_scans_or_restart_markers_is_found(kind: str) -> None:
    content = encoded(_noisy(), "JPEG", **KINDS[kind])
    markers = (0xC4, 0xDA) if kind == "progressive" else range(0xD0, 0xD8)
    start = content.index(b"\xff\xda") + 2
    places = [
        place for place in range(start, len(content) - 1) if content[place] == 255 and content[place + 1] in markers
    ]
    assert len(places) > 5
    for place in places[-8:]:
        assert completed(content[:place]) is None
        assert completed(content[: place + 2]) is None


@pytest.mark.parametrize("padding", [20, 400, 20_000])
def test_zeros_in_place_of_the_rest_are_no_picture(padding: int) -> None:
    content = encoded(_noisy(), "JPEG")
    assert completed(content[: len(content) // 2] + bytes(padding)) is None


def test_a_file_too_short_for_its_pixels_is_no_grey_picture() -> None:
    for options in ({}, {"progressive": True}):
        content = encoded(picture(64, 48), "JPEG", **options)
        frame = next(place for place in range(len(content)) if content[place : place + 2] in (b"\xff\xc0", b"\xff\xc2"))
        large = content[: frame + 5] + bytes((0x20, 0, 0x20, 0)) + content[frame + 9 :]
        with pytest.raises(Rejected, match="truncated: .* bytes cannot hold 8192 x 8192 pixels"):
            decode(large, SMALL)
    assert decode(encoded(Image.new("L", (8192, 8192)), "JPEG", optimize=True), SMALL).max() == 0


def test_scans_are_counted() -> None:
    plain, progressive = encoded(picture(), "JPEG"), encoded(picture(), "JPEG", progressive=True)
    assert not several_scans(plain) and several_scans(progressive)
    assert scans_complete(plain) and scans_complete(progressive)
    assert not scans_complete(progressive[: progressive.rindex(b"\xff\xda")])
    assert several_scans(b"\xff\xd8\xff") and not scans_complete(b"\xff\xd8\xff\xda")


def test_other_files_and_those_past_the_limits_are_not_repaired() -> None:
    content = encoded(_noisy(), "JPEG")[:-2]
    assert repaired(content) == content + b"\xff\xd9"
    assert repaired(content, Limits(jpeg_pixels=100)) is None
    assert repaired(content, Limits(jpeg_memory=100)) is None
    assert repaired(encoded(picture(), "PNG")[:-4]) is None
    assert repaired(content[:50]) is None
