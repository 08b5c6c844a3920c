"""What a flow.yaml said before: the edits that can be undone, and the texts that edits were meant for."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from minihost.projects.editing import whole_file

KEPT = 50
"""Edits and texts that are kept."""


def digest_of(content: bytes | None) -> str:
    """The SHA-256 of a file's content in hexadecimal, the empty text for no file."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


class History:
    """The folder of earlier texts: each under its digest, and `edits.json` with the edits, the last one at the end.

    An edit has `before` and `after` (digests), `summary`, `records` and `moves` (see `work.Edit`).
    """

    def __init__(self, folder: Path, file: str) -> None:
        self.folder, self.file = folder, folder / f"{file}.edits.json"

    def keep(self, content: bytes | None) -> str:
        """Keep a text, and return its digest; raises OSError."""
        digest = digest_of(content)
        if content is not None:
            place = self.folder / digest
            if place.exists():
                with contextlib.suppress(OSError):
                    os.utime(place)
            else:
                self.folder.mkdir(parents=True, exist_ok=True)
                part = place.with_suffix(f".{os.getpid()}.part")
                part.write_bytes(content)
                part.replace(place)
                self._forget(self.edits())
        return digest

    def text(self, digest: str) -> bytes | None:
        """The text with that digest, None where it is not kept."""
        if len(digest) != 64 or not digest.isalnum():
            return None
        try:
            found = (self.folder / digest).read_bytes()
        except OSError:
            return None
        return found if digest_of(found) == digest else None

    def edits(self) -> list[dict[str, Any]]:
        """The edits that are kept, none where they cannot be read."""
        if not self.file.is_file():  # a pipe would be waited for
            return []
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
            return [edit for edit in found if {"before", "after", "summary", "records", "moves"} <= set(edit)]
        except (OSError, ValueError, TypeError):
            return []

    def put(self, edits: list[dict[str, Any]]) -> None:
        """Keep these edits, and of the texts that they do not need only the newest; raises `HostError`."""
        edits = edits[-KEPT:]
        self.folder.mkdir(parents=True, exist_ok=True)
        whole_file.replace(self.file, json.dumps(edits, indent=1).encode())
        self._forget(edits)

    def _forget(self, edits: list[dict[str, Any]]) -> None:
        """Of the texts that no edit needs keep the newest alone."""
        needed = {edit[side] for edit in edits for side in ("before", "after")}
        texts = [path for path in self.folder.iterdir() if len(path.name) == 64 and path.name not in needed]
        for path in sorted(texts, key=_written)[:-KEPT]:
            path.unlink(missing_ok=True)


def _written(path: Path) -> float:
    """When a file was last written; 0 where another process has just removed it."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
