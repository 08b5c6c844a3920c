"""Varied copies of pictures: the same for the same seed, within bounds, and what parameters mean."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vision_recipes.errors import SettingsError
from vision_recipes.pictures import Picture
from vision_recipes.training.augmentation import Plan, Span, variants
from vision_recipes.training.augmentation_page import examples_page

STILL = Plan("none", *(Span(1.0, 1.0), Span(0.0, 0.0), Span(0.0, 0.0), Span(1.0, 1.0), Span(1.0, 1.0), Span(1.0, 1.0)))


def photo(height: int = 40, width: int = 60, seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)).copy()


def test_the_same_seed_and_picture_give_the_same_copies() -> None:
    pixels = photo()
    first, again = (variants(pixels, 4, Plan(), "1337:abc") for _ in range(2))
    assert len(first) == 4
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(copy, pixels) for copy in first)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], variants(pixels, 1, Plan(), "1337:abd")[0])
    assert np.array_equal(first[0], variants(pixels, 1, Plan(), "1337:abc")[0])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(8, 50),
    st.integers(8, 50),
    st.floats(0.1, 1.0),
    st.floats(-360, 360),
    st.floats(-0.5, 0.5),
    st.floats(0.05, 5.0),
)
def test_copies_are_pictures_of_the_same_shape(
    height: int, width: int, crop: float, rotate: float, shift: float, light: float
) -> None:
    plan = Plan(
        "both", *(Span(value, value) for value in (crop, rotate, shift, light, light)), saturation=Span(light, light)
    )
    pixels = photo(height, width)
    before = pixels.copy()
    (copy,) = variants(pixels, 1, plan, "x")
    assert copy.shape == pixels.shape and copy.dtype == np.uint8
    assert np.array_equal(pixels, before)


def test_a_plan_without_variation_changes_nothing() -> None:
    pixels = photo()
    assert np.array_equal(variants(pixels, 1, STILL, "x")[0], pixels)


@pytest.mark.parametrize(
    ("flip", "allowed"),
    [
        ("horizontal", {"same", "x"}),
        ("vertical", {"same", "y"}),
        ("both", {"same", "x", "y", "xy"}),
        ("none", {"same"}),
    ],
)
def test_flips(flip: str, allowed: set[str]) -> None:
    pixels = photo()
    mirrored = {"same": pixels, "x": pixels[:, ::-1], "y": pixels[::-1], "xy": pixels[::-1, ::-1]}
    seen = set()
    for copy in variants(pixels, 40, replace(STILL, flip=flip), "x"):
        seen |= {name for name, expected in mirrored.items() if np.array_equal(copy, expected)}
    assert seen == allowed


def test_quarter_turns_are_exact() -> None:
    pixels = photo(32, 32)
    for degrees, turns in ((90, 1), (180, 2), (270, 3)):
        (copy,) = variants(pixels, 1, replace(STILL, rotate=Span(degrees, degrees)), "x")
        assert np.abs(copy.astype(int) - np.rot90(pixels, turns).astype(int)).max() <= 1


def test_what_comes_into_view_is_the_mirrored_picture_not_black() -> None:
    white = np.full((40, 60, 3), 250, np.uint8)
    for plan in (replace(STILL, rotate=Span(37, 37)), replace(STILL, shift=Span(0.4, 0.4))):
        assert variants(white, 1, plan, "x")[0].min() >= 249


def test_crop_shows_a_part_larger() -> None:
    ramp = np.repeat(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], 40, 0).repeat(3, 2)
    for copy in variants(ramp, 5, replace(STILL, crop=Span(0.5, 0.5)), "x"):
        assert 100 < int(copy.max()) - int(copy.min()) < 135


def test_light() -> None:
    pixels = photo() // 4 + 60
    (brighter,) = variants(pixels, 1, replace(STILL, brightness=Span(1.5, 1.5)), "x")
    assert brighter.mean() == pytest.approx(pixels.mean() * 1.5, rel=0.01)
    (flat,) = variants(pixels, 1, replace(STILL, contrast=Span(0.5, 0.5)), "x")
    assert flat.mean() == pytest.approx(pixels.mean(), abs=0.6)
    assert flat.std() == pytest.approx(pixels.std() * 0.5, rel=0.05)
    (grey,) = variants(pixels, 1, replace(STILL, saturation=Span(0.0, 0.0)), "x")
    assert np.ptp(grey, axis=2).max() == 0


@pytest.mark.parametrize(
    ("written", "span"),
    [
        ("15", Span(-15, 15)),
        ("[-5, 30]", Span(-5, 30)),
        ("-5..30", Span(-5, 30)),
        ("[0, 90, 180]", Span(choices=(0, 90, 180))),
        ("{0, 90}", Span(choices=(0, 90))),
        ("0", Span(0, 0)),
    ],
)
def test_values_are_numbers_ranges_or_choices(written: str, span: Span) -> None:
    plan = Plan.from_pairs((("rotate", written),))
    assert plan == replace(Plan(), rotate=span)


def test_single_numbers_mean_around_the_middle() -> None:
    plan = Plan.from_pairs((("brightness", "0.3"), ("crop", "0.7"), ("shift", "0.1"), ("flip", "false")))
    assert (plan.flip, plan.crop, plan.shift) == ("none", Span(0.7, 1.0), Span(-0.1, 0.1))
    assert (plan.brightness.low, plan.brightness.high) == (0.7, 1.3)


def test_choices_are_all_drawn() -> None:
    random = np.random.default_rng(0)
    assert {Span(choices=(0, 90, 180)).draw(random) for _ in range(50)} == {0, 90, 180}


@pytest.mark.parametrize(
    ("name", "written", "told"),
    [
        ("rotation_range", "20", "did you mean rotate"),
        ("brightnes", "1", "did you mean brightness"),
        ("rotate", "__import__('os')", "not a number"),
        ("rotate", "", "not a number"),
        ("rotate", "[]", "not a number"),
        ("rotate", "nan", "not a number"),
        ("rotate", "1e999", "not a number"),
        ("rotate", "[30, -5]", "starts at 30"),
        ("rotate", "500", "-360 to 360"),
        ("crop", "0", "0.1 to 1"),
        ("crop", "[0.5, 1.5]", "1.5 is not from"),
        ("brightness", "1.2", "write \\[from, to\\]"),
        ("flip", "sideways", "horizontal, vertical, both or none"),
    ],
)
def test_errors_of_the_user_are_explained(name: str, written: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        Plan.from_pairs(((name, written),))
    assert "model_custom_params_data_augmentation" in str(caught.value)


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(SettingsError, match="zoom.*rotate = x.*flip = y"):
        Plan.from_pairs((("zoom", "1"), ("rotate", "x"), ("flip", "y")))


def test_the_page_shows_each_picture_and_its_copies() -> None:
    pictures = [
        Picture("/a<b>.jpg", photo(300, 400), digest="1", label="<script>alert(1)</script>"),
        Picture("/broken.jpg", reason="corrupt"),
        Picture("/c.jpg", photo(20, 10), digest="2"),
    ]
    page = examples_page(pictures, Plan(), 1337, 3).decode()
    assert "<script>" not in page and "/a&lt;b&gt;.jpg" in page and "broken" not in page
    found = [base64.b64decode(data) for data in re.findall(r'data:image/jpeg;base64,([^"]+)"', page)]
    sizes = [Image.open(io.BytesIO(content)).size for content in found]
    assert sizes == [(192, 144)] * 4 + [(10, 20)] * 4
    assert page == examples_page(pictures, Plan(), 1337, 3).decode()
    assert not re.search(r'(src|href)="(?!data:)', page)
