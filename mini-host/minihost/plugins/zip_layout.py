"""Reads the bytes of a zip as a careful reader would: one directory, one end, entries that tile the file between."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

UTF8, SIZES_FOLLOW = 0x800, 0x8
MAX_DIRECTORY = 10_000_000
"""Bytes that a directory may have: it is read into memory as a whole."""

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_END = struct.Struct("<4sHHHHIIH")
_END_MARK = b"PK\x05\x06"
_DESCRIPTOR_SIZES = (12, 16)
_UNICODE_PATH = 0x7075


class Unfit(Exception):
    """Bytes that two programs could read as two different archives; the text says what is wrong with them."""


@dataclass(frozen=True)
class End:
    """What the end of a zip says of its directory: how many entries, how many bytes, from where."""

    entries: int
    length: int
    start: int


def read_end(stream: io.BufferedReader) -> End:
    """Find the one end of the archive; raises `Unfit` where there is none, more than one, or anything behind it."""
    size = os.fstat(stream.fileno()).st_size
    tail_start = max(0, size - _END.size - 65_535)
    stream.seek(tail_start)
    tail = stream.read()
    last = tail.rfind(_END_MARK)
    if last < 0:
        raise Unfit("it is not a complete zip; fetch or build it again")
    # Packed data may hold the mark by chance, so an earlier one counts only where it fits the end of the file, too.
    ends = [at for at in _places(tail) if _fits_end(tail, at)]
    if ends != [last]:
        raise Unfit("it holds two archives" if len(ends) > 1 else "it is not a complete zip, or bytes follow its end")
    _, _, _, _, entries, length, start, _ = _END.unpack(tail[last : last + _END.size])
    if start + length != tail_start + last:
        raise Unfit("its directory does not fit its end")
    if length > MAX_DIRECTORY:
        raise Unfit(f"its directory is larger than {MAX_DIRECTORY:,} bytes")
    return End(entries, length, start)


def check_entries(stream: io.BufferedReader, entries: list[zipfile.ZipInfo], end: End) -> None:
    """Entries must lie one behind the other up to the directory, with local headers equal to it; raises `Unfit`."""
    if len(entries) != end.entries:
        raise Unfit("its directory does not fit its end")
    expected, sizes_follow = 0, False
    for info in sorted(entries, key=lambda info: info.header_offset):
        _check_gap(info.header_offset - expected, sizes_follow)
        expected = _end_of_entry(stream, info)
        sizes_follow = bool(info.flag_bits & SIZES_FOLLOW)
    _check_gap(end.start - expected, sizes_follow)


def _check_gap(gap: int, sizes_follow: bool) -> None:
    if gap < 0:
        raise Unfit("its entries overlap")
    if gap not in (_DESCRIPTOR_SIZES if sizes_follow else (0,)):
        raise Unfit("there are bytes that belong to no entry")


def _end_of_entry(stream: io.BufferedReader, info: zipfile.ZipInfo) -> int:
    """Compare an entry's local header with the directory; answer where its packed bytes end."""
    stream.seek(info.header_offset)
    header = stream.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise Unfit(f"{info.filename!r} has no local header")
    _, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = _LOCAL.unpack(header)
    name, extra = stream.read(name_length), stream.read(extra_length)
    if _UNICODE_PATH in (*_extra_kinds(extra), *_extra_kinds(info.extra)):
        raise Unfit(f"{info.filename!r} carries a second name")
    sizes_differ = (crc, packed, unpacked) != (info.CRC, info.compress_size, info.file_size)
    if (
        name != info.orig_filename.encode("utf-8" if info.flag_bits & UTF8 else "cp437")
        or (flags, method) != (info.flag_bits, info.compress_type)
        or (sizes_differ and not flags & SIZES_FOLLOW)
    ):
        raise Unfit(f"the two entries for {info.filename!r} do not agree")
    return info.header_offset + _LOCAL.size + name_length + extra_length + info.compress_size


def _extra_kinds(extra: bytes) -> Iterator[int]:
    """The kinds of the extra fields of an entry."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        yield kind
        at += 4 + size


def _places(tail: bytes) -> Iterator[int]:
    at = tail.find(_END_MARK)
    while at >= 0:
        yield at
        at = tail.find(_END_MARK, at + 1)


def _fits_end(tail: bytes, at: int) -> bool:
    record = tail[at : at + _END.size]
    return len(record) == _END.size and at + _END.size + _END.unpack(record)[7] == len(tail)
