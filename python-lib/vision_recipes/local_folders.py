"""Folders of the machine that a job works in: temporary ones (TMPDIR) and the cache (VISION_RECIPES_CACHE)."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vision_recipes.errors import OutputError, VisionError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)
_FULL_BYTES = 1 << 20
"""A folder with less than this free counts as full; libraries say in words of their own that a disk is."""


@contextmanager
def work_folder(prefix: str = "vision-") -> Iterator[Path]:
    """Make a temporary folder and remove it at the end.

    When it cannot be made, or what is done inside fails because there is no space left for it, raises OutputError.
    """
    folder = make_work_folder(prefix)
    with folder as name:
        try:
            yield Path(name)
        except VisionError:
            raise
        except Exception as err:
            if blames_folder(err, name):
                raise no_space(name, "the job's temporary files") from err
            raise


def make_work_folder(prefix: str) -> tempfile.TemporaryDirectory[str]:
    """Return a new temporary folder; raises OutputError when none can be made."""
    try:
        return tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    except OSError as err:
        raise OutputError(
            f"No temporary folder can be made: {err}. Free some space, or set TMPDIR to a folder that this job may "
            "write to."
        ) from err


def blames_folder(err: BaseException, folder: str | os.PathLike[str]) -> bool:
    """Return whether an error comes from a folder without space or rights, rather than from what was to be written."""
    if isinstance(err, OSError) and err.errno in (*_FULL, *_NOT_WRITABLE):
        if isinstance(err.filename, str):
            return Path(err.filename).is_relative_to(folder)
        return err.errno in _FULL
    return os.strerror(errno.ENOSPC) in str(err) or _free(folder) < _FULL_BYTES


def no_space(folder: str | os.PathLike[str], purpose: str, needed: int = 0) -> OutputError:
    """Return the error for a temporary folder that cannot take `needed` bytes (0 if unknown) for a purpose."""
    shown = tempfile.gettempdir() if Path(folder).is_relative_to(tempfile.gettempdir()) else folder
    size = f", {needed / 1e6:.0f} MB" if needed else ""
    problem = "has no space left" if os.access(folder, os.W_OK) else "cannot be written to, as is needed"
    return OutputError(
        f"The temporary folder {shown} {problem} for {purpose}{size} ({_free(folder) / 1e6:.0f} MB are free). "
        "Free some space, or set TMPDIR to a folder with more."
    )


def reserve(path: Path, size: int, purpose: str) -> None:
    """Make a file of `size` bytes whose space is taken on the disk; raises OutputError when there is not enough.

    A mapped file that grows past a full disk ends the process without a word.
    """
    try:
        with open(path, "wb") as stream:
            if hasattr(os, "posix_fallocate") and size:
                os.posix_fallocate(stream.fileno(), 0, size)
            else:
                stream.truncate(size)
    except OSError as err:
        path.unlink(missing_ok=True)
        if err.errno in (*_FULL, *_NOT_WRITABLE):
            raise no_space(path.parent, purpose, size) from err
        raise


def cache_folder() -> Path:
    """Return the folder for what a later job may use again: VISION_RECIPES_CACHE, or the user's cache folder."""
    if chosen := os.environ.get("VISION_RECIPES_CACHE"):
        return Path(chosen)
    import platformdirs

    return platformdirs.user_cache_path("vision-recipes", appauthor=False)


def _free(folder: str | os.PathLike[str]) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return _FULL_BYTES
