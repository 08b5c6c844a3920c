"""Temporary folders: one that is full or may not be written to is named, with TMPDIR, and nothing else is blamed."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from vision_recipes import local_folders
from vision_recipes.dataset.mapped_arrays import new_array
from vision_recipes.errors import ModelFolderError, OutputError
from vision_recipes.local_folders import cache_folder, make_work_folder, reserve, work_folder
from vision_recipes.stores import copy_stream

Usage = namedtuple("Usage", "total used free")


def test_a_work_folder_is_there_inside_and_gone_after() -> None:
    with work_folder("vision-test-") as folder:
        (folder / "file").write_bytes(b"x")
    assert not folder.exists()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EFBIG, "File too large"),
        OSError("Can't write data (file write failed: errno = 28, error message = 'No space left on device')"),
    ],
)
def test_a_full_temporary_folder_is_named(error: OSError) -> None:
    with (
        pytest.raises(OutputError, match=r"temporary folder .* has no space left for .*TMPDIR"),
        work_folder("vision-test-"),
    ):
        raise error


def test_any_error_in_a_full_folder_is_its(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_folders.shutil, "disk_usage", lambda folder: Usage(10, 10, 0))
    with pytest.raises(OutputError, match=r"0 MB are free.*TMPDIR"), work_folder():
        raise RuntimeError("Check 'm_stream.good()' failed")


@pytest.mark.parametrize(
    "error",
    [
        ModelFolderError("a wrong model"),
        ValueError("a bug"),
        PermissionError(errno.EACCES, "Permission denied", "/somewhere/else"),
        OSError(errno.ENOSPC, "No space left on device", "/somewhere/else"),
        FileNotFoundError(errno.ENOENT, "No such file", "x"),
    ],
)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, work_folder():
        raise error
    assert caught.value is error


def test_without_any_temporary_folder_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/nowhere"])
    with pytest.raises(OutputError, match=r"No temporary folder can be made: .*TMPDIR"):
        make_work_folder("vision-")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_copy_that_does_not_fit_names_the_folder_and_the_copy(tmp_path: Path) -> None:
    (tmp_path / "copy").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"no space left for the model of 3 MB .*TMPDIR"):
        copy_stream(io.BytesIO(bytes(5_000_000)), tmp_path / "copy", 9_000_000, "the model of 3 MB")


def test_a_source_that_fails_is_not_blamed_on_the_folder(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "the storage is gone")

    with pytest.raises(OSError, match="the storage is gone"):
        copy_stream(Failing(), tmp_path / "copy", 100)


def test_an_array_on_disk_is_reserved_before_it_is_filled(tmp_path: Path) -> None:
    array = new_array(tmp_path / "array", (100, 7), "features")
    array[99] = 5
    assert array.shape == (100, 7) and array[:99].max() == 0 and (tmp_path / "array").stat().st_size == 2800
    assert new_array(tmp_path / "none", (0, 7), "features").shape == (0, 7)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="space is not reserved on this system")
def test_an_array_that_does_not_fit_ends_with_a_message_and_not_with_a_signal(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (9999, 9999))\n"
        "from vision_recipes.dataset.mapped_arrays import new_array\n"
        "try: new_array(Path(sys.argv[1]), (100_000, 30), 'features')\n"
        "except Exception as err: print(type(err).__name__, err)\n"
    )
    run = subprocess.run([sys.executable, "-c", code, tmp_path / "array"], capture_output=True, text=True)
    assert run.stdout.startswith("OutputError") and "features, 12 MB" in run.stdout and "TMPDIR" in run.stdout, run
    assert not (tmp_path / "array").exists()


def test_reserving_nothing_makes_an_empty_file(tmp_path: Path) -> None:
    reserve(tmp_path / "file", 0, "nothing")
    assert (tmp_path / "file").read_bytes() == b""


def test_the_cache_is_where_the_setting_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VISION_RECIPES_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("VISION_RECIPES_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    if sys.platform == "linux":
        assert cache_folder() == tmp_path / "xdg" / "vision-recipes"
