"""The heap of a process that serves for months: freed memory goes back to the system, whichever thread freed it."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""The names of glibc's settings in mallopt."""
_LARGE = 1 << 20


def keep_small() -> None:
    """Have glibc keep at most two heaps, and memory of more than 1 MiB apart from them; other systems stay as they are.

    By default every thread gets a heap of its own, and what is freed in one after a model was swapped stays there.
    """
    for name, value in ((_ARENA_MAX, 2), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE)):
        _call("mallopt", name, value)


def trim() -> None:
    """Give memory that was freed back to the system, where it is glibc's."""
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            getattr(ctypes.CDLL(None), name)(*numbers)
