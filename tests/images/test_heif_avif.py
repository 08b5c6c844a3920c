"""AVIF and HEIC: read like other pictures where a library for them is there, otherwise refused with what to do."""

from __future__ import annotations

import struct
import sys
from contextlib import closing

import numpy as np
import pytest
from images.files import encoded, picture
from PIL import Image, features

from vision_recipes.images.decoder_process import DecoderProcess
from vision_recipes.images.decoding import Rejected, decode
from vision_recipes.images.formats import sniff
from vision_recipes.preprocessing import Preprocessing

SMALL = Preprocessing(40, 30)


def _file(kind: str, image: Image.Image, **options: object) -> bytes:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    return encoded(image, kind, quality=90, **options)


def _announcing(content: bytes, width: int, height: int) -> bytes:
    place = content.index(b"ispe") + 8
    return content[:place] + struct.pack(">II", width, height) + content[place + 8 :]


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_pictures_are_read_upright(kind: str, orientation: int) -> None:
    upright = picture(400, 300)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.rotate({1: 0, 3: 180, 6: 90, 8: -90}[orientation], expand=True)
    content = _file(kind, stored, exif=exif.tobytes())
    assert sniff(content) == kind
    expected = np.asarray(upright.resize((40, 30), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(decode(content, SMALL) - expected).mean() < 3


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_cut_and_oversized_files_get_a_reason(kind: str) -> None:
    content = _file(kind, picture(400, 300))
    cases = {
        content[: len(content) // 2]: ("truncated",),
        content[:100]: ("truncated",),
        _announcing(content, 40_000, 30_000): ("too_large", "corrupt"),
        _announcing(content, 9_000, 8_000): ("too_large", "corrupt"),
    }
    with closing(DecoderProcess()) as decoder:
        for bad, reasons in cases.items():
            with pytest.raises(Rejected) as caught:
                decoder.decode(bad, SMALL)
            assert caught.value.reason in reasons


def test_without_the_library_heic_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    with pytest.raises(Rejected, match="unsupported_format: HEIC: install pillow-heif, or convert"):
        decode(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100), SMALL)


def test_without_avif_in_pillow_avif_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda feature: False)
    with pytest.raises(Rejected, match="unsupported_format: AVIF: .*convert"):
        decode(b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1avif" + bytes(100), SMALL)


def test_brands_tell_avif_from_heic() -> None:
    assert sniff(b"\x00\x00\x00\x20ftypmif1\x00\x00\x00\x00mif1miafavif") == "AVIF"
    assert sniff(b"\x00\x00\x00\x20ftypmif1\x00\x00\x00\x00mif1miafheic") == "HEIF"
