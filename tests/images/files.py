"""Picture files for the tests, made in memory: good ones of every kind, and bad ones with the reason they must get."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageCms


def picture(width: int = 64, height: int = 48) -> Image.Image:
    """Return a smooth picture whose four corners differ: red, green, blue, white."""
    down, across = np.mgrid[0:height, 0:width].astype(float)
    down, across = down / max(1, height - 1), across / max(1, width - 1)
    red = (1 - down) * (1 - across) + down * across
    green = (1 - down) * across + down * across
    blue = down * (1 - across) + down * across
    return Image.fromarray((np.stack([red, green, blue], -1) * 255).astype(np.uint8))


def encoded(image: Image.Image, name: str, **options: Any) -> bytes:
    """Return a picture as the bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, name, **options)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, raw: bytes, *, depth: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    """Return a PNG with any header over any raw lines."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def short_png(*, interlaced: bool = False) -> bytes:
    """Return a well-formed PNG of 64 x 48 whose stream ends before its last lines: Pillow fills them with black."""
    level = 0 if interlaced else 200  # the zeros are also the filter types of all passes
    return png(64, 48, (b"\x00" + bytes([level]) * 64 * 3) * 30, interlaced=int(interlaced))


def announcing(jpeg: bytes, width: int, height: int) -> bytes:
    """Return a JPEG whose header announces another size."""
    frame = jpeg.index(b"\xff\xc0")
    return jpeg[: frame + 5] + struct.pack(">HH", height, width) + jpeg[frame + 9 :]


@functools.cache
def bad_files() -> dict[str, tuple[bytes, str]]:
    """Return name -> (bytes, reason) for files that must be rejected."""
    photo = picture(200, 150)
    jpeg, whole_png, gif = encoded(photo, "JPEG"), encoded(photo, "PNG"), encoded(photo, "GIF")
    webp, bmp, tiff = encoded(photo, "WEBP"), encoded(photo, "BMP"), encoded(photo, "TIFF")
    damaged = bytearray(whole_png)
    damaged[len(damaged) // 2 : len(damaged) // 2 + 40] = bytes(40)
    return {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"hello, I am not a picture\n" * 20, "not_an_image"),
        "zeros.png": (bytes(5000), "not_an_image"),
        "page.jpg": (b"<!doctype html><html><body>404</body></html>", "not_an_image"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "truncated"),
        "cut_in_header.jpg": (jpeg[:100], "truncated"),
        "cut.png": (whole_png[: len(whole_png) // 2], "truncated"),
        "cut_in_header.png": (whole_png[:20], "truncated"),
        "short.png": (short_png(), "truncated"),
        "short_interlaced.png": (short_png(interlaced=True), "truncated"),
        "cut.gif": (gif[: len(gif) // 2], "truncated"),
        "cut.webp": (webp[: len(webp) // 2], "truncated"),
        "cut.bmp": (bmp[: len(bmp) // 2], "truncated"),
        "cut.tif": (tiff[: len(tiff) // 2], "truncated"),
        "damaged.png": (bytes(damaged), "corrupt"),
        "bomb.png": (png(20_000, 20_000, bytes(1000), depth=1, colour=0), "too_large"),
        "big.png": (png(9_000, 8_000, bytes(1000), depth=1, colour=0), "too_large"),
        "cut.avif": (encoded(photo, "AVIF")[:400], "truncated"),
        "large.jpg": (announcing(jpeg, 12_000, 10_001), "too_large"),
        "page.eps": (encoded(photo, "EPS"), "unsupported_format"),
        "eps_called.jpg": (encoded(photo, "EPS"), "unsupported_format"),
        "document.pdf": (encoded(photo, "PDF"), "unsupported_format"),
        "layers.psd": (b"8BPS\x00\x01" + bytes(200), "unsupported_format"),
        "drawing.svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported_format"),
        "icon.ico": (encoded(photo, "ICO"), "unsupported_format"),
        "old.ppm": (encoded(photo, "PPM"), "unsupported_format"),
    }


def _lab(image: Image.Image) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert converted is not None
    return converted


@functools.cache
def good_files() -> dict[str, bytes]:
    """Return name -> bytes of the picture of `picture(200, 150)` in every kind that is read, names lying here and there."""
    photo = picture(200, 150)
    grey = photo.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    return {
        "plain.jpg": encoded(photo, "JPEG", quality=95),
        "progressive.jpg": encoded(photo, "JPEG", quality=95, progressive=True),
        "cmyk.jpg": encoded(photo.convert("CMYK"), "JPEG", quality=95),
        "two.mpo": encoded(photo, "MPO", save_all=True, append_images=[photo.rotate(90)], quality=95),
        "plain.png": encoded(photo, "PNG"),
        "jpeg_called.png": encoded(photo, "JPEG", quality=95),
        "no_ending": encoded(photo, "PNG"),
        "palette.png": encoded(photo.quantize(255), "PNG"),
        "alpha.png": encoded(photo.convert("RGBA"), "PNG"),
        "plain.gif": encoded(photo, "GIF"),
        "moving.gif": encoded(photo, "GIF", save_all=True, append_images=[photo.rotate(90)] * 3),
        "plain.bmp": encoded(photo, "BMP"),
        "plain.webp": encoded(photo, "WEBP", quality=95),
        "moving.webp": encoded(photo, "WEBP", save_all=True, append_images=[photo.rotate(90)], quality=95),
        "plain.tif": encoded(photo, "TIFF"),
        "lab.tif": encoded(_lab(photo), "TIFF"),
        "packed.tif": encoded(photo, "TIFF", compression="tiff_lzw"),
        "cmyk.tif": encoded(photo.convert("CMYK"), "TIFF"),
        "deep_grey.png": encoded(deep, "PNG"),
        "deep_grey.tif": encoded(deep, "TIFF"),
        "twelve_bit_grey.png": encoded(Image.fromarray(np.asarray(grey).astype(np.uint16) * 16), "PNG"),
        "twelve_bit_grey.tif": encoded(Image.fromarray(np.asarray(grey).astype(np.uint16) * 16), "TIFF"),
        "float_grey.tif": encoded(Image.fromarray(np.asarray(grey).astype(np.float32) / 255), "TIFF"),
        "int_grey.tif": encoded(Image.fromarray(np.asarray(grey).astype(np.int32)), "TIFF"),
        "plain.avif": encoded(photo, "AVIF", quality=95),
        "grey.jpg": encoded(grey, "JPEG", quality=95),
        "grey_alpha.png": encoded(grey.convert("LA"), "PNG"),
    }
