"""The bytes of one file to the pixels that a network sees, or the reason why not."""

from __future__ import annotations

import io
import struct
import threading
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from vision_recipes.images.formats import READ, ends_early, lacks_lines, sniff
from vision_recipes.preprocessing import Preprocessing

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDES_SWAPPED = tuple(_UPRIGHT[orientation] for orientation in (5, 6, 7, 8))
_LARGE = 8_000_000
_one_large = threading.Lock()
"""Pictures of more than _LARGE pixels are decoded one at a time, so that memory stays bounded whatever the threads."""


@dataclass(frozen=True)
class Limits:
    """What one picture may cost: `file_bytes`, `pixels` at full size, seconds for reading and for decoding.

    `scans`: a progressive JPEG with more scans than this is decoded in a separate process, where it can be stopped.
    """

    file_bytes: int = 100_000_000
    pixels: int = 50_000_000
    read_seconds: float = 120.0
    decode_seconds: float = 20.0
    scans: int = 64


LIMITS = Limits()


class Rejected(Exception):
    """A file that gives no pixels: `reason` is a key of pictures.REASONS, `detail` says more for the log."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def decode(content: bytes, preprocessing: Preprocessing, limits: Limits = LIMITS) -> np.ndarray:
    """Return a file's picture as uint8 (height, width, 3) RGB, upright, at the preprocessing's size.

    Only the first frame is looked at. Transparent parts lie over white; 16-bit grey is scaled to 8 bits; colour
    profiles are ignored. JPEGs much larger than needed are decoded at 1/2, 1/4 or 1/8 of their size. Raises Rejected.
    """
    if not content:
        raise Rejected("empty")
    if len(content) > limits.file_bytes:
        raise Rejected("too_large", f"more than {limits.file_bytes} bytes")
    name = sniff(content)
    if name is None:
        raise Rejected("not_an_image")
    if name not in READ:
        raise Rejected("unsupported_format", name)
    try:
        return _pixels(content, name, preprocessing, limits)
    except Rejected:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as err:
        raise Rejected("too_large", _words(err)) from err
    except Exception as err:  # decoders raise anything: OSError, ValueError, SyntaxError, KeyError …
        raise Rejected(_reason(content, name, err), _words(err)) from err


def _pixels(content: bytes, name: str, preprocessing: Preprocessing, limits: Limits) -> np.ndarray:
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    with Image.open(io.BytesIO(content), formats=(name,)) as image:
        if image.width * image.height > limits.pixels:
            raise Rejected("too_large", f"{image.width} x {image.height} pixels, the limit is {limits.pixels}")
        size = (preprocessing.width, preprocessing.height)
        turn = None
        whole = image.width * image.height
        if name == "JPEG":
            turn = _turn(image)
            image.draft(None, size[::-1] if turn in _SIDES_SWAPPED else size)
            if not image.info.get("progressive"):  # those are held at full size, however small they are wanted
                whole = image.width * image.height
        with _one_large if whole > _LARGE else nullcontext():
            image.load()
            if name == "PNG" and lacks_lines(content, image):
                raise Rejected("truncated", "lines are missing")
            if name != "JPEG":
                turn = _turn(image)  # a PNG may keep its orientation behind the pixels; Pillow turns a TIFF itself
            upright = _plain(image)
            if turn is not None:
                upright = upright.transpose(turn)
            return np.asarray(fit(upright, preprocessing).convert("RGB"))


def fit(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """Return a picture at the preprocessing's size, by its resize policy, with bilinear antialiasing.

    The policy "inside", for thumbnails and not for networks, keeps the aspect without borders: one side is smaller.
    """
    width, height = preprocessing.width, preprocessing.height
    if image.size == (width, height):
        return image
    if preprocessing.resize == "crop":
        return ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
    if preprocessing.resize in ("pad", "inside"):
        scale = max(image.width / width, image.height / height)
        inner = (max(1, round(image.width / scale)), max(1, round(image.height / scale)))
        resized = image.resize(inner, Image.Resampling.BILINEAR)
        if preprocessing.resize == "inside":
            return resized
        canvas = Image.new(image.mode, (width, height))
        canvas.paste(resized, ((width - inner[0]) // 2, (height - inner[1]) // 2))
        return canvas
    return image.resize((width, height), Image.Resampling.BILINEAR)


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block means: upright
        return None


def _plain(image: Image.Image) -> Image.Image:
    """Return the picture as mode L or RGB, whatever its mode."""
    if image.mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((deep + 128) // 257).astype(np.uint8))
    if image.mode == "LAB":
        from PIL import ImageCms

        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert converted is not None
        return converted
    if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"):
        raise Rejected("unsupported_format", f"pixels of kind {image.mode}")
    if image.has_transparency_data:
        layered = image if image.mode == "RGBA" else image.convert("RGBA")
        over = Image.new("RGB", image.size, "white")
        over.paste(layered, mask=layered.getchannel("A"))
        return over
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")


def _reason(content: bytes, name: str, err: Exception) -> str:
    words = str(err).lower()
    if "truncated" in words or (isinstance(err, struct.error | EOFError)) or ends_early(content, name):
        return "truncated"
    if isinstance(err, NotImplementedError) or "unsupported" in words or "not supported" in words:
        return "unsupported_format"
    return "corrupt"


def _words(err: BaseException) -> str:
    if isinstance(err, UnidentifiedImageError):
        return "its header cannot be read"
    return f"{type(err).__name__}: {err}"[:200]
