"""The whole parts of a run that is not over, kept for a rerun: `.minihost/parts/<fingerprint>-<shards>/<number>`."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from minihost.errors import HostError
from minihost.runs import live_folders

KEPT = 3
"""Runs that ended early whose parts are kept."""

YOUNG = 60.0
"""Seconds for which a folder without a holder is left alone: somebody is about to take it."""

FACTS = "part.json"


class Parts:
    """Holds the folder of the parts of one run, for this process alone until it ends.

    A folder `<number>` is a whole part: it was renamed to that, and `part.json` in it has the size of every file (a
    power cut may leave less of one). Everything else in the folder is of no use to another run.
    """

    def __init__(self, folder: Path, shards: int) -> None:
        self.folder, self.shards = folder, shards
        self._lock = -1

    @classmethod
    def open(cls, project_dir: Path, fingerprint: str, shards: int, *, fixed: bool) -> Parts:
        """Take the folder for this fingerprint; with as many shards as an earlier run had, unless the number is fixed.

        Raises `HostError` where the disk refuses.
        """
        try:
            store = live_folders.own_folder(project_dir) / "parts"
            store.mkdir(exist_ok=True)
            there = [] if fixed else sorted(_earlier(store, fingerprint), key=lambda one: -one[1])
            shards = there[0][0] if there and there[0][1] else shards
            for name in (f"{fingerprint}-{shards}", f"{fingerprint}-{shards}-{os.urandom(3).hex()}"):
                parts = cls(store / name, shards)
                if parts._taken():
                    break
            parts._sweep()
            _keep_newest(store)
        except OSError as err:
            raise HostError(
                f"The parts of the run cannot be kept in {project_dir / '.minihost'}: {err.strerror}. "
                "Free some space, or choose another --project."
            ) from err
        return parts

    def place(self, number: int) -> Path:
        """Return the folder of a whole part."""
        return self.folder / str(number)

    def draft(self, number: int) -> Path:
        """Return the folder in which a part is made."""
        return self.folder / f"{number}.part"

    def kept(self) -> list[int]:
        """Return the numbers of the parts that are whole, sorted."""
        return sorted(number for number in range(1, self.shards + 1) if _is_whole(self.place(number)))

    def keep(self, number: int) -> None:
        """Make what was made of a part a whole part. Raises OSError."""
        draft = self.draft(number)
        draft.mkdir(exist_ok=True)
        shutil.rmtree(draft / "work", ignore_errors=True)
        (draft / FACTS).write_text(json.dumps(dict(_sizes(draft))), encoding="utf-8")
        draft.rename(self.place(number))

    def clear(self) -> None:
        """Delete all parts: the run is over."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.free()

    def free(self) -> None:
        """Leave the parts to another run."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _taken(self) -> bool:
        self.folder.mkdir(exist_ok=True)
        descriptor = os.open(self.folder / live_folders.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        os.utime(self.folder)
        return True

    def _sweep(self) -> None:
        """Delete what a killed run left half made."""
        for path in self.folder.glob("*.part"):
            shutil.rmtree(path)
        for path in self.folder.iterdir():
            if path.name.isdecimal() and not _is_whole(path):
                shutil.rmtree(path)


def _earlier(store: Path, fingerprint: str) -> Iterator[tuple[int, int]]:
    """Yield the number of shards and of whole parts of each run with this fingerprint that nobody goes on with."""
    for folder in store.glob(f"{fingerprint}-*"):
        shards = folder.name.removeprefix(f"{fingerprint}-")
        if shards.isdecimal() and not live_folders.is_alive(folder):
            yield int(shards), sum(path.name.isdecimal() for path in folder.iterdir())


def _keep_newest(store: Path) -> None:
    dead = [folder for folder in store.iterdir() if folder.is_dir() and not live_folders.is_alive(folder)]
    ages = sorted((live_folders.changed_at(folder), folder) for folder in dead)
    for changed, folder in ages[: max(0, len(ages) - KEPT)]:
        if time.time() - changed > YOUNG:
            shutil.rmtree(folder, ignore_errors=True)


def _is_whole(part: Path) -> bool:
    try:
        sizes = json.loads((part / FACTS).read_text(encoding="utf-8"))
        return isinstance(sizes, dict) and sizes == dict(_sizes(part))
    except (OSError, ValueError):
        return False


def _sizes(part: Path) -> Iterator[tuple[str, int]]:
    """Yield the path and size of every file of a part but `part.json`."""
    for folder, _subfolders, names in os.walk(part):
        for name in names:
            path = os.path.join(folder, name)
            with contextlib.suppress(FileNotFoundError):
                if os.path.relpath(path, part) != FACTS:
                    yield os.path.relpath(path, part), os.lstat(path).st_size
