"""Opens zips from untrusted sources: everything is checked before the first byte is written (FAULTS "Plugin zips").

A zip must be one plain archive whose two directories agree, which no two programs can read differently. Caps: 5000
files, 100 MB unpacked, ratio 100. Names must be relative, without tricks, and unique on every file system.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import struct
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from minihost.errors import HostError
from minihost.plugins.zip_layout import UTF8, Unfit, check_entries, read_end
from minihost.regular_files import open_regular

MAX_FILES = 5000
MAX_TOTAL = 100_000_000
MAX_RATIO = 100
SMALL = 1_000_000
"""Below this size a single file may be packed as tightly as it likes (a list of zeros is no bomb)."""

_ENCRYPTED = 0x1
_RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}


class BadArchive(HostError):
    """A zip that is refused; the message says what is wrong with it, and nothing of it was kept."""


@dataclass(frozen=True)
class Archive:
    """A zip that passed every check, open for reading."""

    path: Path
    sha256: str
    zip: zipfile.ZipFile

    @property
    def files(self) -> list[zipfile.ZipInfo]:
        """Its files in the order of the archive, folders left out."""
        return [info for info in self.zip.infolist() if not info.is_dir()]

    @property
    def size(self) -> int:
        """Bytes of all files, unpacked."""
        return sum(info.file_size for info in self.files)

    def read(self, info: zipfile.ZipInfo) -> bytes:
        """Unpack one file in memory, its size and checksum verified."""
        try:
            with self.zip.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as err:
            raise self.refused(f"{info.filename!r} cannot be unpacked: {err}") from err
        if len(content) != info.file_size:
            raise self.refused(f"{info.filename!r} has {len(content)} bytes, its entry says {info.file_size}")
        return content

    def unpack(self, folder: Path) -> None:
        """Write every file under a fresh folder; whoever calls removes the folder when this raises."""
        for info in self.files:
            target = folder / info.filename
            content = self.read(info)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as stream:
                    stream.write(content)
            except OSError as err:
                raise BadArchive(
                    f"{self.path} cannot be unpacked in {folder.parent}: {err.strerror}. Set MINIHOST_HOME to a folder "
                    "with space and rights."
                ) from err

    def refused(self, why: str) -> BadArchive:
        """The error that says why this zip is not taken."""
        return BadArchive(f"{self.path} is refused: {why}.")


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open a zip and check all of it but the contents of its files; raise `BadArchive`."""
    with _open(path) as stream:
        if os.fstat(stream.fileno()).st_size > MAX_TOTAL:
            raise BadArchive(f"{path} is refused: larger than {MAX_TOTAL:,} bytes.")
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        try:
            end = read_end(stream)
            stream.seek(0)
            content = zipfile.ZipFile(stream)
        except Unfit as err:
            raise BadArchive(f"{path} is refused: {err}.") from err
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as err:
            raise BadArchive(f"{path} is refused: it is not a complete zip ({err}); fetch or build it again.") from err
        with content:
            archive = Archive(path, sha256, content)
            _check_count(archive)
            _check_names(archive)
            for info in content.infolist():
                _check_entry(archive, info)
            _check_sizes(archive)
            try:
                check_entries(stream, content.infolist(), end)
            except Unfit as err:
                raise archive.refused(str(err)) from err
            yield archive


def unpack_cached(path: Path, cache: Path) -> Path:
    """Unpack a zip to a folder named by its SHA-256, once; answer that folder."""
    with opened(path) as archive:
        folder = cache / archive.sha256
        if folder.is_dir():
            return folder
        with fresh_folder(cache) as stage:
            archive.unpack(stage)
            try:
                stage.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was quicker, with the same bytes
                    raise
    return folder


@contextmanager
def fresh_folder(beside: Path) -> Iterator[Path]:
    """A new empty folder under `beside`, gone at the end unless renamed; raise `BadArchive` where it cannot be."""
    try:
        beside.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".new-", dir=beside))
    except OSError as err:
        raise BadArchive(
            f"Nothing can be written in {beside}: {err.strerror or err}. Set MINIHOST_HOME to a folder of yours."
        ) from err
    try:
        os.chmod(folder, 0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _open(path: Path) -> io.BufferedReader:
    try:
        return open_regular(path)
    except OSError as err:
        raise BadArchive(f"{path} cannot be read: {err.strerror or err}.") from err


def _check_entry(archive: Archive, info: zipfile.ZipInfo) -> None:
    name = info.filename
    if info.flag_bits & _ENCRYPTED:
        raise archive.refused(f"{name!r} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise archive.refused(
            f"{name!r} uses compression method {info.compress_type}; only stored and deflated are read"
        )
    form = stat.S_IFMT(info.external_attr >> 16)
    if form not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise archive.refused(f"{name!r} is a link or special file")
    if info.is_dir() and info.file_size or (form == stat.S_IFDIR) != info.is_dir() and form:
        raise archive.refused(f"{name!r} is a folder and a file at once")
    if info.file_size > SMALL and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        raise archive.refused(f"{name!r} unpacks to more than {MAX_RATIO} times its size")


def _check_count(archive: Archive) -> None:
    if len(archive.zip.infolist()) > MAX_FILES:
        raise archive.refused(f"more than {MAX_FILES} entries")


def _check_sizes(archive: Archive) -> None:
    if archive.size > MAX_TOTAL:
        raise archive.refused(f"more than {MAX_TOTAL:,} bytes unpacked")
    packed = sum(info.compress_size for info in archive.files)
    if archive.size > SMALL and archive.size > MAX_RATIO * max(packed, 1):
        raise archive.refused(f"it unpacks to more than {MAX_RATIO} times its size")


def _check_names(archive: Archive) -> None:
    """Every name safe in itself, and no two that any file system could take for one."""
    spellings: dict[str, str] = {}
    files: set[str] = set()
    folders: set[str] = set()
    for info in archive.zip.infolist():
        reason = _bad_name(info)
        if reason:
            raise archive.refused(f"the name {info.orig_filename!r} {reason}")
        parts = info.filename.rstrip("/").split("/")
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            folded = unicodedata.normalize("NFC", path).casefold()
            if spellings.setdefault(folded, path) != path:
                raise archive.refused(f"{spellings[folded]!r} and {path!r} are one name on some systems")
            if depth < len(parts) or info.is_dir():
                folders.add(folded)
            elif folded in files:
                raise archive.refused(f"{path!r} occurs twice")
            else:
                files.add(folded)
    both = files & folders
    if both:
        raise archive.refused(f"{spellings[min(both)]!r} is a file and a folder at once")


def _bad_name(info: zipfile.ZipInfo) -> str:
    """Say what is wrong with a name, or answer an empty text."""
    name = info.orig_filename
    if name != info.filename:
        return "reads differently to different programs"
    if "\\" in name or ":" in name:
        return "has a backslash or a colon"
    if any(ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) < 0xE000 for char in name):
        return "has control characters"
    if not name.isascii() and not info.flag_bits & UTF8:
        return "is not ASCII and not marked as UTF-8"
    parts = name.removesuffix("/").split("/")
    if "" in parts or "." in parts or ".." in parts:
        return "is absolute or climbs out of the archive"
    if len(name.encode()) > 1024 or any(len(part.encode()) > 255 for part in parts):
        return "is too long"
    if any(part != part.rstrip(" .") or part.split(".")[0].casefold() in _RESERVED for part in parts):
        return "is not allowed on some systems"
    return ""
