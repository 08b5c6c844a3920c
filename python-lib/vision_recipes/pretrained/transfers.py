"""Downloads over HTTP: verified, resumed, bounded in time and size, and under their final name only when complete.

A fetch writes `NAME.part` with a note of where it came from; a later fetch of the same address resumes it when the
server confirms that it is the same file (If-Range). Only what has the expected hash gets its final name.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_recipes.errors import DownloadError
from vision_recipes.pretrained.connections import TransientError, chunks, connect, without_credentials
from vision_recipes.stores import file_digest, has_digest

RETRIED_STATUS = (408, 425, 429, 500, 502, 503, 504)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Limits:
    """When a fetch gives up. Seconds, and bytes a second over `window` seconds."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 6 * 3600.0
    window: float = 30.0
    rate: float = 2000.0
    attempts: int = 5
    pause: float = 1.0
    longest_pause: float = 60.0


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch: its address, its hash (MD5 or SHA-256 in hex, empty if unknown), its largest possible size."""

    url: str
    hash: str
    max_bytes: int

    @property
    def address(self) -> str:
        """The address as it may be shown."""
        return without_credentials(self.url)


def fetch(remote: RemoteFile, target: Path, progress: Progress, limits: Limits = Limits()) -> Path:
    """Return `target` holding the file, verified; raises DownloadError and leaves no wrong file behind.

    A file that is there already with the right hash is not fetched again. `progress` gets bytes so far and in all.
    """
    from filelock import FileLock, Timeout

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock", timeout=limits.total, poll_interval=0.2):
            if size := _complete(target, remote.hash):
                progress(size, size)
                return target
            return _attempts(remote, target, progress, limits)
    except Timeout as err:
        raise DownloadError(f"Another process has been fetching {target.name} for too long. End it first.") from err
    except OSError as err:
        raise _not_writable(target.parent, err) from err


def _complete(target: Path, digest: str) -> int:
    """Return the size of a file that has the hash; 0 for another, and for one that another job removes meanwhile."""
    try:
        return target.stat().st_size if has_digest(target, digest) else 0
    except FileNotFoundError:
        return 0


def _not_writable(folder: Path, err: OSError) -> DownloadError:
    return DownloadError(
        f"Could not write into {folder}: {err}. Free some space or set VISION_RECIPES_CACHE to a folder with more that "
        "this job may write to; what arrived is saved, so run it again after that."
    )


def _attempts(remote: RemoteFile, target: Path, progress: Progress, limits: Limits) -> Path:
    deadline, attempt = time.monotonic() + limits.total, 1
    while True:
        try:
            return _Transfer(remote, target, limits, deadline, progress).run()
        except TransientError as err:
            pause = min(max(limits.pause * 2 ** (attempt - 1), err.after), limits.longest_pause)
            if attempt == limits.attempts or time.monotonic() + pause > deadline:
                raise DownloadError(
                    f"Could not fetch {remote.address} in {attempt} attempts: {err}. Run it again to go on where it "
                    "stopped, or choose a mirror or a file as source."
                ) from err
            time.sleep(pause)
            attempt += 1


@dataclass
class _Transfer:
    """One attempt to fetch the rest of a file."""

    remote: RemoteFile
    target: Path
    limits: Limits
    deadline: float
    progress: Progress

    def __post_init__(self) -> None:
        self.part = self.target.with_name(self.target.name + ".part")
        self.note = self.target.with_name(self.target.name + ".part.json")

    def run(self) -> Path:
        """Return the target; raises TransientError when another attempt may succeed, DownloadError otherwise."""
        start, validator = self._resumable()
        headers = {"Accept-Encoding": "identity", "User-Agent": "vision-recipes"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if validator:
                headers["If-Range"] = validator
        with connect(self.remote.url, headers, (self.limits.connect, self.limits.read)) as response:
            start, total = self._begin(response, start)
            try:
                self._receive(response, start, total)
            except OSError as err:
                raise _not_writable(self.part, err) from err
        try:
            self._verify(response.headers.get("Content-Type", ""), total)
            os.replace(self.part, self.target)
        except FileNotFoundError as err:
            raise self._restart("another job removed what had arrived") from err
        self.note.unlink(missing_ok=True)
        return self.target

    def _resumable(self) -> tuple[int, str]:
        """Return the size of a partial file that can be resumed, else 0, and the validator of its version."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
            size = self.part.stat().st_size
        except (OSError, ValueError):
            return 0, ""
        same = isinstance(note, dict) and (note.get("url"), note.get("hash")) == (self.remote.url, self.remote.hash)
        validator = note.get("validator") if same else None
        if not isinstance(validator, str) or not (validator or self.remote.hash) or size > self.remote.max_bytes:
            return 0, ""
        return size, validator

    def _begin(self, response: Any, start: int) -> tuple[int, int | None]:
        """Return from which byte this response continues, and the size of the file if the server gives it."""
        status, headers = response.status_code, response.headers
        if status == 416:
            raise self._restart("the partial file did not fit the file on the server")
        if status in RETRIED_STATUS:
            busy = TransientError(f"the server answered {status} {response.reason}")
            busy.after = float(min(_number(headers.get("Retry-After", "")) or 0, 3600))
            raise busy
        if status not in (200, 206):
            raise DownloadError(
                f"The server of {self.remote.address} answered {status} {response.reason}. Check the address, your "
                "rights and the proxy, or choose a mirror or a file as source."
            )
        if headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            raise DownloadError(
                f"{self.remote.address} arrives compressed ({headers['Content-Encoding']}) although that was not "
                "asked for; a proxy on the way changes files. Choose a mirror or a file as source."
            )
        total = _number(headers.get("Content-Length", ""))
        if status == 206:
            sent = headers.get("Content-Range", "").strip()
            match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", sent)
            if not start or not match or int(match[1]) != start:
                raise self._restart(f"the server sent another part than was asked for ({sent!r})")
            total = int(match[3]) if match[3] != "*" else None if total is None else start + total
        else:
            start = 0
            self._forget()
        if total is not None and total > self.remote.max_bytes:
            raise DownloadError(
                f"{self.remote.address} has {total} bytes, more than the {self.remote.max_bytes} that this network can "
                "have. Check the address."
            )
        rest = (total or self.remote.max_bytes) - start + (16 << 20)
        require_space(self.target.parent, rest, "the rest of the file", "VISION_RECIPES_CACHE")
        etag = headers.get("ETag", "")
        note = {"url": self.remote.url, "hash": self.remote.hash, "validator": etag if etag.startswith('"') else ""}
        self.note.write_text(json.dumps(note), encoding="utf-8")
        return start, total

    def _receive(self, response: Any, start: int, total: int | None) -> None:
        most = self.remote.max_bytes if total is None else total
        size, window_start, size_before = start, time.monotonic(), start
        with open(self.part, "ab" if start else "wb") as copy:
            for chunk in chunks(response):
                size += len(chunk)
                if size > most:
                    raise self._restart(f"more bytes arrived than the {most} announced")
                copy.write(chunk)
                self.progress(size, total or max(most, size))
                now = time.monotonic()
                if now > self.deadline:
                    raise DownloadError(
                        f"Fetching {self.remote.address} took longer than {self.limits.total:.0f} s; {size} bytes are "
                        "saved. Run it again to go on, or choose a mirror or a file as source."
                    )
                if now - window_start >= self.limits.window:
                    rate = (size - size_before) / (now - window_start)
                    if rate < self.limits.rate:
                        raise TransientError(f"only {rate:.0f} bytes a second arrived")
                    window_start, size_before = now, size
            copy.flush()
            os.fsync(copy.fileno())
        if total is not None and size < total:
            raise TransientError(f"the connection ended after {size} of {total} bytes")

    def _verify(self, kind: str, total: int | None) -> None:
        if self.remote.hash and not has_digest(self.part, self.remote.hash):
            size, found = self.part.stat().st_size, file_digest(self.part, self.remote.hash)
            raise self._restart(
                f"{size} bytes{f' of {kind}' if kind else ''} with the hash {found[:12]}… arrived, not the published "
                f"file ({self.remote.hash[:12]}…)"
            )
        if not self.remote.hash and total is None:
            raise self._restart(
                "the server gives no size and no hash is published, so nobody can say whether the file is complete"
            )

    def _restart(self, reason: str) -> TransientError:
        """Remove the partial file, and return the error after which the next attempt starts from the first byte."""
        self._forget()
        return TransientError(reason)

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def require_space(folder: Path, needed: int, purpose: str, variable: str) -> None:
    """Raise DownloadError when a folder has less than `needed` bytes free; `variable` is what moves the folder."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DownloadError(
            f"{folder} has {free / 1e6:.0f} MB free, but {purpose} takes {needed / 1e6:.0f} MB. Free some space, or "
            f"set {variable} to a folder with more."
        )
