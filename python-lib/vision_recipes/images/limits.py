"""How much a single picture may cost before it becomes a row with a reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Caps per file: `file_bytes`, `pixels` of the picture at full size, and seconds for reading and for decoding.

    `scans`: a progressive JPEG with more scans than this is decoded in a child process, where it can be stopped.
    """

    file_bytes: int = 100_000_000
    pixels: int = 50_000_000
    read_seconds: float = 120.0
    decode_seconds: float = 20.0
    scans: int = 64


LIMITS = Limits()
