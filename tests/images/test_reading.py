"""A folder becomes one picture per path, in order, whatever the files are; memory and time stay bounded."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from images.files import bad_files, encoded, good_files, picture
from PIL import Image

from vision_recipes.images.decoding import Limits, decode
from vision_recipes.images.reading import hidden, read
from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import LocalStore

SMALL = Preprocessing(40, 30)


class MemoryStore:
    """Files in a dict; only streams, as on a remote storage."""

    name = "memory"

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.opened: list[str] = []

    def paths(self) -> list[str]:
        return sorted(self.files)

    def open(self, path: str) -> BinaryIO:
        self.opened.append(path)
        return io.BytesIO(self.files[path])

    def size(self, path: str) -> int | None:
        return None

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        raise NotImplementedError

    def delete(self, path: str) -> None:
        raise NotImplementedError


def _read(store: object, **options: object) -> list[Picture]:
    return list(read(store, store.paths(), SMALL, **options))  # type: ignore[attr-defined,arg-type]


def test_a_half_hostile_folder_gives_one_picture_per_file_and_good_ones_are_as_alone(tmp_path: Path) -> None:
    for name, content in good_files().items():
        (tmp_path / name).write_bytes(content)
    for name, (content, _) in bad_files().items():
        (tmp_path / f"bad_{name}").write_bytes(content)
    os.mkfifo(tmp_path / "pipe.jpg")
    os.symlink("/etc/passwd", tmp_path / "passwd.jpg")
    os.symlink(tmp_path / "gone", tmp_path / "broken.jpg")
    os.symlink("loop.jpg", tmp_path / "loop.jpg")
    with open(tmp_path / "sparse.jpg", "wb") as stream:
        stream.truncate(5 << 30)
    store = LocalStore(tmp_path)
    pictures = _read(store)
    assert [found.path for found in pictures] == store.paths()
    reasons = {found.path[1:]: found.reason for found in pictures}
    assert {name: reasons.pop(name) for name in good_files()} == dict.fromkeys(good_files(), "")
    assert reasons == {f"bad_{name}": reason for name, (_, reason) in bad_files().items()} | {
        "pipe.jpg": "not_a_file",
        "passwd.jpg": "outside_folder",
        "broken.jpg": "missing",
        "loop.jpg": reasons["loop.jpg"],
        "sparse.jpg": "too_large",
    }
    assert reasons["loop.jpg"] in ("missing", "unreadable")
    for found in pictures:
        assert (found.pixels is None) == bool(found.reason)
        if found.pixels is not None:
            content = good_files()[found.path[1:]]
            assert found.digest == hashlib.sha256(content).hexdigest()
            assert np.array_equal(found.pixels, decode(content, SMALL))


def test_a_jpeg_that_lacks_only_its_end_marker_is_repaired_and_said_to_be() -> None:
    content = encoded(picture(208, 160), "JPEG", quality=95)
    store = MemoryStore({"/a.jpg": content[:-2], "/b.jpg": content, "/c.jpg": content[: len(content) * 2 // 3]})
    mended, whole, cut = _read(store)
    assert (mended.repaired, whole.repaired, cut.repaired) == (True, False, False)
    assert mended.pixels is not None and np.array_equal(mended.pixels, whole.pixels)
    assert mended.digest == hashlib.sha256(content[:-2]).hexdigest()
    assert cut.pixels is None and cut.reason == "truncated"


def test_thumbnails_of_every_kind_keep_their_aspect() -> None:
    store = MemoryStore({f"/{name}": content for name, content in good_files().items()})
    for found in read(store, store.paths(), Preprocessing(32, 32, resize="inside")):
        assert found.pixels is not None and found.pixels.shape == (24, 32, 3), found


def test_nothing_is_written_to_the_terminal_for_odd_files(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from vision_recipes.images.decoding import Rejected, decode\n"
        "from vision_recipes.preprocessing import Preprocessing\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    try: decode(path.read_bytes(), Preprocessing(20, 20))\n"
        "    except Rejected: pass\n"
    )
    palette = picture().quantize(8)
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x05\x00" + b"\x12\x01\x03\x00\xff\xff\xff\x7f\x01\x02\x03\x04" * 3
    odd = {
        "large.jpg": encoded(Image.new("L", (10_000, 9_100)), "JPEG"),
        "exif.jpg": encoded(picture(), "JPEG", exif=exif),
        "palette.png": encoded(palette, "PNG", transparency=bytes(range(0, 240, 30))),
        "odd.tif": encoded(picture(), "TIFF").replace(b"\x1a\x01\x05\x00", b"\x1a\x01\x05\x7f"),
        "cut.tif": encoded(picture(), "TIFF", compression="tiff_lzw")[:-90],
    }
    for name, content in {**odd, **{f"bad_{name}": content for name, (content, _) in bad_files().items()}}.items():
        (tmp_path / name).write_bytes(content)
    run = subprocess.run([sys.executable, "-W", "default", "-c", code, tmp_path], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_files_are_opened_once_and_in_order() -> None:
    store = MemoryStore({f"/{number:03}.png": encoded(picture(number + 1, 5), "PNG") for number in range(100)})
    pictures = _read(store)
    assert [found.path for found in pictures] == store.paths() == sorted(store.opened)
    assert all(found.pixels is not None for found in pictures)


def test_a_file_that_vanishes_is_missing_and_one_that_fails_is_unreadable() -> None:
    class Failing(MemoryStore):
        def open(self, path: str) -> BinaryIO:
            raise {"/a": FileNotFoundError("gone"), "/b": PermissionError("no"), "/c": RuntimeError("503")}[path]

    reasons = [found.reason for found in _read(Failing({"/a": b"", "/b": b"", "/c": b""}))]
    assert reasons == ["missing", "unreadable", "unreadable"]


@pytest.mark.parametrize("told", [None, "surrogates not allowed", ValueError("a reason of their own")])
def test_errors_of_storages_never_put_words_of_theirs_into_the_reason(told: object) -> None:
    class Failing(MemoryStore):
        def open(self, path: str) -> BinaryIO:
            error = RuntimeError("503")
            error.reason = told  # type: ignore[attr-defined]
            raise error

    assert [found.reason for found in _read(Failing({"/a": b""}))] == ["unreadable"]


def test_cached_pictures_are_read_but_not_decoded() -> None:
    content = encoded(picture(), "PNG")
    digest = hashlib.sha256(content).hexdigest()
    store = MemoryStore({"/a.png": content, "/b.png": encoded(picture(9, 9), "PNG"), "/c.png": b""})
    results = {digest: np.ones(3, np.float32)}
    cached, new, empty = _read(store, lookup=lambda found: results.get(found.digest))
    assert (cached.pixels, cached.reason, cached.digest) == (None, "", digest)
    assert cached.cached is results[digest]
    assert new.pixels is not None and new.cached is None
    assert (empty.pixels, empty.cached, empty.reason) == (None, None, "empty")


def test_cached_pictures_are_decoded_when_their_pixels_are_asked_for() -> None:
    store = MemoryStore({"/a.png": encoded(picture(), "PNG")})
    result = np.ones(3, np.float32)
    (found,) = _read(store, lookup=lambda found: result, decode_cached=store.paths())
    assert found.cached is result and found.pixels is not None


def test_a_read_that_hangs_is_left_behind_and_the_rest_goes_on() -> None:
    release = threading.Event()

    class Hanging(MemoryStore):
        def open(self, path: str) -> BinaryIO:
            if "hang" in path:
                release.wait(30)
            return super().open(path)

    content = encoded(picture(), "PNG")
    names = ["/a.png", "/b_hang.png", "/c_hang.png", "/d_hang.png", "/e.png"]
    pictures = _read(Hanging(dict.fromkeys(names, content)), limits=Limits(read_seconds=0.3))
    release.set()
    assert [found.reason for found in pictures] == ["", "timeout", "timeout", "timeout", ""]


def test_reading_stays_a_bounded_distance_ahead() -> None:
    content = encoded(picture(), "PNG")
    store = MemoryStore({f"/{number:05}.png": content for number in range(3000)})
    pictures = read(store, store.paths(), SMALL)
    for _ in range(10):
        next(pictures)
    time.sleep(0.1)
    assert len(store.opened) < 2000
    pictures.close()  # type: ignore[attr-defined]
    time.sleep(0.1)
    opened = len(store.opened)
    time.sleep(0.1)
    assert len(store.opened) == opened


def test_an_empty_list_gives_nothing() -> None:
    assert _read(MemoryStore({})) == []


@pytest.mark.parametrize(
    "path", ["/.DS_Store", "/a/Thumbs.db", "/a/._b.jpg", "/.git/x.png", "/__MACOSX/a.jpg", "/desktop.ini"]
)
def test_hidden_and_system_files_are_recognised(path: str) -> None:
    assert hidden(path)


@pytest.mark.parametrize("path", ["/a.jpg", "/a.b/c.png", "/thumbs.jpg"])
def test_other_files_are_not_hidden(path: str) -> None:
    assert not hidden(path)
