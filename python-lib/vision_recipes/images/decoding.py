"""The bytes of one file to the pixels that a network sees, or the reason why not."""

from __future__ import annotations

import io
import logging
import struct
import threading
import warnings
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile, JpegImagePlugin, UnidentifiedImageError, features

from vision_recipes.images.formats import READ, ends_early, has_unknown_pixels, lacks_lines, sniff
from vision_recipes.images.resampling import Convert, fit, kept
from vision_recipes.preprocessing import Preprocessing

warnings.filterwarnings("ignore", module=r"PIL\.")  # what matters is a reason; the rest would be noise in job logs
logging.getLogger("PIL").setLevel(logging.CRITICAL)

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
_LARGE = 8_000_000
_one_large = threading.Lock()
"""Pictures of more than _LARGE pixels are decoded one at a time, so that memory stays bounded whatever the threads."""


@dataclass(frozen=True)
class Limits:
    """What one picture may cost: `file_bytes`, `pixels` at full size, seconds for reading and for decoding.

    `jpeg_pixels` and `jpeg_memory` (bytes) bound JPEGs, which are mostly decoded at a part of their size. `scans`: a
    progressive JPEG with more scans than this is decoded in a separate process, where it can be stopped.
    """

    file_bytes: int = 100_000_000
    pixels: int = 50_000_000
    jpeg_pixels: int = 120_000_000
    jpeg_memory: int = 850_000_000
    read_seconds: float = 120.0
    decode_seconds: float = 20.0
    scans: int = 24


LIMITS = Limits()


class Rejected(Exception):
    """A file that gives no pixels: `reason` is a key of pictures.REASONS, `detail` says more for the log."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def decode(content: bytes, preprocessing: Preprocessing, limits: Limits = LIMITS) -> np.ndarray:
    """Return a file's picture as uint8 (height, width, 3) RGB, upright, at the preprocessing's size.

    Only the first frame is looked at. Transparent parts lie over white; deep grey is stretched to 8 bits (deep_grey);
    colour profiles are ignored. JPEGs much larger than needed are decoded at 1/2 or 1/4 of their size where that gives
    the same picture (jpeg_scaling). Raises Rejected.
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
    if name == "JPEG":
        fitted = _jpeg(content, preprocessing, limits) or _jpeg(content, preprocessing, limits, whole=True)
        assert fitted is not None
        return np.asarray(fitted.convert("RGB"))
    if name == "HEIF":
        _read_heif()
    if name == "AVIF" and not features.check("avif"):
        raise Rejected("unsupported_format", "AVIF: this Pillow cannot read it; update Pillow, or convert to JPEG")
    with Image.open(io.BytesIO(content), formats=(name,)) as image:
        _require_at_most(limits.pixels, image)
        with _one_large if image.width * image.height > _LARGE else nullcontext():
            image.load()
            if name == "PNG" and lacks_lines(content, image):
                raise Rejected("truncated", "lines are missing")
            turn = _turn(image)  # a PNG may keep its orientation behind the pixels; Pillow turns a TIFF itself
            fitted = fit(image, preprocessing, _conversion(image, content), turn=turn)
    return np.asarray(fitted.convert("RGB"))


