"""Files fetched over HTTP: verified, resumed, timed, bounded, and never under their final name before they are whole.

A fetch writes `NAME.part` with a note of where it came from; a later fetch of the same address goes on from there when
the server says that it is the same file (If-Range). Only what has the expected hash gets its final name.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_recipes.errors import DownloadError
from vision_recipes.pretrained.connections import Broken, chunks, connect, shown
from vision_recipes.stores import file_digest

REPEATED = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Limits:
    """When a fetch gives up. Seconds, bytes, and bytes a second over `window` seconds."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 6 * 3600.0
    window: float = 30.0
    rate: float = 2000.0
    attempts: int = 5
    pause: float = 1.0
    longest_pause: float = 60.0


@dataclass(frozen=True)
class Wanted:
    """A file to fetch: its address, its hash (MD5 or SHA-256 in hex, empty if unknown), the most bytes it may have."""

    url: str
    hash: str
    most_bytes: int


def fetch(wanted: Wanted, target: Path, progress: Callable[[int, int], None], limits: Limits = Limits()) -> Path:
    """Return `target` holding the file, verified; raises DownloadError and leaves no wrong file behind.

    A file that is there already with the right hash is not fetched again. `progress` gets bytes so far and in all.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target, limits):
        if target.exists() and wanted.hash and file_digest(target, wanted.hash) == wanted.hash.lower():
            progress(target.stat().st_size, target.stat().st_size)
            return target
        deadline = time.monotonic() + limits.total
        for attempt in range(1, limits.attempts + 1):
            try:
                _Attempt(wanted, target, limits, deadline).run(progress)
                return target
            except Broken as err:
                pause = min(max(limits.pause * 2 ** (attempt - 1), err.after), limits.longest_pause)
                if attempt == limits.attempts or time.monotonic() + pause > deadline:
                    raise DownloadError(
                        f"Could not fetch {shown(wanted.url)} in {attempt} attempts: {err}. Run it again to go on "
                        "where it stopped, or choose a mirror or a file as source."
                    ) from err
                time.sleep(pause)
    raise AssertionError("unreachable")


@dataclass
class _Attempt:
    wanted: Wanted
    target: Path
    limits: Limits
    deadline: float

    @property
    def part(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    @property
    def note(self) -> Path:
        return self.target.with_name(self.target.name + ".part.json")

    def run(self, progress: Callable[[int, int], None]) -> None:
        start, validator = self._resumable()
        headers = {"Accept-Encoding": "identity", "User-Agent": "vision-recipes"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if validator:
                headers["If-Range"] = validator
        response = connect(self.wanted.url, headers, (self.limits.connect, self.limits.read))
        with response:
            start, whole = self._begin(response, start)
            self._receive(response, start, whole, progress)
        self._finish(response, whole)

    def _resumable(self) -> tuple[int, str]:
        """Return how many bytes of a partial file can be kept, and the validator that says of what version they are."""
        try:
            told = json.loads(self.note.read_text(encoding="utf-8"))
            size = self.part.stat().st_size
        except (OSError, ValueError):
            return 0, ""
        same = isinstance(told, dict) and told.get("url") == self.wanted.url and told.get("hash") == self.wanted.hash
        validator = told.get("validator") if same else ""
        if not same or not isinstance(validator, str) or not (validator or self.wanted.hash):
            return 0, ""
        return (size, validator) if size <= self.wanted.most_bytes else (0, "")

    def _begin(self, response: Any, asked: int) -> tuple[int, int | None]:
        """Return from which byte this response goes on, and the size of the whole file if the server tells."""
        status, headers = response.status_code, response.headers
        if status == 416:
            self._forget()
            raise Broken("the part that was there did not fit the file on the server")
        if status in REPEATED:
            raise Broken(
                f"the server answered {status} {response.reason}", _retry_after(headers.get("Retry-After", ""))
            )
        if status not in (200, 206):
            raise DownloadError(
                f"The server of {shown(self.wanted.url)} answered {status} {response.reason}. Check the address, your "
                "rights and the proxy, or choose a mirror or a file as source."
            )
        if headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            raise DownloadError(
                f"{shown(self.wanted.url)} arrives packed ({headers['Content-Encoding']}) although that was not "
                "asked for; a proxy on the way changes files. Choose a mirror or a file as source."
            )
        length = _whole(headers.get("Content-Length", ""))
        if status == 206:
            match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("Content-Range", "").strip())
            if not asked or not match or int(match[1]) != asked:
                self._forget()
                raise Broken(f"the server sent another part than was asked for ({headers.get('Content-Range')!r})")
            whole = int(match[3]) if match[3] != "*" else None if length is None else asked + length
            start = asked
        else:
            start, whole = 0, length
            self._forget()
        if whole is not None and whole > self.wanted.most_bytes:
            raise DownloadError(
                f"{shown(self.wanted.url)} has {whole} bytes, more than the {self.wanted.most_bytes} that this "
                "network can have. Check the address."
            )
        _require_space(self.target.parent, (whole or self.wanted.most_bytes) - start)
        etag = headers.get("ETag", "")
        validator = etag if etag.startswith('"') else ""
        told = {"url": self.wanted.url, "hash": self.wanted.hash, "validator": validator}
        self.note.write_text(json.dumps(told), encoding="utf-8")
        return start, whole

    def _receive(self, response: Any, start: int, whole: int | None, progress: Callable[[int, int], None]) -> None:
        size, since, before = start, time.monotonic(), start
        with self._writing(), open(self.part, "ab" if start else "wb") as copy:
            for chunk in chunks(response):
                size += len(chunk)
                if size > (self.wanted.most_bytes if whole is None else whole):
                    copy.close()
                    self._forget()
                    raise Broken(f"more bytes arrived than the {whole or self.wanted.most_bytes} announced")
                copy.write(chunk)
                progress(size, whole or max(self.wanted.most_bytes, size))
                now = time.monotonic()
                if now > self.deadline:
                    raise DownloadError(
                        f"Fetching {shown(self.wanted.url)} took longer than {self.limits.total:.0f} s; {size} bytes "
                        "are kept. Run it again to go on, or choose a mirror or a file as source."
                    )
                if now - since >= self.limits.window:
                    if size - before < self.limits.rate * (now - since):
                        raise Broken(f"only {(size - before) / (now - since):.0f} bytes a second arrived")
                    since, before = now, size
            copy.flush()
            os.fsync(copy.fileno())
        if whole is not None and size < whole:
            raise Broken(f"the connection ended after {size} of {whole} bytes")

    def _finish(self, response: Any, whole: int | None) -> None:
        expected = self.wanted.hash.lower()
        found = file_digest(self.part, expected)
        if expected and found != expected:
            size, kind = self.part.stat().st_size, response.headers.get("Content-Type", "")
            self._forget()
            raise Broken(
                f"{size} bytes{f' of {kind}' if kind else ''} with the hash {found[:12]}… arrived, not the published "
                f"file ({expected[:12]}…)"
            )
        if not expected and whole is None:
            self._forget()
            raise Broken(
                "the server tells no size and no hash is published, so nobody can say whether the file is whole"
            )
        os.replace(self.part, self.target)
        self.note.unlink(missing_ok=True)

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as err:
            raise DownloadError(
                f"Could not write {self.part}: {err}. Free some space or set VISION_RECIPES_CACHE to a folder with "
                "more; what arrived is kept, so run it again after that."
            ) from err


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _retry_after(text: str) -> float:
    seconds = _whole(text.strip())
    return float(min(seconds, 3600)) if seconds is not None else 0.0


def _require_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + (16 << 20):
        raise DownloadError(
            f"{folder} has {free / 1e6:.0f} MB free, but {size / 1e6:.0f} MB are still to come. Free some space, or "
            "set VISION_RECIPES_CACHE to a folder with more."
        )


@contextmanager
def _alone(target: Path, limits: Limits) -> Iterator[None]:
    """Hold the lock of a file to fetch; waits for another process that is fetching it, at most `limits.total`."""
    import fcntl

    deadline = time.monotonic() + limits.total
    with open(target.with_name(target.name + ".lock"), "a+", encoding="ascii") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as err:
                if time.monotonic() > deadline:
                    raise DownloadError(
                        f"Another process has been fetching {target.name} for too long. End it first."
                    ) from err
                time.sleep(0.2)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_UN)
