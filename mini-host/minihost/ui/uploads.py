"""Folders that are dropped into the page: their files gather beside the project and take their place at the end."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from minihost import disk_space
from minihost.errors import HostError, JobError
from minihost.folders.local import LocalFolder
from minihost.projects.project import FLOW

A_DAY = 24 * 3600
_ID = re.compile(r"[0-9a-f]{16}")
_NO_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069/\\:]+")
_LONGEST = 120
"""Bytes of a folder's name, so that a number and an ending have room."""


class Uploads:
    """The uploads of a project, each in `.minihost/uploads/ID` until it is finished."""

    def __init__(self, project_dir: Path) -> None:
        self.project_dir = project_dir
        self.folder = project_dir / ".minihost" / "uploads"

    def begin(self) -> str:
        """Begin an upload and return its id; what was left of uploads that nobody finished goes after a day."""
        for place in self.folder.glob("*"):
            with contextlib.suppress(OSError):  # another request may have removed it
                if time.time() - place.lstat().st_mtime > A_DAY:
                    shutil.rmtree(place, ignore_errors=True)
        upload = secrets.token_hex(8)
        if not self.project_dir.is_dir():
            raise HostError(f"The project folder {self.project_dir} does not exist any more.")
        try:
            (self.folder / upload).mkdir(parents=True)
            (self.folder.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        except OSError as err:
            raise HostError(f"Nothing can be uploaded to {self.folder}: {err.strerror}.") from err
        return upload

    def put(self, upload: str, path: str, content: IO[bytes]) -> None:
        """Keep one file of an upload under its path inside the folder; raises `HostError`."""
        if any(part.startswith(".") or not part for part in path.split("/")):
            raise JobError([f"{path!r} is hidden or no path inside a folder: it is left out."])
        try:
            LocalFolder(self._of(upload)).write(path, content)
        except OSError as err:
            full = disk_space.message(err, {"the project": str(self.project_dir)})
            raise HostError(full or f"{path!r} cannot be kept: {err}.") from err

    @contextlib.contextmanager
    def ended_as_new(self, upload: str, name: str) -> Iterator[str]:
        """Put the upload into the project as a new folder, named `photos`, else `photos-2`; yield the name.

        When the block fails, the folder goes back: it was not made known to the project.
        """
        source = self._filled(upload)
        stem = _cut(_NO_NAME.sub("_", name)).strip(" .") or "pictures"
        chosen, number = stem, 2
        while chosen == FLOW or os.path.lexists(self.project_dir / chosen):
            chosen, number = f"{stem}-{number}", number + 1
        try:
            source.rename(self.project_dir / chosen)
        except OSError as err:
            raise HostError(f"The folder {chosen!r} cannot be made in the project: {err.strerror}.") from err
        try:
            yield chosen
        except BaseException:
            (self.project_dir / chosen).rename(source)
            raise

    def end_in(self, upload: str, folder: Path) -> int:
        """Add the files of the upload to a folder and return how many; a file whose name is taken gets another."""
        source = self._filled(upload)
        target = LocalFolder(folder)
        paths = LocalFolder(source).paths()
        for path in paths:
            stem, dot, ending = path.rpartition(".")
            chosen, number = path, 2
            while os.path.lexists(target.place(chosen)):
                chosen = f"{stem}-{number}{dot}{ending}" if dot else f"{path}-{number}"
                number += 1
            self._move(source / path.lstrip("/"), target, chosen)
        shutil.rmtree(source, ignore_errors=True)
        return len(paths)

    def _move(self, source: Path, target: LocalFolder, path: str) -> None:
        """Put one file into a folder; raises `HostError` with the file still in the upload."""
        try:
            with open(source, "rb") as stream:
                target.write(path, stream)
            source.unlink()
        except OSError as err:
            full = disk_space.message(err, {"the folder": str(target.root)})
            raise HostError(full or f"{path!r} cannot be added to {target.root}: {err.strerror or err}.") from err

    def _filled(self, upload: str) -> Path:
        source = self._of(upload)
        if not LocalFolder(source).has_files():
            shutil.rmtree(source, ignore_errors=True)
            raise JobError(["There were no files in what was dropped."])
        return source

    def _of(self, upload: str) -> Path:
        place = self.folder / upload
        if not _ID.fullmatch(upload) or not place.is_dir():
            raise JobError([f"There is no upload {upload!r}: it is finished, or too old. Drop the folder again."])
        return place


def _cut(name: str) -> str:
    return name.encode("utf-8", "ignore")[:_LONGEST].decode("utf-8", "ignore")
