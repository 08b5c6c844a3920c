"""Files on their way into a bucket: all of them are sent first, then they are put in place, then others are deleted.

S3 has multipart uploads, of which nobody sees anything until they are completed. Elsewhere files get keys of
their own beside the final ones, and copied inside the storage.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from minihost.errors import counted
from minihost.folders.parallel import MANY_THREADS, THREADS, in_parallel
from minihost.folders.paths import OWN
from minihost.folders.storage import Storage
from minihost.folders.storage_errors import StorageError
from minihost.folders.urls import Url

PART = 8 << 20
MOST_PARTS = 9000
MOST_BYTES = 64 << 20
"""Files that are sent at once by many threads; larger ones are sent by fewer, each of which holds one part or two."""
PATIENCE = 10.0
"""Seconds for dropping what was sent; a server that does not answer keeps what nobody sees."""


class Upload(ABC):
    """The files of one output, by their path in the folder."""

    def __init__(self, storage: Storage, targets: Mapping[str, Url]) -> None:
        self.storage, self.targets = storage, dict(targets)
        self.afterwards: Callable[[], None] = lambda: None

    def send(self, files: Mapping[str, Path]) -> None:
        """Send the content of every file; when one fails, all are dropped. Raises `StorageError`."""
        try:
            largest = sorted((file.stat().st_size for file in files.values()), reverse=True)[:MANY_THREADS]
            threads = MANY_THREADS if sum(largest) <= MOST_BYTES else THREADS
            in_parallel(lambda path: self._guarded(path, lambda: self._send(path, files[path])), self.targets, threads)
        except BaseException:
            self.discard()
            raise

    def place(self) -> None:
        """Put everything in its place, then delete what is no longer wanted. The error says how far this came."""
        done: list[str] = []

        def one(path: str) -> None:
            self._guarded(path, lambda: self._place(path))
            done.append(path)

        try:
            in_parallel(one, self.targets, MANY_THREADS)
        except BaseException as err:
            self.discard()
            if not done or not isinstance(err, StorageError):
                raise
            names = ", ".join(str(self.targets[path]) for path in sorted(done)[:10])
            more = f" and {len(done) - 10} more" if len(done) > 10 else ""
            what = f"{len(done)} of {counted(len(self.targets), 'object')} were already replaced ({names}{more})"
            raise type(err)(f"{err} {what}; all others are as they were, and nothing was deleted.") from None
        self.discard()
        try:
            self.afterwards()
        except StorageError as err:
            raise type(err)(f"{err} All new objects are in place, but not all old ones were deleted.") from None

    def discard(self) -> None:
        """Drop what was sent and not put in place; failures do not count."""
        dropping = threading.Thread(target=self._discard, daemon=True)
        dropping.start()
        dropping.join(PATIENCE)

    @abstractmethod
    def _discard(self) -> None: ...

    @abstractmethod
    def _send(self, path: str, file: Path) -> None: ...

    @abstractmethod
    def _place(self, path: str) -> None: ...

    def _guarded(self, path: str, step: Callable[[], None]) -> None:
        self.storage.check()
        try:
            step()
        except Exception as err:  # each storage library has exceptions of its own
            raise self.storage.failure(err, self.targets[path]) from None


class Multipart(Upload):
    """Multipart uploads of S3."""

    def __init__(self, storage: Storage, targets: Mapping[str, Url]) -> None:
        super().__init__(storage, targets)
        self._open: dict[str, Any] = {}

    def _discard(self) -> None:
        for path in list(self._open):
            stream = self._open.pop(path)
            stream.closed = True
            with contextlib.suppress(Exception):
                stream.discard()

    def _send(self, path: str, file: Path) -> None:
        part = max(PART, file.stat().st_size // MOST_PARTS + 1)
        place = self.storage.place(self.targets[path])
        stream = self.storage.disk.open(place, "wb", block_size=part, autocommit=False)
        self._open[path] = stream
        with open(file, "rb") as source:
            shutil.copyfileobj(source, stream, 1 << 20)
        stream.close()

    def _place(self, path: str) -> None:
        stream = self._open[path]
        size = stream.tell()
        try:
            stream.commit()
        except FileNotFoundError:  # completed at the first try, whose answer got lost
            found = self.storage.disk.info(self.storage.place(self.targets[path]))
            if found["size"] != size:
                raise
        del self._open[path]


class Copied(Upload):
    """Files sent under keys of their own, and copied inside the storage."""

    def __init__(self, storage: Storage, targets: Mapping[str, Url]) -> None:
        super().__init__(storage, targets)
        folder = storage.url.key if len(targets) != 1 else next(iter(targets.values())).parent.key
        name = f"{OWN}stage-{os.urandom(6).hex()}"
        self._folder = Url(storage.url.protocol, storage.url.bucket, "/".join(filter(None, [folder, name])))
        self._sent: dict[str, str] = {}

    def _discard(self) -> None:
        for path in list(self._sent):
            with contextlib.suppress(Exception):
                self.storage.disk.rm_file(self._sent.pop(path))
        with contextlib.suppress(Exception):
            self.storage.disk.rmdir(self.storage.place(self._folder))

    def _send(self, path: str, file: Path) -> None:
        place = f"{self.storage.place(self._folder)}/{len(self._sent)}-{os.urandom(4).hex()}"
        self._sent[path] = place
        self.storage.disk.put_file(str(file), place)

    def _place(self, path: str) -> None:
        self.storage.disk.cp_file(self._sent[path], self.storage.place(self.targets[path]))


def upload_of(storage: Storage, targets: Mapping[str, Url]) -> Upload:
    """Return the way in which files get to a storage."""
    return (Multipart if storage.url.protocol == "s3" else Copied)(storage, targets)


def probe(storage: Storage, url: Url) -> None:
    """Raise `StorageError` where an object may not be written; S3 tells without any trace, others at the end only."""
    if url.protocol == "s3":
        key = {"Bucket": url.bucket, "Key": url.key}
        begun = storage.ask(url, "call_s3", "create_multipart_upload", **key)
        with contextlib.suppress(StorageError):
            storage.ask(url, "call_s3", "abort_multipart_upload", UploadId=begun["UploadId"], **key)
