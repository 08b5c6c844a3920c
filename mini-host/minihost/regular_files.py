"""Opens files from untrusted sources: never a pipe, a device or a folder, and never waiting for one."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path


def open_regular(path: Path) -> io.BufferedReader:
    """Open a regular file for reading; raises OSError with a sentence, without path, in `strerror`."""
    # O_NONBLOCK: opening a pipe that nobody writes to must not hang before we can see that it is one.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file", str(path))
    return open(descriptor, "rb")
