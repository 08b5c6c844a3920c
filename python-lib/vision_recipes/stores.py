"""A folder as paths and streams: all that the core knows of storage, so that any storage will do."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol

from vision_recipes.errors import OutputError
from vision_recipes.local_folders import no_space

CHUNK = 1 << 20
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


class Store(Protocol):
    """A folder of files. Paths start with a slash, as in `/sub/picture.jpg`."""

    @property
    def name(self) -> str:
        """What the user calls the folder."""

    def paths(self) -> list[str]:
        """Return the path of every file, recursive, sorted; nothing but files and links."""

    def open(self, path: str) -> BinaryIO:
        """Return a binary stream for `with`; it may not be able to seek.

        Raises OSError (FileNotFoundError when missing); its attribute `reason`, when set, is a key of pictures.REASONS.
        """

    def size(self, path: str) -> int | None:
        """Return the size in bytes, or None when the storage does not tell or the file is missing."""

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """Write one file whole, replacing what was there."""

    def delete(self, path: str) -> None:
        """Delete one file; nothing happens when it is missing."""


class Table(Protocol):
    """A dataset to read: rows as dicts. Text cells arrive as written (`007`, `NA`); an empty cell is None or ""."""

    @property
    def name(self) -> str:
        """What the user calls the dataset."""

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""

    @property
    def types(self) -> Mapping[str, str]:
        """The storage type of each column, in the host platform's words: string, bigint, double, array …."""

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield every row as a mapping from column name to text, number, bool or None."""


class DescribedTable(Table, Protocol):
    """A dataset to read whose columns have comments."""

    @property
    def comments(self) -> Mapping[str, str]:
        """The comment of each column, empty where it has none."""


class OutputTable(Protocol):
    """A dataset to write: columns are declared first, rows stream after."""

    def write(self, columns: Iterable[Any], rows: Iterable[Mapping[str, Any]]) -> int:
        """Write the rows as they come, one by one, and return how many; `columns` are rows.Column."""


class EditableTable(Table, Protocol):
    """A dataset that is read and replaced, in turn."""

    def rewrite(self, more: Iterable[Any], rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace all rows; the columns stay, and `more` (rows.Column) come after them. Raises OutputError."""


class LinkOutside(OSError):
    """A link inside a folder leads out of it."""

    reason = "outside_folder"


class NotAFile(OSError):
    """A path inside a folder is a pipe, a socket, a device or a folder."""

    reason = "not_a_file"


class LocalStore:
    """A folder on the local disk. Links that leave it, pipes and devices are refused when opened."""

    def __init__(self, root: str | os.PathLike[str], name: str | None = None) -> None:
        self.root = Path(root)
        self._real_root = os.path.realpath(self.root)
        self.name = name or str(root)

    def paths(self) -> list[str]:
        """Return the path of every file, recursive, sorted; links are listed, folders behind links are not entered."""
        found = []
        for folder, _subfolders, files in os.walk(self.root, followlinks=False):
            inside = os.path.relpath(folder, self.root)
            prefix = "/" if inside == "." else "/" + inside.replace(os.sep, "/") + "/"
            found += [prefix + file for file in files]
        return sorted(found)

    def open(self, path: str) -> BinaryIO:
        """Return a stream over a regular file inside the folder; never waits on a pipe."""
        try:
            descriptor = os.open(self._without_links(path), _READ)
        except OSError:
            descriptor = os.open(self._real(path), _READ)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotAFile(f"{path} in {self.name} is not a regular file")
        return os.fdopen(descriptor, "rb")

    def size(self, path: str) -> int | None:
        """Return the size in bytes, or None when there is no such file."""
        try:
            return self._inside(path).stat().st_size
        except OSError:
            return None

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """Write one file whole: into a temporary neighbour first, then renamed over the old one."""
        target = self._inside(path)
        temporary = target.with_name(f".{hashlib.sha256(target.name.encode()).hexdigest()[:12]}.{os.getpid()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "wb") as stream:
                shutil.copyfileobj(io.BytesIO(content) if isinstance(content, bytes) else content, stream, CHUNK)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, target)
        except OSError as err:
            temporary.unlink(missing_ok=True)
            raise OutputError(
                f"Could not write {path} into folder {self.name}: {err}. Check rights and free space."
            ) from err

    def delete(self, path: str) -> None:
        """Delete one file; nothing happens when it is missing."""
        self._inside(path).unlink(missing_ok=True)

    def _without_links(self, path: str) -> str:
        """Return where a path lies on disk; raises OSError where a folder on the way is a link or missing.

        Nearly all paths have no links, and this asks the system once for each folder below the root, where `realpath`
        asks for every folder from `/` on. The file itself must be opened with O_NOFOLLOW.
        """
        if not hasattr(os, "O_NOFOLLOW"):
            raise OSError("files that are links cannot be told from others")
        *folders, name = self._parts(path) or [""]
        place = str(self.root)
        for folder in folders:
            place = f"{place}/{folder}"
            if stat.S_ISLNK(os.lstat(place).st_mode):
                raise OSError(f"{place} is a link")
        return f"{place}/{name}"

    def _real(self, path: str) -> str:
        real = os.path.realpath(self._inside(path))
        if os.path.commonpath([real, self._real_root]) != self._real_root:
            raise LinkOutside(f"{path} is a link to a place outside {self.name}")
        return real

    def _inside(self, path: str) -> Path:
        return self.root.joinpath(*self._parts(path))

    def _parts(self, path: str) -> list[str]:
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise LinkOutside(f"{path!r} is not a path inside {self.name}")
        return parts


def read_bytes(store: Store, path: str, limit: int, arrived: Callable[[int], None] | None = None) -> bytes:
    """Return a file's bytes, at most `limit` + 1 of them, so that the caller can tell a file that is too large.

    `arrived` is called with the number of bytes of each part, which is then small.
    """
    most = CHUNK * 16 if arrived is None else CHUNK
    with store.open(path) as stream:
        parts, left = [], limit + 1
        while left > 0 and (part := stream.read(min(left, most))):
            parts.append(part)
            left -= len(part)
            if arrived is not None:
                arrived(len(part))
    return b"".join(parts)


def copy_stream(source: IO[bytes], target: Path, limit: int, what: str = "a temporary copy") -> tuple[int, str]:
    """Copy a stream into a temporary file, ending soon after `limit` bytes; return the size and SHA-256 in hex.

    Raises OutputError, naming `what`, when the copy cannot be written, and what reading raises.
    """
    digest, size = hashlib.sha256(), 0
    try:
        copy = open(target, "wb", buffering=0)  # noqa: SIM115 - closed below; without a buffer, only writing fails
    except OSError as err:
        raise no_space(target.parent, what) from err
    with copy:
        while size <= limit and (chunk := source.read(CHUNK)):
            digest.update(chunk)
            size += len(chunk)
            rest = memoryview(chunk)
            while rest:
                try:
                    rest = rest[copy.write(rest) :]
                except OSError as err:
                    raise no_space(target.parent, what) from err
    return size, digest.hexdigest()


def file_digest(path: str | os.PathLike[str], like: str) -> str:
    """Return a file's hash in hex, MD5 or SHA-256: the kind that has as many digits as `like`."""
    made = hashlib.md5(usedforsecurity=False) if len(like) == 32 else hashlib.sha256()
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, lambda: made).hexdigest()


def has_digest(path: str | os.PathLike[str], digest: str) -> bool:
    """Return whether a file has the hash in hex, MD5 or SHA-256 by its length; no file has an empty one."""
    return bool(digest) and file_digest(path, digest) == digest.lower()
