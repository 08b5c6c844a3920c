"""What a model keeps of its pictures: the file, what it refuses, and the most similar pictures."""

import contextlib
import dataclasses
import io
import zipfile

import numpy as np
import pytest

from vision_recipes.dataset.splits import TRAIN, VALID
from vision_recipes.errors import ModelFolderError
from vision_recipes.images.webp import encode_webp, is_plain_webp
from vision_recipes.model_folder.checks import write_npz
from vision_recipes.model_folder.reference_pictures import (
    MOST,
    ReferencePictures,
    most_pictures,
    read_reference,
    write_reference,
)

WIDE, CLASSES = 8, 3
THUMBNAIL = encode_webp(np.full((40, 60, 3), 90, np.uint8), side=32)


def reference(count=6, scale=1.0):
    features = np.random.default_rng(0).normal(0, scale, (count, WIDE)).astype(np.float32)
    features[:, 2] = 0
    return ReferencePictures(
        paths=tuple(f"/é {number}\ud800.jpg" for number in range(count)),
        labels=np.arange(count) % CLASSES,
        sides=np.where(np.arange(count) < count - 2, TRAIN, VALID).astype(np.uint8),
        features=features,
        predicted=np.zeros(count, np.int64),
        probability=np.full(count, 0.75, np.float32),
        ood_scores=np.where(np.arange(count) % 2, np.nan, 0.5).astype(np.float32),
        thumbnails=(THUMBNAIL, b"") * (count // 2),
    )


def changed(**arrays):
    """The file with some of its arrays replaced by others."""
    with np.load(io.BytesIO(write_reference(reference())), allow_pickle=False) as stored:
        return write_npz({name: stored[name] for name in stored.files} | arrays)


@pytest.mark.parametrize("scale", [1.0, 1e30, 1e-20])
def test_reference_pictures_survive_their_file(scale):
    written = reference(scale=scale)
    content = write_reference(written)
    assert content == write_reference(reference(scale=scale))
    read = read_reference(content, "reference.npz", WIDE, CLASSES)
    for field in dataclasses.fields(ReferencePictures):
        if field.name != "features":
            np.testing.assert_array_equal(getattr(read, field.name), getattr(written, field.name))
    assert read.features == pytest.approx(written.features, rel=1e-3, abs=1e-4 * scale)


def test_the_nearest_are_training_pictures_in_order():
    kept = reference()
    found = kept.nearest(np.concatenate([kept.features[1], [5.0, 5.0]]), 10)
    assert [near.number for near in found][0] == 1 and found[0].similarity == pytest.approx(1)
    assert sorted(near.number for near in found) == [0, 1, 2, 3]
    assert [near.similarity for near in found] == sorted((near.similarity for near in found), reverse=True)


def test_long_vectors_are_kept_of_fewer_pictures():
    assert most_pictures(1280) == MOST > most_pictures(62720) > 0 == most_pictures(50_000_000)


HOSTILE = {
    "labels": [np.full(6, CLASSES, np.int32), np.full(6, -1, np.int32), np.zeros(6, np.int64), np.zeros(5, np.int32)],
    "sides": [np.full(6, 2, np.uint8), np.full(6, VALID, np.uint8)],
    "features": [np.full((6, WIDE), np.nan, np.float16), np.zeros((6, WIDE), np.float32), np.zeros((9, 9), np.float16)],
    "exponents": [np.full(WIDE, 200, np.int16), np.full(WIDE, 30_000, np.int16)],
    "probability": [np.full(6, 1.5, np.float32), np.full(6, np.nan, np.float32)],
    "ood_scores": [np.full(6, np.inf, np.float32)],
    "paths": [
        np.frombuffer(text, np.uint8) for text in (b"[" * 9000, b"[1,2,3,4,5,6]", b'{"a":1}', b'["/a.jpg"]', b"[]")
    ],
    "thumbnail_sizes": [np.full(6, 2**31 - 1, np.int32), np.full(6, -1, np.int32)],
    "thumbnails": [np.zeros(3 * len(THUMBNAIL), np.uint8), np.zeros(3, np.uint8), np.zeros(0, np.float64)],
    "more": [np.zeros(1, np.uint8)],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in HOSTILE.items() for value in values])
def test_a_strange_file_is_refused(name, value):
    with pytest.raises(ModelFolderError, match=r"reference\.npz"):
        read_reference(changed(**{name: value}), "reference.npz", WIDE, CLASSES)


def member(content, name="labels.npy"):
    """The file with the bytes of one array replaced."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(write_reference(reference()))) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.namelist():
            new.writestr(entry, content if entry == name else old.read(entry))
    return stream.getvalue()


def header(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


BROKEN = [
    b"",
    member(b"\x80\x04cos\nsystem\n."),
    member(header("{'descr': '|O', 'fortran_order': False, 'shape': (6,), }") + b"\x80\x04."),
    member(header("{'descr': '<i4', 'fortran_order': False, 'shape': (9223372036854775807, 9), }") + bytes(24)),
    member(header("{'descr': '<i4', 'fortran_order': False, 'shape': (1" + "0" * 30 + ",), }") + bytes(24)),
    member(header("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (6,), }") + bytes(24)),
    member(header("(" * 900)),
    member(bytes(1 << 24)),
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_refused(content):
    with pytest.raises(ModelFolderError, match=r"reference\.npz"):
        read_reference(content, "reference.npz", WIDE, CLASSES)


def test_a_file_damaged_anywhere_is_refused_or_read_whole():
    content, draw = write_reference(reference()), np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        for place in draw.integers(0, len(content), 3):
            damaged[place] = draw.integers(256)
        with contextlib.suppress(ModelFolderError):
            assert len(read_reference(bytes(damaged), "reference.npz", WIDE, CLASSES)) == 6


def test_only_small_plain_webp_pictures_are_thumbnails():
    assert is_plain_webp(THUMBNAIL, 32) and not is_plain_webp(THUMBNAIL, 31)
    animation = b"RIFF\x22\x00\x00\x00WEBPVP8X" + bytes(26)
    for other in (b"", THUMBNAIL[:-1], THUMBNAIL + b"<script>", b"<svg/>" * 20, animation, b"GIF89a" + THUMBNAIL[6:]):
        assert not is_plain_webp(other, 32)
    tall = encode_webp(np.zeros((300, 2, 3), np.uint8), side=32)
    assert is_plain_webp(tall, 32)
