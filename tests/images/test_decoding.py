"""Each kind of file becomes the right pixels or the right reason."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from images.files import bad_files, encoded, good_files, picture, png, short_png
from PIL import Image, ImageFile

from vision_recipes.images.decoding import Limits, Rejected, decode
from vision_recipes.pictures import REASONS
from vision_recipes.preprocessing import Preprocessing

SMALL = Preprocessing(40, 30)


@pytest.mark.parametrize("name", good_files())
def test_every_readable_kind_gives_the_same_picture(name: str) -> None:
    pixels = decode(good_files()[name], SMALL)
    photo = picture(200, 150).convert("L").convert("RGB") if "grey" in name else picture(200, 150)
    expected = np.asarray(photo.resize((40, 30), Image.Resampling.BILINEAR))
    assert pixels.dtype == np.uint8 and pixels.shape == (30, 40, 3)
    assert np.abs(pixels.astype(int) - expected).mean() < (9 if name.endswith("gif") else 4)


@pytest.mark.parametrize("name", bad_files())
def test_every_bad_file_gets_its_reason(name: str) -> None:
    content, reason = bad_files()[name]
    with pytest.raises(Rejected) as caught:
        decode(content, SMALL)
    assert caught.value.reason == reason, caught.value
    assert reason in REASONS


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "MPO"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(kind: str, orientation: int) -> None:
    upright = picture(96, 64)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that stores the picture turned that way
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind in ("JPEG", "WEBP", "MPO") else {}
    pixels = decode(encoded(stored, kind, exif=exif, **options), Preprocessing(24, 16))
    expected = np.asarray(upright.resize((24, 16), Image.Resampling.BILINEAR))
    assert np.abs(pixels.astype(int) - expected).mean() < 6


@pytest.mark.parametrize(
    "exif", [b"Exif\x00\x00", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00" + b"\xff" * 60]
)
def test_damaged_exif_means_upright(exif: bytes) -> None:
    plain = encoded(picture(), "JPEG", quality=95)
    block = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.array_equal(decode(plain[:2] + block + plain[2:], SMALL), decode(plain, SMALL))


def test_an_orientation_that_does_not_exist_means_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    with_exif = encoded(picture(), "PNG", exif=exif)
    assert np.array_equal(decode(with_exif, SMALL), decode(encoded(picture(), "PNG"), SMALL))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_lie_over_white(mode: str) -> None:
    image = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    stream = io.BytesIO()
    if mode == "P":
        Image.new("P", (10, 10), 0).save(stream, "PNG", transparency=0)
    else:
        image.convert(mode).save(stream, "PNG")
    assert (decode(stream.getvalue(), Preprocessing(5, 5)) == 255).all()


def test_half_transparent_black_is_grey() -> None:
    image = Image.new("RGBA", (10, 10), (0, 0, 0, 128))
    assert (decode(encoded(image, "PNG"), Preprocessing(5, 5)) == 127).all()


def test_deep_grey_is_scaled_not_clipped() -> None:
    steps = np.linspace(0, 65535, 100).astype(np.uint16).reshape(10, 10)
    pixels = decode(encoded(Image.fromarray(steps), "PNG"), Preprocessing(10, 10))
    assert np.array_equal(pixels[..., 0], np.round(steps / 257).astype(np.uint8))


def test_bilevel_pictures_are_black_and_white() -> None:
    pixels = decode(encoded(Image.new("1", (8, 8), 1), "PNG"), Preprocessing(8, 8))
    assert (pixels == 255).all()


def test_cmyk_of_photoshop_is_not_inverted() -> None:
    assert decode(encoded(Image.new("CMYK", (16, 16), (0, 0, 0, 0)), "JPEG"), SMALL).mean() > 250


def test_crop_keeps_the_aspect_and_cuts_the_centre() -> None:
    wide = Image.new("RGB", (300, 100), (255, 0, 0))
    wide.paste((0, 255, 0), (100, 0, 200, 100))
    pixels = decode(encoded(wide, "PNG"), Preprocessing(20, 20, resize="crop"))
    assert pixels[..., 1].mean() > 245


def test_pad_keeps_the_aspect_and_adds_black() -> None:
    wide = Image.new("RGB", (300, 100), (255, 255, 255))
    pixels = decode(encoded(wide, "PNG"), Preprocessing(30, 30, resize="pad"))
    assert (pixels[:10] == 0).all() and (pixels[10:20] == 255).all() and (pixels[20:] == 0).all()


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2), (30, 30)])
def test_every_shape_fits(resize: str, size: tuple[int, int]) -> None:
    pixels = decode(encoded(picture(*size), "PNG"), Preprocessing(20, 30, resize=resize))
    assert pixels.shape == (30, 20, 3)


def test_reduced_decoding_of_a_large_jpeg_gives_the_full_picture() -> None:
    photo = picture(2000, 1500)
    pixels = decode(encoded(photo, "JPEG", quality=95), Preprocessing(100, 75))
    expected = np.asarray(photo.resize((100, 75), Image.Resampling.BILINEAR))
    assert np.abs(pixels.astype(int) - expected).max() < 12


def test_caps_are_the_limits_that_are_given() -> None:
    content = encoded(picture(), "PNG")
    for limits in (Limits(pixels=64 * 48 - 1), Limits(file_bytes=len(content) - 1)):
        with pytest.raises(Rejected) as caught:
            decode(content, SMALL, limits)
        assert caught.value.reason == "too_large"
    assert decode(content, SMALL, Limits(pixels=64 * 48, file_bytes=len(content))).any()


@pytest.mark.parametrize(("depth", "colour", "samples"), [(8, 2, 3), (8, 6, 4), (1, 0, 1), (16, 0, 1), (8, 4, 2)])
def test_black_pngs_with_all_their_lines_are_read(depth: int, colour: int, samples: int) -> None:
    lines = (b"\x00" + bytes((64 * samples * depth + 7) // 8)) * 48
    assert decode(png(64, 48, lines, depth=depth, colour=colour), SMALL).shape == (30, 40, 3)
    with pytest.raises(Rejected):
        decode(png(64, 48, lines[:-1], depth=depth, colour=colour), SMALL)


@pytest.mark.parametrize(("width", "height"), [(64, 48), (1, 1), (2, 3), (5, 1), (9, 9)])
def test_interlaced_pngs_are_read_when_no_line_is_missing(width: int, height: int) -> None:
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    sizes = [(len(range(left, width, across)), len(range(top, height, down))) for left, top, across, down in passes]
    lines = bytes(sum(rows * (1 + 3 * columns) for columns, rows in sizes if columns))
    assert (decode(png(width, height, lines, interlaced=1), SMALL) == 0).all()
    with pytest.raises(Rejected):
        decode(png(width, height, lines[:-1], interlaced=1), SMALL)


def test_other_code_cannot_make_truncated_pictures_acceptable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    content = encoded(picture(200, 150), "JPEG")
    for bad in (content[: len(content) // 2], short_png()):
        with pytest.raises(Rejected) as caught:
            decode(bad, SMALL)
        assert caught.value.reason == "truncated"


def test_no_other_program_is_started_for_postscript(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(Rejected):
        decode(encoded(picture(), "EPS"), SMALL)