def _jpeg(content: bytes, preprocessing: Preprocessing, limits: Limits, *, whole: bool = False) -> Image.Image | None:
    """Return a JPEG's picture at the preprocessing's size; None when decoding a part of its size is not enough."""
    from vision_recipes.images import jpeg_end, jpeg_scaling

    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        _require_at_most(limits.jpeg_pixels, image)
        if jpeg_end.too_short(content):
            raise Rejected("truncated", f"{len(content)} bytes cannot hold {image.width} x {image.height} pixels")
        (width, height), turn = image.size, _turn(image)
        part, goal = kept(width, height, preprocessing, turn)
        scale = 1 if whole else jpeg_scaling.usable_scale(image, part, goal)
        memory = jpeg_scaling.decoded_bytes(image, several_scans=jpeg_end.several_scans(content), scale=scale)
        if memory > limits.jpeg_memory:
            raise Rejected("too_large", f"{width} x {height} pixels in several scans take {memory >> 20} MiB")
        image.draft(None, (width // scale, height // scale))
        with _one_large if memory > 4 * _LARGE else nullcontext():
            image.load()
            extent = width / scale, height / scale
            fitted = fit(image, preprocessing, _conversion(image, content), extent=extent, turn=turn)
            if scale == 1:
                return fitted
            half = fit(image.reduce(2), preprocessing, _same, extent=(extent[0] / 2, extent[1] / 2), turn=turn)
            box = part[0] / scale, part[1] / scale, part[2] / scale, part[3] / scale
            if not jpeg_scaling.faithful(image, len(content), scale, box, (fitted, half)):
                return None
            return fitted if jpeg_scaling.same_at_top(content, image, scale, part, goal) else None


def repaired(content: bytes, limits: Limits = LIMITS) -> bytes | None:
    """Return a JPEG that lacks only its end marker with it; None for every other file, and for one past the limits."""
    from vision_recipes.images import jpeg_end, jpeg_scaling

    if sniff(content) != "JPEG" or jpeg_end.too_short(content):
        return None
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            assert isinstance(image, JpegImagePlugin.JpegImageFile)
            memory = jpeg_scaling.decoded_bytes(image, several_scans=jpeg_end.several_scans(content), scale=1)
            if image.width * image.height > limits.jpeg_pixels or memory > limits.jpeg_memory:
                return None
    except Exception:  # as in decode
        return None
    with _one_large if memory > 4 * _LARGE else nullcontext():
        return jpeg_end.completed(content)


def _require_at_most(pixels: int, image: Image.Image) -> None:
    if image.width * image.height > pixels:
        raise Rejected("too_large", f"{image.width} x {image.height} pixels, the limit is {pixels}")


def _read_heif() -> None:
    """Have Pillow read HEIF; raises Rejected when the library for it is not installed."""
    if "HEIF" in Image.OPEN:
        return
    try:
        from pillow_heif import register_heif_opener
    except ImportError as err:
        raise Rejected("unsupported_format", "HEIC: install pillow-heif, or convert the pictures to JPEG") from err
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block means: upright
        return None


def _conversion(image: Image.Image, content: bytes) -> Convert:
    """Return the function that converts a strip of the picture to mode L or RGB."""
    if image.mode in ("L", "RGB") and not image.has_transparency_data:
        return _same
    if image.mode == "F" or image.mode.startswith("I"):
        from vision_recipes.images import deep_grey

        (black, white), unsigned = deep_grey.grey_range(image, content), deep_grey.is_unsigned(image)
        return lambda strip: deep_grey.stretched(strip, black, white, unsigned=unsigned)
    if image.mode == "LAB":
        from PIL import ImageCms

        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
        return lambda strip: _converted(strip, transform)
    if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"):
        raise Rejected("unsupported_format", f"pixels of kind {image.mode}")
    if image.has_transparency_data:
        return _over_white
    return lambda strip: strip.convert("L" if image.mode == "1" else "RGB")


def _same(strip: Image.Image) -> Image.Image:
    return strip


def _converted(strip: Image.Image, transform: object) -> Image.Image:
    from PIL import ImageCms

    converted = ImageCms.applyTransform(strip, transform)  # type: ignore[arg-type]
    assert converted is not None
    return converted


def _over_white(strip: Image.Image) -> Image.Image:
    layered = strip if strip.mode == "RGBA" else strip.convert("RGBA")
    over = Image.new("RGB", strip.size, "white")
    over.paste(layered, mask=layered.getchannel("A"))
    return over


def _reason(content: bytes, name: str, err: Exception) -> str:
    words = str(err).lower()
    if "truncated" in words or (isinstance(err, struct.error | EOFError)) or ends_early(content, name):
        return "truncated"
    if isinstance(err, NotImplementedError) or "unsupported" in words or "not supported" in words:
        return "unsupported_format"
    if name == "TIFF" and isinstance(err, UnidentifiedImageError) and has_unknown_pixels(content):
        return "unsupported_format"
    return "too_large" if "too large" in words else "corrupt"


def _words(err: BaseException) -> str:
    if isinstance(err, UnidentifiedImageError):
        return "its header cannot be read"
    return f"{type(err).__name__}: {err}"[:200]
