"""The log that is kept of a job: bounded in size, without secrets, and shown on the terminal while it grows."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

HIDDEN = "*****"
LIMIT = 16 << 20
LONGEST = 1 << 16
_TOKENS = re.compile(r"(?i)((?:authorization:?\s*)?bearer\s+)[A-Za-z0-9._~+/=-]{8,}")
_LIBRARY_NOISE = re.compile(r"[IW]\d{4} \d\d:\d\d:[\d.]+ +\d+ \S+:\d+\] |WARNING: All log messages before absl::")


def is_library_noise(line: str) -> bool:
    """Return whether a C++ library wrote this for its own developers: in the format of glog, below errors."""
    return _LIBRARY_NOISE.match(line) is not None


class Redaction:
    """Replaces secret values, as they are and as they look when quoted for URLs, JSON or base64."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) >= 3:
                forms |= {
                    secret,
                    quote(secret, safe=""),
                    json.dumps(secret)[1:-1],
                    base64.b64encode(secret.encode()).decode(),
                }
                forms |= {line for line in secret.splitlines() if len(line) >= 8}
        ordered = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self.settled: Callable[[str], str] | None = None
        """Replaces paths that are gone after the run, where that is set."""

    def __call__(self, text: str) -> str:
        """Return the text without secrets and bearer tokens."""
        if self.settled is not None:
            text = self.settled(text)
        if self._pattern is not None:
            text = self._pattern.sub(HIDDEN, text)
        return _TOKENS.sub(rf"\1{HIDDEN}", text) if "bearer" in text.lower() else text

    def of(self, facts: Any) -> Any:
        """Return facts without secrets, for a file."""
        if isinstance(facts, dict):
            return {key: self.of(value) for key, value in facts.items()}
        if isinstance(facts, list | tuple):
            return [self.of(value) for value in facts]
        return self(facts) if isinstance(facts, str) else facts


class JobLog:
    """The file `log` of a job. Beyond the limit its first part stays in `log.first`, and `log` goes on.

    On a full disk lines are lost, and the job goes on.
    """

    def __init__(self, folder: Path, redact: Redaction) -> None:
        self.path = folder / "log"
        self.redact = redact
        self.last: list[str] = []
        self._stream = self._open()
        self._size = 0

    def _open(self) -> TextIO:
        return open(self.path, "w", encoding="utf-8", errors="backslashreplace")

    def write(self, line: str) -> str:
        """Add a line and return it as it was kept."""
        line = self.redact(line)
        if self._size > LIMIT:
            self._stream.close()
            first = self.path.with_name("log.first")
            if first.exists():
                self.path.unlink()
            else:
                self.path.rename(first)
            self._stream = self._open()
            self._size = 0
        with contextlib.suppress(OSError):
            self._stream.write(line + "\n")
            self._stream.flush()
        self._size += len(line) + 1
        self.last = [*self.last[-19:], line]
        return line

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            self._stream.close()


class Lines:
    """Cuts bytes as they come from a pipe into lines; a carriage return (a progress bar redrawn) ends one too."""

    def __init__(self) -> None:
        self._left = b""

    def of(self, data: bytes) -> list[str]:
        """Return the lines that these bytes complete."""
        pieces = re.split(rb"\r\n|\n|\r", self._left + data)
        self._left = pieces.pop()
        if len(self._left) > LONGEST:
            pieces.append(self._left)
            self._left = b""
        return [piece.decode("utf-8", "backslashreplace") for piece in pieces if piece.strip()]

    def rest(self) -> list[str]:
        """Return what is left at the end."""
        left, self._left = self._left, b""
        return [left.decode("utf-8", "backslashreplace")] if left.strip() else []
