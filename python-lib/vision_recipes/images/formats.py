"""What a file's bytes say of it: its format (names never decide, what is not listed is never opened) and its end."""

from __future__ import annotations

import io
import re
import struct
import zlib
from contextlib import suppress

from PIL import Image

READ = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF")
"""The formats that are read, by Pillow's names. MPO is a JPEG with more pictures behind the first.

AVIF needs a Pillow that was built with it, HEIF (HEIC) the library pillow-heif.
"""

_SIGNATURES: tuple[tuple[str, str], ...] = (
    ("JPEG", r"\xff\xd8\xff"),
    ("PNG", r"\x89PNG\r\n\x1a\n"),
    ("GIF", r"GIF8[79]a"),
    ("BMP", r"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00"),
    ("WEBP", r"RIFF.{4}WEBP"),
    ("TIFF", r"II\x2a\x00|MM\x00\x2a|II\x2b\x00\x08|MM\x00\x2b\x00\x08"),
    ("PSD", r"8BPS"),
    ("EPS", r"%!PS|\xc5\xd0\xd3\xc6"),
    ("PDF", r"%PDF-"),
    ("SVG", r"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*|<!DOCTYPE svg[^>]*>\s*)*<svg[\s>]"),
    ("AVIF", r"\x00\x00.{2}ftyp(avif|avis|(mif1|msf1|miaf).{4}(.{4}){0,30}avi[fs])"),
    ("HEIF", r".{4}ftyp(heic|heix|hevc|hevx|heim|heis|hevm|hevs|mif1|msf1)"),
    ("JPEG 2000", r"\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
    ("JPEG XL", r"\xff\x0a|\x00\x00\x00\x0cJXL \r\n\x87\n"),
    ("JPEG XR", r"II\xbc[\x00\x01]"),
    ("icon", r"\x00\x00[\x01\x02]\x00[^\x00]\x00..[\x00-\x20]\x00"),
    ("ICNS", r"icns"),
    ("DDS", r"DDS \x7c\x00\x00\x00"),
    ("PNM", r"P[1-7]\s|P[Ff]\n"),
    ("QOI", r"qoif"),
    ("OpenEXR", r"\x76\x2f\x31\x01"),
    ("Radiance HDR", r"#\?(RADIANCE|RGBE)"),
    ("FITS", r"SIMPLE  ="),
    ("SGI", r"\x01\xda[\x00\x01][\x01\x02]"),
    ("SUN raster", r"\x59\xa6\x6a\x95"),
    ("PCX", r"\x0a[\x00\x02\x03\x05]\x01[\x01\x02\x04\x08]"),
    ("WMF or EMF", r"\xd7\xcd\xc6\x9a|\x01\x00\x00\x00.{36} EMF"),
    ("FLI", r".{4}[\x11\x12]\xaf.{8}[\x00\x03]\x00"),
    ("BLP", r"BLP[12]"),
    ("DICOM", r".{128}DICM"),
    ("McIDAS", r"\x00\x00\x00\x00\x00\x00\x00\x04"),
    ("XPM", r"/\* XPM \*/"),
    ("XBM", r"\s*(/\*.*?\*/\s*)?#define\s+\S+_width\s"),
    ("GIMP", r"gimp xcf "),
    ("HDF5, GRIB or BUFR", r"\x89HDF\r\n\x1a\n|GRIB|BUFR"),
    ("BigTIFF", r"II\x2b\x00|MM\x00\x2b"),
)
_MATCHERS = tuple((name, re.compile(pattern.encode("ascii"), re.DOTALL)) for name, pattern in _SIGNATURES)
_HEAD = 1024

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: first column, first row, column step and row step of each pass (PNG specification, section 8.2)."""


def sniff(content: bytes) -> str | None:
    """Return the name of the picture format that the first bytes announce, or None when they announce no picture."""
    head = content[:_HEAD]
    return next((name for name, matcher in _MATCHERS if matcher.match(head)), None)


def ends_early(content: bytes, name: str) -> bool:
    """Return whether a file in one of the formats in READ lacks its end, as far as its framing shows."""
    match name:
        case "JPEG":
            return b"\xff\xd9" not in content[-4096:]
        case "PNG":
            return b"IEND" not in content[-4096:]
        case "GIF":
            return b"\x3b" not in content[-16:]
        case "BMP":
            return int.from_bytes(content[2:6], "little") > len(content)
        case "WEBP":
            return int.from_bytes(content[4:8], "little") + 8 > len(content)
        case "AVIF" | "HEIF":
            return _boxes_end(content) > len(content)
    return False


def png_significant_bits(content: bytes) -> int:
    """Return how many bits of a grey value count, as a PNG's sBIT chunk says; 0 when it does not."""
    place = 8
    while 8 <= place <= len(content) - 9:
        length, kind = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        if kind in (b"IDAT", b"PLTE"):
            break
        if kind == b"sBIT" and 8 < content[place + 8] < 16:
            return content[place + 8]
        place += 12 + length
    return 0


def _boxes_end(content: bytes) -> int:
    """Return where the last of the boxes ends that an HEIF or AVIF file consists of."""
    place = 0
    while place + 16 <= len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        if size == 1:
            size = int.from_bytes(content[place + 8 : place + 16], "big")
        if size < 8:  # 0: up to the end of the file
            break
        place += size
    return place


def lacks_lines(content: bytes, image: Image.Image) -> bool:
    """Return whether a decoded PNG's data ends before its last line, which Pillow fills with black then.

    The data is only counted when the last line is black or the lines are interlaced.
    """
    if not image.info.get("interlace") and any(image.crop((0, image.height - 1, *image.size)).tobytes()):
        return False
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content[16:29])
    bits, expected = depth * _SAMPLES.get(colour, 4), 0
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -((left - width) // across), -((top - height) // down)
        if columns > 0 and rows > 0:
            expected += rows * (1 + (columns * bits + 7) // 8)
    return _inflated_bytes(content, expected) < expected


def _inflated_bytes(content: bytes, enough: int) -> int:
    """Return how many bytes a PNG's data chunks hold when inflated; counting stops once there are enough."""
    stream, total, position = zlib.decompressobj(), 0, 8
    with suppress(zlib.error):
        while position + 8 <= len(content) and total < enough:
            length = int.from_bytes(content[position : position + 4], "big")
            if content[position + 4 : position + 8] == b"IDAT":
                packed = content[position + 8 : position + 8 + length]
                while packed and total < enough and not stream.eof:
                    total += len(stream.decompress(packed, 1 << 20))
                    packed = stream.unconsumed_tail
            position += 12 + length
    return total


def has_unknown_pixels(content: bytes) -> bool:
    """Return whether a TIFF is whole as far as its header goes, with pixels of a kind that Pillow does not know."""
    from PIL import TiffImagePlugin

    try:
        TiffImagePlugin.TiffImageFile(io.BytesIO(content))
    except SyntaxError as err:
        return "unknown" in str(err)
    except Exception:  # damaged in some other way
        return False
    return False
