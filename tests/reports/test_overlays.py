"""Overlays: the map lies on the part of the picture that the network sees, and the caption says what is known."""

import io

import numpy as np
import pytest
from PIL import Image

from vision_recipes.preprocessing import Preprocessing
from vision_recipes.reports.overlays import SIDE, Caption, align, overlay, shown_as

CAPTION = Caption("egg", 0.9, "egg", 0.9)


def test_pictures_are_shown_large_and_in_their_own_proportions():
    assert (shown_as().width, shown_as().height, shown_as().resize) == (SIDE, SIDE, "inside")
    assert SIDE >= 448


def test_an_overlay_is_the_picture_beside_itself_over_a_caption():
    pixels = np.full((300, 480, 3), 200, np.uint8)
    saliency = np.zeros((300, 480))
    saliency[100:200, 100:200] = 1
    image = np.asarray(Image.open(io.BytesIO(overlay(pixels, saliency, CAPTION))))
    assert image.shape[1] == 960
    assert 300 < image.shape[0] < 400
    assert abs(image[150, 150].astype(int) - 200).max() < 6
    assert int(image[150, 630, 0]) > int(image[20, 500, 0]) + 30
    assert image[20, 500].max() < 200
    assert image[300:].min() < 100
    assert image[-3:].min() > 240


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        (CAPTION, ["Predicted: egg (90 %)"]),
        (Caption("egg", 0.9, "egg", 0.9, "egg"), ["Predicted: egg (90 %). True label: egg (right)"]),
        (
            Caption("stone", 0.1, "egg", 0.9, "stone", "it says little"),
            [
                "Predicted: egg (90 %). True label: stone (wrong)",
                "The map shows what speaks for: stone (10 %)",
                "Caution: it says little",
            ],
        ),
    ],
)
def test_the_caption_says_guess_truth_and_warning(caption, expected):
    assert [text for text, _ in caption.lines()] == expected


@pytest.mark.parametrize("label", ["x" * 3000, "kæmpe æg " * 300, "卵", "\n", ""])
def test_any_label_fits_under_a_narrow_picture(label):
    pixels = np.zeros((SIDE, 8, 3), np.uint8)
    caption = Caption(label, 0.5, label, 0.5, label, "a warning of some length " * 10)
    image = Image.open(io.BytesIO(overlay(pixels, np.zeros((SIDE, 8)), caption)))
    assert image.width == 480


def test_a_squashed_map_covers_the_whole_picture():
    saliency = np.zeros((100, 100))
    saliency[:, 50:] = 1
    aligned = align(saliency, (240, 480), Preprocessing(100, 100))
    assert aligned.shape == (240, 480)
    assert aligned[:, :230].max() == 0
    assert aligned[:, 250:].min() == pytest.approx(1)


@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_of_a_cropped_picture_only_the_centre_has_a_map(fraction):
    aligned = align(np.ones((100, 100)), (240, 480), Preprocessing(100, 100, resize="crop", crop_fraction=fraction))
    half = round(120 * fraction)
    assert aligned[120 - half : 120 + half, 240 - half : 240 + half].min() == pytest.approx(1)
    assert aligned.sum() == pytest.approx((2 * half) ** 2)


def test_borders_beside_a_padded_picture_are_cut_off():
    saliency = np.zeros((100, 100))
    saliency[:25] = 5
    saliency[25:50, :50] = 1
    aligned = align(saliency, (240, 480), Preprocessing(100, 100, resize="pad"))
    assert aligned[:110, :230].min() == pytest.approx(1)
    assert aligned.max() == pytest.approx(1)
    assert aligned[130:].max() == 0
