"""A zip archive of an export as a folder of files, read without unpacking it to the disk."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import BinaryIO, cast

from vision_recipes.errors import ModelFolderError
from vision_recipes.stores import Store, read_bytes

MAX_BYTES = 1 << 28
MAX_MEMBERS = 1000
MAX_RATIO = 50
SMALL = 1 << 20


class ArchiveStore:
    """The files of a zip archive in a folder, for reading. A folder that all of them lie in is left out of paths."""

    def __init__(self, store: Store, path: str) -> None:
        """Read the archive whole; raises ModelFolderError for one that is damaged, too large or a bomb."""
        self.name = f"{store.name}{path}"
        content = read_bytes(store, path, MAX_BYTES)
        if len(content) > MAX_BYTES:
            raise ModelFolderError(f"{self.name!r} is an archive of more than {MAX_BYTES:,} bytes. Unpack it first.")
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as err:
            raise ModelFolderError(f"{self.name!r} is cut off or damaged ({err}). Copy or download it again.") from err
        found = [info for info in self._archive.infolist() if not info.is_dir() and not _is_noise(info.filename)]
        bomb = [info for info in found if info.file_size > MAX_RATIO * max(info.compress_size, SMALL)]
        if len(found) > MAX_MEMBERS or bomb:
            what = (
                f"{bomb[0].filename[:80]!r} unpacks to {bomb[0].file_size:,} bytes" if bomb else f"{len(found)} files"
            )
            raise ModelFolderError(f"{self.name!r} is no archive of a model: {what}. Unpack it, and name the model.")
        if {info.compress_type for info in found} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ModelFolderError(
                f"{self.name!r} is packed by a method other than deflate, which may unpack without end. Unpack it, and "
                "name the model."
            )
        tops = {info.filename.partition("/")[0] for info in found if "/" in info.filename}
        shared = len(tops) == 1 and all("/" in info.filename for info in found)
        self._members = {"/" + (info.filename.partition("/")[2] if shared else info.filename): info for info in found}

    def paths(self) -> list[str]:
        """Return the path of every file."""
        return sorted(self._members)

    def open(self, path: str) -> BinaryIO:
        """Return a stream over a member; raises OSError for one that is missing or cannot be unpacked."""
        if path not in self._members:
            raise FileNotFoundError(f"{path} is not in {self.name}")
        try:
            return cast(BinaryIO, _Member(self._archive.open(self._members[path])))
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as err:
            raise OSError(f"it cannot be unpacked: {err}") from err

    def size(self, path: str) -> int | None:
        """Return the size in bytes, or None when there is no such file."""
        return self._members[path].file_size if path in self._members else None

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """Refuse: an archive is only read."""
        raise OSError(f"{self.name} is only read")

    def delete(self, path: str) -> None:
        """Refuse: an archive is only read."""
        raise OSError(f"{self.name} is only read")


class _Member(io.RawIOBase):
    """A stream whose damage is an OSError."""

    def __init__(self, stream: object) -> None:
        self._stream = cast(BinaryIO, stream)

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except (zipfile.BadZipFile, EOFError, ValueError, zlib.error) as err:
            raise OSError(f"it is damaged: {err}") from err


def _is_noise(name: str) -> bool:
    """Return whether a member is what macOS adds to archives."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] == ".DS_Store"
