"""Saliency maps of posted pictures: loaded in the background, drawn as vision-explain draws them, told in words."""

import io
import time

import pytest
from images.files import encoded, picture
from PIL import Image

from vision_recipes.errors import PictureFolderError
from vision_recipes.reports import live_saliency
from vision_recipes.reports.live_saliency import LiveSaliency, in_words

FIGURES = {"centre_x": 0.5, "centre_y": 0.5, "extent": 0.123, "border_share": 0.2}


@pytest.mark.parametrize(
    ("x", "y", "where"),
    [(0.5, 0.5, "middle"), (0.2, 0.5, "left side"), (0.5, 0.9, "lower part"), (0.8, 0.1, "upper right")],
)
def test_a_map_in_words(x, y, where):
    text = in_words(FIGURES | {"centre_x": x, "centre_y": y})
    assert text == f"Half of the evidence lies in 12 % of the picture, around its {where}."


def test_a_map_without_evidence_in_words():
    assert in_words({}) == "No part of the picture speaks for this label."


def until_ready(saliency):
    deadline = time.monotonic() + 120
    while not saliency.is_ready() and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.keras
def test_a_map_is_drawn_over_the_whole_picture(small):
    saliency = LiveSaliency(small)
    assert not saliency.is_ready()
    until_ready(saliency)
    content = encoded(picture(300, 150), "JPEG")
    drawn, other = saliency.draw(content, None, {}), saliency.draw(content, 3, {})
    assert Image.open(io.BytesIO(drawn.jpeg)).size == (480, 240)
    assert 0 <= drawn.label < 5 and other.label == 3
    with pytest.raises(PictureFolderError, match="the bytes are not a picture"):
        saliency.draw(b"hello", None, {})


def test_a_network_that_cannot_be_loaded_is_told_and_tried_again(small, monkeypatch):
    monkeypatch.setattr(live_saliency, "HiResCam", lambda *_: 1 / 0)
    saliency = LiveSaliency(small)
    for _ in range(2):
        with pytest.raises(PictureFolderError, match="cannot be drawn here: ZeroDivisionError"):
            until_ready(saliency)
