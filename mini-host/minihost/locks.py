"""One writer for each output: a lock file beside it says who holds it; the system frees it when that process dies."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from minihost.errors import HostError


class OutputBusy(HostError):
    """Another run writes to the output; the message says which."""


class Lock:
    """An exclusive lock on a file made for it. `facts` are shown to those who come too late."""

    def __init__(self, path: Path, what: str, facts: dict[str, Any]) -> None:
        self.path, self.what = path, what
        self.facts = {"process": os.getpid(), "machine": os.uname().nodename, **facts}
        self.descriptor = -1

    def take(self) -> Lock:
        """Take the lock or raise `OutputBusy`; OSError when the file cannot be made."""
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.read(descriptor, 4096)
                os.close(descriptor)
                raise OutputBusy(
                    f"{self.what} is being written by {_described(holder)}. Wait for it to end, or stop it."
                ) from None
            if _same_file(descriptor, self.path):
                break
            os.close(descriptor)  # its holder removed the file between our opening and our locking
        self.descriptor = descriptor
        try:
            os.truncate(descriptor, 0)
            os.write(descriptor, json.dumps(self.facts).encode())
        except OSError:
            self.free()
            raise
        return self

    def free(self) -> None:
        """Free the lock and remove its file; a second call does nothing."""
        if self.descriptor >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Lock:
        return self.take()

    def __exit__(self, *_: object) -> None:
        self.free()


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    ours = os.fstat(descriptor)
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _described(holder: bytes) -> str:
    try:
        facts = json.loads(holder)
        text = f"another run: {facts['component']}, process {facts['process']} on {facts['machine']}"
        text += f", since {facts['since']}"
        return text + (f" (log: {facts['log']})" if facts.get("log") else "")
    except (ValueError, KeyError, TypeError):
        return "another run"
