"""An overlay for people to look at: the picture in its own proportions, beside it its saliency map, and a caption."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vision_recipes.images.resampling import placement
from vision_recipes.preprocessing import Preprocessing

SIDE = 480
"""The longer side of the picture, in pixels; small pictures are enlarged to it."""

_COLOURS = np.array([(20, 11, 53), (120, 28, 109), (237, 105, 37), (252, 255, 164)], np.float32)
_STRONGEST, _BRIGHTEST = 0.75, 0.995
"""How much of a pixel is colour at most, and above which quantile of the map: single peaks hide the rest else."""
_FONT, _MARGIN, _NARROWEST = 17, 8, 480
_PLAIN, _ALARMING = (20, 20, 20), (176, 0, 32)


@dataclass(frozen=True)
class Caption:
    """What is written under an overlay: labels with probabilities from 0 to 1; `truth` and `warning` may be empty."""

    label: str
    probability: float
    predicted: str
    probability_of_predicted: float
    truth: str = ""
    warning: str = ""

    def lines(self) -> Iterator[tuple[str, tuple[int, int, int]]]:
        """Yield lines of text with their colours."""
        guess = f"Predicted: {self.predicted} ({100 * self.probability_of_predicted:.0f} %)"
        if self.truth:
            right = self.truth == self.predicted
            yield f"{guess}. True label: {self.truth}" + (" (right)" if right else " (wrong)"), _PLAIN
        else:
            yield guess, _PLAIN
        if self.label != self.predicted:
            yield f"The map shows what speaks for: {self.label} ({100 * self.probability:.0f} %)", _PLAIN
        if self.warning:
            yield f"Caution: {self.warning}", _ALARMING


def shown_as() -> Preprocessing:
    """Return how the picture of an overlay is read: upright and whole, its longer side SIDE pixels."""
    return Preprocessing(SIDE, SIDE, resize="inside")


def align(saliency: np.ndarray, shown: tuple[int, int], preprocessing: Preprocessing) -> np.ndarray:
    """Return a map of what the network sees (its height, its width) on the whole picture, `shown` as height, width.

    What the network does not see is 0; the borders that it sees beside the picture are cut off.
    """
    height, width = shown
    box, (across, down) = placement(width, height, preprocessing)
    left, top, right, bottom = (round(side) for side in box)
    x, y = (saliency.shape[1] - across) // 2, (saliency.shape[0] - down) // 2
    seen = Image.fromarray(saliency.astype(np.float32)[y : y + down, x : x + across])
    canvas = np.zeros(shown, np.float32)
    size = max(1, right - left), max(1, bottom - top)
    part = np.asarray(seen.resize(size, Image.Resampling.BILINEAR))
    part = part[: height - top, : width - left]
    canvas[top : top + part.shape[0], left : left + part.shape[1]] = np.maximum(part, 0.0)
    return canvas


def overlay(pixels: np.ndarray, saliency: np.ndarray, caption: Caption) -> bytes:
    """Return a JPEG: the picture uint8 (height, width, 3), it in grey with bright colours where the map of the same
    height and width is high, and the caption under both.
    """
    pair = Image.fromarray(np.concatenate([pixels, tinted(pixels, saliency)], axis=1))
    return _jpeg(_captioned(pair, caption))


def tinted_jpeg(pixels: np.ndarray, saliency: np.ndarray) -> bytes:
    """Return a JPEG of the picture as `tinted` draws it, alone."""
    return _jpeg(Image.fromarray(tinted(pixels, saliency)))


def tinted(pixels: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """Return the picture uint8 (height, width, 3) in grey, with bright colours where the map of its size is high."""
    highest = float(np.quantile(saliency, _BRIGHTEST)) or float(saliency.max()) or 1.0
    strength = np.minimum(saliency / highest, 1.0)
    stops = np.linspace(0, 1, len(_COLOURS))
    colour = np.stack([np.interp(strength, stops, channel) for channel in _COLOURS.T], axis=-1)
    strength = strength[..., None]
    grey = pixels.mean(axis=2, keepdims=True).astype(np.float32)
    mixed = grey * 0.85 * (1 - _STRONGEST * strength) + colour * _STRONGEST * strength
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _jpeg(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _captioned(pair: Image.Image, caption: Caption) -> Image.Image:
    font = _font()
    width = max(pair.width, _NARROWEST)
    lines = [(part, colour) for text, colour in caption.lines() for part in _wrapped(text, font, width - 2 * _MARGIN)]
    step = _FONT + 6
    canvas = Image.new("RGB", (width, pair.height + step * len(lines) + 2 * _MARGIN), "white")
    canvas.paste(pair, ((width - pair.width) // 2, 0))
    draw = ImageDraw.Draw(canvas)
    for number, (text, colour) in enumerate(lines):
        draw.text((_MARGIN, pair.height + _MARGIN + number * step), text, fill=colour, font=font)
    return canvas


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return a font with many scripts where the machine has one, else Pillow's own."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", _FONT)
    except OSError:
        return ImageFont.load_default(_FONT)


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> Iterator[str]:
    """Yield a text in lines that fit a width in pixels; words that are longer than a line are cut."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and font.getlength(longer) > width:
            yield line
            longer = word
        while font.getlength(longer) > width and len(longer) > 1:
            longer = longer[: -2 if longer.endswith("…") else -1].rstrip("…") + "…"
        line = longer
    if line:
        yield line
