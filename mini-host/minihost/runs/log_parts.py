"""Parts of a growing log: what came since the last question, bounded, as lines that any page can show."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from minihost.runs.progress import harmless

MOST = 1 << 16
"""Bytes of one part."""

LONGEST = 2000
"""Characters of a line that are shown."""

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


@dataclass(frozen=True)
class LogPart:
    """Some lines of a log. `next` is the byte at which the next part begins in file number `file`.

    `gap` says that lines before these are left out, `more` that there are already further ones.
    """

    lines: tuple[str, ...] = ()
    next: int = 0
    file: int = 0
    gap: bool = False
    more: bool = False


def part(path: Path, start: int | None, file: int = 0, *, is_over: bool = False) -> LogPart:
    """Return the lines from a byte on, the last ones when `start` is None or the log went on in another file.

    Of a log that is still written, the last line is kept back until it is whole.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return LogPart(next=start or 0, file=file)
    with open(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        is_known = start is not None and found.st_ino == file and start <= found.st_size
        begin = start if is_known and start is not None else max(0, found.st_size - MOST)
        stream.seek(begin)
        data = stream.read(MOST)
        is_end = begin + len(data) >= found.st_size
    end = len(data) if is_end and is_over else data.rfind(b"\n") + 1
    if end == 0 and len(data) == MOST:
        end = MOST  # a line longer than a part
    lines = data[:end].decode("utf-8", "replace").split("\n")
    if begin > 0 and not is_known and len(lines) > 1:
        del lines[0]  # its beginning is not here
    if lines[-1] == "":
        lines.pop()
    gap = not is_known and (begin > 0 or start is not None)
    return LogPart(tuple(map(shown, lines)), begin + end, found.st_ino, gap, end > 0 and not is_end)


def shown(line: str) -> str:
    """A line without what terminals obey and without control characters, cut where it is very long."""
    line = _ESCAPES.sub("", line.rstrip("\r"))
    left = len(line) - LONGEST
    return harmless(line[:LONGEST]) + (f" [… {left:,} characters more]" if left > 0 else "")
