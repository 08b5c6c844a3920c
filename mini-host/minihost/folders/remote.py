"""A folder in a bucket: one paged listing for all objects, one request for a file, and nothing that is cut short."""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from minihost.errors import counted
from minihost.folders.parallel import in_parallel
from minihost.folders.paths import OWN, NotAFile, canonical, parts
from minihost.folders.remote_streams import BLOCK, Pieces, Writing
from minihost.folders.storage import Storage
from minihost.folders.storage_errors import MissingObject, StorageError, Truncated
from minihost.folders.store import Facts
from minihost.folders.uploads import Upload, probe, upload_of
from minihost.folders.urls import Url

log = logging.getLogger(__name__)
_TAGS = ("ETag", "etag", "md5Hash")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")


@dataclass(frozen=True)
class ObjectFacts(Facts):
    """What a storage says of an object: also the tag that it gives to this content."""

    tag: str = ""


class RemoteFolder:
    """The objects whose keys begin with that of the folder, as paths that begin with a slash."""

    def __init__(self, url: Url, options: Mapping[str, Any]) -> None:
        self.url = url
        self.storage = Storage(url, dict(options))
        self._known: dict[str, Facts] = {}

    def paths(self) -> list[str]:
        """Return the path of every object, recursive and sorted. Keys that are no paths are named in the log."""
        return sorted(self._list("/"))

    def open(self, path: str) -> BinaryIO:
        """Open an object for reading; raises `StorageError`, which is an OSError, for a missing one `MissingObject`."""
        path = canonical(path)
        facts = self._known.get(path)
        if facts is None or facts.size > BLOCK:
            facts = self.look(path)
        if facts.folder:
            raise NotAFile(f"{self.at(path)} is a folder.")
        if facts.size > BLOCK:
            return io.BufferedReader(Pieces(self, path, facts), 1 << 16)
        for _attempt in range(self.storage.attempts):
            content = self.ask("cat_file", path)
            if len(content) == facts.size:
                return io.BytesIO(content)
            facts = self.look(path)  # replaced since it was listed, or cut off on the way
        raise self.storage.failure(Truncated(), self.at(path))

    def facts(self, path: str) -> Facts | None:
        """Return what the storage says of an object or folder, None when it is missing."""
        path = canonical(path)
        if path == "/":
            return Facts(folder=True)
        try:
            return self._known.get(path) or self.look(path)
        except MissingObject:
            return None

    def children(self, path: str) -> list[str]:
        """Return the names in one folder, sorted."""
        path = canonical(path)
        try:
            found = self.ask("ls", path, detail=True)
        except (MissingObject, NotADirectoryError):
            return []
        names = []
        for item in found:
            name = str(item["name"]).rstrip("/").rpartition("/")[2]
            inside = f"{path.rstrip('/')}/{name}"
            if self._inside(str(item["name"]).rstrip("/")) == inside and not _unusable(inside):
                self._known[inside] = _facts_of(item)
                names.append(name)
        return sorted(set(names))

    def write(self, path: str, content: Any) -> None:
        """Write one object whole from a binary stream."""
        with self.writing(path) as stream:
            shutil.copyfileobj(content, stream, 1 << 20)

    def writing(self, path: str) -> Writing:
        """Open an object for writing; it appears, whole, when the stream is closed."""
        return Writing(self, canonical(path))

    def put(self, path: str, content: bytes) -> None:
        """Write one object with one request."""
        self._known.pop(path, None)
        url = self.at(path)
        self.storage.ask(url, "pipe_file", self.storage.place(url), content)

    def delete(self, path: str) -> None:
        """Delete an object, or a folder with all it holds; nothing happens when it is missing."""
        path = canonical(path)
        self.remove({path, *self._list(path)} - {"/"})

    def clear(self) -> None:
        """Delete all objects."""
        self.delete("/")

    def remove(self, paths: Iterable[str]) -> None:
        """Delete these objects; those that are gone already do not count."""

        def one(path: str) -> None:
            with contextlib.suppress(MissingObject):
                self.ask("rm_file", path)
            self._known.pop(path, None)

        in_parallel(one, paths)

    def download(self, path: str, target: Path) -> None:
        """Copy an object to a local file, which appears when it is complete."""
        part = target.with_name(f"{OWN}part-{target.name[:80]}")
        with self.open(path) as source, open(part, "wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
        part.replace(target)

    def download_all(self, target: Path) -> None:
        """Copy every object to a local folder."""

        def one(path: str) -> None:
            place = target.joinpath(*parts(path))
            place.parent.mkdir(parents=True, exist_ok=True)
            self.download(path, place)

        target.mkdir(parents=True, exist_ok=True)
        in_parallel(one, self.paths())

    def upload(self, files: Mapping[str, Path], delete: Iterable[str] = ()) -> Upload:
        """Send local files (path -> file) without changing anything yet: that is what `Upload.place` does."""
        self._known.clear()
        found = upload_of(self.storage, {path: self.at(path) for path in files})
        found.send(files)
        found.afterwards = lambda: self.remove(delete)
        return found

    def check_input(self) -> None:
        """Raise `StorageError` unless there is something in the folder."""
        try:
            found = self.storage.ask(self.url, "info", self.storage.place(self.url))
        except MissingObject:
            raise MissingObject(
                f"Bucket {self.url.bucket!r} ({self.storage.where}) has no object whose key begins with "
                f"{self.url.key + '/'!r}. Check the URL {self.url}."
            ) from None
        if found["type"] != "directory":
            raise StorageError(f"{self.url} is an object, not a folder.")

    def check_output(self) -> None:
        """Raise `StorageError` when nothing may be written, or an object stands where the folder would be."""
        with contextlib.suppress(MissingObject):
            if self.storage.ask(self.url, "info", self.storage.place(self.url))["type"] != "directory":
                raise StorageError(f"{self.url} is an object, and this output is a folder.")
        probe(self.storage, self.at(f"{OWN}probe"))

    def sums(self) -> list[Any]:
        """Return what changes when an object does: path, size, time and tag of each."""
        return [[path, *self.sum_of(facts)] for path, facts in sorted(self._list("/").items())]

    def know(self, sums: Iterable[Sequence[Any]]) -> None:
        """Take in what `sums` returned of some objects, perhaps in another process, so that it is not asked again."""
        self._known.update((path, ObjectFacts(size, modified, tag=tag)) for path, size, modified, tag in sums)

    @staticmethod
    def sum_of(facts: Facts) -> list[Any]:
        """Return what changes when this object does."""
        return [facts.size, facts.modified, getattr(facts, "tag", "")]

    def at(self, path: str) -> Url:
        """Return the URL of a path."""
        key = "/".join(filter(None, [self.url.key, *parts(path)]))
        return Url(self.url.protocol, self.url.bucket, key)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """Call a method of the filesystem for a path; raises `StorageError`."""
        url = self.at(path)
        return self.storage.ask(url, method, self.storage.place(url), **more)

    def look(self, path: str) -> Facts:
        """Return what the storage says of a path now; raises `MissingObject`."""
        found = _facts_of(self.ask("info", path))
        if not found.folder:
            self._known[path] = found
        return found

    def _list(self, path: str) -> dict[str, Facts]:
        """The objects under a path, with what the listing says of them."""
        try:
            listed = self.ask("find", path, detail=True)
        except MissingObject:
            listed = {}
        found, odd = {}, []
        for name, item in listed.items():
            inside = self._inside(name)
            if inside is None or item["type"] == "directory" or _is_own(inside):
                continue
            if inside.endswith("/") and not item.get("size"):
                continue  # a marker that consoles make for an empty folder
            if _unusable(inside):
                odd.append(inside)
            else:
                found[inside] = _facts_of(item)
        if odd:
            log.warning(
                "%s: %s left out, because the key is no path (empty parts, '.' or '..'), such as %r.",
                self.url,
                counted(len(odd), "object"),
                odd[0],
            )
        self._known.update(found)
        return found

    def _inside(self, name: str) -> str | None:
        """The path of a key in this folder; None for one that is not in it."""
        root = self.storage.place(self.url)
        return name.removeprefix(root) if name.startswith(root + "/") else None


def _unusable(path: str) -> bool:
    names = path[1:].split("/")
    return "" in names or "." in names or ".." in names or "\0" in path or "?versionId=" in path


def _is_own(path: str) -> bool:
    return any(name.startswith(OWN) for name in path.split("/"))


def _facts_of(item: Mapping[str, Any]) -> Facts:
    changed: Any = next((item[name] for name in _TIMES if item.get(name)), 0.0)
    if isinstance(changed, str):
        try:
            changed = datetime.fromisoformat(changed)
        except ValueError:
            changed = 0.0
    changed = changed.timestamp() if isinstance(changed, datetime) else float(changed)
    tag = next((str(item[name]) for name in _TAGS if item.get(name)), "")
    return ObjectFacts(int(item.get("size") or 0), changed, item["type"] == "directory", tag)
