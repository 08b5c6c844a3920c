"""Augmented copies of pictures: the same for the same seed, within bounds, and what parameters mean."""

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

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.mapped_arrays import MappedRows
from vision_recipes.errors import SettingsError
from vision_recipes.training.augmentation import AugmentationPlan, Range, augment
from vision_recipes.training.augmentation_page import examples_page
from vision_recipes.training_settings import RetrainSettings

STILL = AugmentationPlan(
    "none", *(Range(1.0, 1.0), Range(0.0, 0.0), Range(0.0, 0.0), Range(1.0, 1.0), Range(1.0, 1.0), Range(1.0, 1.0))
)


def photo(height: int = 40, width: int = 60, seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)).copy()


def test_the_same_seed_and_picture_give_the_same_copies() -> None:
    pixels = photo()
    first, again = (augment(pixels, 4, AugmentationPlan(), "1337:abc") for _ in range(2))
    assert len(first) == 4
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(copy, pixels) for copy in first)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], augment(pixels, 1, AugmentationPlan(), "1337:abd")[0])
    assert np.array_equal(first[0], augment(pixels, 1, AugmentationPlan(), "1337:abc")[0])


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
    plan = AugmentationPlan(
        "both", *(Range(value, value) for value in (crop, rotate, shift, light, light)), saturation=Range(light, light)
    )
    pixels = photo(height, width)
    before = pixels.copy()
    (copy,) = augment(pixels, 1, plan, "x")
    assert copy.shape == pixels.shape and copy.dtype == np.uint8
    assert np.array_equal(pixels, before)


def test_a_plan_without_variation_changes_nothing() -> None:
    pixels = photo()
    assert np.array_equal(augment(pixels, 1, STILL, "x")[0], pixels)


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
    for copy in augment(pixels, 40, replace(STILL, flip=flip), "x"):
        seen |= {name for name, expected in mirrored.items() if np.array_equal(copy, expected)}
    assert seen == allowed


def test_quarter_turns_are_exact() -> None:
    pixels = photo(32, 32)
    for degrees, turns in ((90, 1), (180, 2), (270, 3)):
        (copy,) = augment(pixels, 1, replace(STILL, rotate=Range(degrees, degrees)), "x")
        assert np.abs(copy.astype(int) - np.rot90(pixels, turns).astype(int)).max() <= 1


def test_what_comes_into_view_is_the_mirrored_picture_not_black() -> None:
    white = np.full((40, 60, 3), 250, np.uint8)
    for plan in (replace(STILL, rotate=Range(37, 37)), replace(STILL, shift=Range(0.4, 0.4))):
        assert augment(white, 1, plan, "x")[0].min() >= 249


def test_crop_shows_a_part_larger() -> None:
    ramp = np.repeat(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], 40, 0).repeat(3, 2)
    for copy in augment(ramp, 5, replace(STILL, crop=Range(0.5, 0.5)), "x"):
        assert 100 < int(copy.max()) - int(copy.min()) < 135


def test_light() -> None:
    pixels = photo() // 4 + 60
    (brighter,) = augment(pixels, 1, replace(STILL, brightness=Range(1.5, 1.5)), "x")
    assert brighter.mean() == pytest.approx(pixels.mean() * 1.5, rel=0.01)
    (flat,) = augment(pixels, 1, replace(STILL, contrast=Range(0.5, 0.5)), "x")
    assert flat.mean() == pytest.approx(pixels.mean(), abs=0.6)
    assert flat.std() == pytest.approx(pixels.std() * 0.5, rel=0.05)
    (grey,) = augment(pixels, 1, replace(STILL, saturation=Range(0.0, 0.0)), "x")
    assert np.ptp(grey, axis=2).max() == 0


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("15", Range(-15, 15)),
        ("[-5, 30]", Range(-5, 30)),
        ("-5..30", Range(-5, 30)),
        ("[0, 90, 180]", Range(choices=(0, 90, 180))),
        ("{0, 90}", Range(choices=(0, 90))),
        ("0", Range(0, 0)),
    ],
)
def test_values_are_numbers_ranges_or_choices(written: str, expected: Range) -> None:
    plan = AugmentationPlan.from_pairs((("rotate", written),))
    assert plan == replace(AugmentationPlan(), rotate=expected)


def test_single_numbers_mean_around_the_middle() -> None:
    plan = AugmentationPlan.from_pairs((("brightness", "0.3"), ("crop", "0.7"), ("shift", "0.1"), ("flip", "false")))
    assert (plan.flip, plan.crop, plan.shift) == ("none", Range(0.7, 1.0), Range(-0.1, 0.1))
    assert (plan.brightness.low, plan.brightness.high) == (0.7, 1.3)


def test_choices_are_all_drawn() -> None:
    random = np.random.default_rng(0)
    assert {Range(choices=(0, 90, 180)).draw(random) for _ in range(50)} == {0, 90, 180}


@pytest.mark.parametrize(
    ("name", "written", "problem"),
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
def test_problems_are_reported(name: str, written: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as caught:
        AugmentationPlan.from_pairs(((name, written),))
    assert "model_custom_params_data_augmentation" in str(caught.value)


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(SettingsError, match="zoom.*rotate = x.*flip = y"):
        AugmentationPlan.from_pairs((("zoom", "1"), ("rotate", "x"), ("flip", "y")))


def test_the_page_shows_each_picture_and_its_copies() -> None:
    found = LabelledImages.of_features(
        np.empty((2, 0), np.float32), np.array([0, 1]), ["<script>alert(1)</script>", "b"]
    )
    pixels = MappedRows(np.stack([photo(300, 400), photo(300, 400, 1)]))
    images = replace(found, paths=["/a<b>.jpg", "/c.jpg"], digests=["1", "2"], pixels=pixels)
    page = examples_page(images, RetrainSettings(n_augmentation=3)).decode()
    assert "<script>" not in page and "/a&lt;b&gt;.jpg: &lt;script&gt;" in page and "/c.jpg: b" in page
    shown = [base64.b64decode(data) for data in re.findall(r'data:image/jpeg;base64,([^"]+)"', page)]
    assert [Image.open(io.BytesIO(content)).size for content in shown] == [(192, 144)] * 8
    assert len(set(shown)) == 8
    assert page == examples_page(images, RetrainSettings(n_augmentation=3)).decode()
    (first,) = augment(pixels[0], 1, AugmentationPlan(), "1337:1")
    encoded = io.BytesIO()
    thumbnail = Image.fromarray(first)
    thumbnail.thumbnail((192, 192))
    thumbnail.save(encoded, "JPEG", quality=85)
    assert shown[1] == encoded.getvalue()
    assert not re.search(r'(src|href)="(?!data:)', page)
