"""The check that every model carries."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.checks import COUNT, Check, draw_pictures, read_check, read_npz, write_check

PICTURES = draw_pictures(20, 12)
SCORES = np.linspace(0, 1, COUNT * 3, dtype=np.float32).reshape(COUNT, 3)


def test_pictures_are_always_the_same_and_differ_from_each_other():
    assert PICTURES.shape == (COUNT, 12, 20, 3)
    assert PICTURES.dtype == np.uint8
    np.testing.assert_array_equal(PICTURES, draw_pictures(20, 12))
    assert len({picture.tobytes() for picture in PICTURES}) == COUNT
    assert PICTURES.std() > 40


def test_a_check_is_read_as_it_was_written():
    content = write_check(Check(PICTURES, SCORES))
    assert content == write_check(Check(PICTURES, SCORES))
    found = read_check(content, "check.npz", (12, 20), 3)
    np.testing.assert_array_equal(found.pictures, PICTURES)
    np.testing.assert_array_equal(found.scores, SCORES)


def test_other_scores_are_refused_with_the_largest_difference():
    check = Check(PICTURES, SCORES)
    check.require(SCORES + np.float32(5e-4), "here")
    moved = SCORES.copy()
    moved[1, 2] += 0.02
    with pytest.raises(ModelFolderError, match=r"here.*differs by 0\.02, more than 0\.001"):
        check.require(moved, "here")
    with pytest.raises(ModelFolderError, match="inf"):
        check.require(SCORES[:, :2], "here")
    with pytest.raises(ModelFolderError, match="inf"):
        check.require(np.full_like(SCORES, np.nan), "here")


def archive(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name.replace("_npy", ".npy"), content)
    return stream.getvalue()


def npy(values, **options):
    stream = io.BytesIO()
    np.save(stream, values, **options)
    return stream.getvalue()


def lying(shape):
    return npy(SCORES).replace(str(SCORES.shape).encode(), str(shape).encode()[: len(str(SCORES.shape))])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 cut",
        archive(pictures_npy=npy(PICTURES)),
        archive(pictures_npy=npy(PICTURES), scores_npy=npy(SCORES), more_npy=b""),
        archive(pictures_npy=npy(PICTURES), scores_npy=npy(np.array([{"a": 1}], object), allow_pickle=True)),
        archive(pictures_npy=npy(PICTURES), scores_npy=lying((9, 9))),
        archive(pictures_npy=npy(PICTURES[:, :6]), scores_npy=npy(SCORES)),
        archive(pictures_npy=npy(PICTURES), scores_npy=npy(SCORES * np.nan)),
        archive(pictures_npy=npy(PICTURES), scores_npy=npy(SCORES.astype(np.float64))),
        archive(pictures_npy=npy(np.zeros((4000, 12, 20, 3), np.uint8)), scores_npy=npy(SCORES)),
    ],
    ids=["empty", "cut", "one missing", "one more", "pickle", "lying", "other size", "nan", "double", "bomb"],
)
def test_other_archives_are_refused(content):
    with pytest.raises(ModelFolderError, match=r"check\.npz"):
        read_check(content, "check.npz", (12, 20), 3)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_array_that_unpacks_to_more_than_it_says_takes_no_memory(method):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("values.npy", bytes(64 << 20))
    honest = (64 << 20).to_bytes(4, "little")
    content = stream.getvalue().replace(honest, (100).to_bytes(4, "little"))
    tracemalloc.start()
    with pytest.raises(ModelFolderError, match="bomb.npz"):
        read_npz(content, "bomb.npz", {"values": 400})
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
