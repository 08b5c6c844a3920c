"""Opens the zips of strangers: everything is checked before the first byte is written (FAULTS "Plugin zips").

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
from minihost.regular_files import open_regular

MAX_FILES = 5000
MAX_TOTAL = 100_000_000
MAX_RATIO = 100
SMALL = 1_000_000
"""Below this size a single file may be packed as tightly as it likes (a list of zeros is no bomb)."""

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_END = struct.Struct("<4sHHHHIIH")
_ENCRYPTED, _SIZES_FOLLOW, _UTF8 = 0x1, 0x8, 0x800
_DESCRIPTOR_SIZES = (12, 16)
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
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as err:
            raise self.refused(f"{info.filename!r} cannot be unpacked: {err}") from err
        if len(content) != info.file_size:
            raise self.refused(f"{info.filename!r} has {len(content)} bytes, its entry says {info.file_size}")
        return content

    def unpack(self, folder: Path) -> None:
        """Write every file under a fresh folder; whoever calls removes the folder when this raises."""
        for info in self.files:
            target = folder / info.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as stream:
                stream.write(self.read(info))

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
        stream.seek(0)
        try:
            content = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as err:
            raise BadArchive(f"{path} is refused: it is not a whole zip ({err}). Fetch or build it again.") from err
        with content:
            archive = Archive(path, sha256, content)
            for info in content.infolist():
                _check_entry(archive, info)
            _check_sizes(archive)
            _check_names(archive)
            _check_layout(archive, stream)
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


def _check_sizes(archive: Archive) -> None:
    if len(archive.zip.infolist()) > MAX_FILES:
        raise archive.refused(f"more than {MAX_FILES} entries")
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
    if "\\" in name or ":" in name:
        return "has a backslash or a colon"
    if any(ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) < 0xE000 for char in name):
        return "has control characters"
    if not name.isascii() and not info.flag_bits & _UTF8:
        return "is not ASCII and not marked as UTF-8"
    parts = name.removesuffix("/").split("/")
    if "" in parts or "." in parts or ".." in parts:
        return "is absolute or climbs out of the archive"
    if len(name.encode()) > 1024 or any(len(part.encode()) > 255 for part in parts):
        return "is too long"
    if any(part != part.rstrip(" .") or part.split(".")[0].casefold() in _RESERVED for part in parts):
        return "is not allowed on some systems"
    return ""


def _check_layout(archive: Archive, stream: io.BufferedReader) -> None:
    """One archive, no bytes before, between or behind its entries, and local headers equal to the directory."""
    size = os.fstat(stream.fileno()).st_size
    tail_start = max(0, size - _END.size - 65_535)
    stream.seek(tail_start)
    tail = stream.read()
    position = tail.rfind(b"PK\x05\x06")
    # Packed data may hold these four bytes by chance, so an earlier one counts only where it fits the file's end, too.
    ends = [at for at in _places(tail, b"PK\x05\x06") if _fits_end(tail, at)]
    if ends != [position]:
        raise archive.refused("it holds two archives" if len(ends) > 1 else "there are bytes behind its end")
    end = tail_start + position
    fields = _END.unpack(tail[position : position + _END.size])
    entries, length, start, comment = fields[4], fields[5], fields[6], fields[7]
    if end + _END.size + comment != size or start + length != end or entries != len(archive.zip.infolist()):
        raise archive.refused("its directory does not fit its end")
    expected = 0
    loose = False
    for info in sorted(archive.zip.infolist(), key=lambda info: info.header_offset):
        _check_place(archive, info.header_offset - expected, loose)
        expected = _end_of_entry(archive, stream, info)
        loose = bool(info.flag_bits & _SIZES_FOLLOW)
    _check_place(archive, start - expected, loose)


def _places(content: bytes, mark: bytes) -> Iterator[int]:
    at = content.find(mark)
    while at >= 0:
        yield at
        at = content.find(mark, at + 1)


def _fits_end(tail: bytes, at: int) -> bool:
    record = tail[at : at + _END.size]
    return len(record) == _END.size and at + _END.size + _END.unpack(record)[7] == len(tail)


def _check_place(archive: Archive, gap: int, loose: bool) -> None:
    if gap < 0:
        raise archive.refused("its entries overlap")
    if gap and not (loose and gap in _DESCRIPTOR_SIZES) or loose and not gap:
        raise archive.refused("there are bytes that belong to no entry")


def _end_of_entry(archive: Archive, stream: io.BufferedReader, info: zipfile.ZipInfo) -> int:
    """Compare an entry's local header with the directory; answer where its packed bytes end."""
    stream.seek(info.header_offset)
    header = stream.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise archive.refused(f"{info.filename!r} has no local header")
    _, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = _LOCAL.unpack(header)
    name = stream.read(name_length)
    sizes_differ = (crc, packed, unpacked) != (info.CRC, info.compress_size, info.file_size)
    if (
        name != info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")
        or (flags, method) != (info.flag_bits, info.compress_type)
        or sizes_differ
        and not flags & _SIZES_FOLLOW
    ):
        raise archive.refused(f"the two entries for {info.filename!r} do not agree")
    return info.header_offset + _LOCAL.size + name_length + extra_length + info.compress_size
