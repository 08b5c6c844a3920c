"""A folder that a run writes to without touching it: what is new lies in a stage, what is deleted is noted there.

Reading sees the folder as it will be. `whole` copies everything into the stage, for components that ask for a local
path and then write as they like; from then on the stage alone is the folder.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, BinaryIO

from minihost.errors import DataError
from minihost.folders.local import LocalFolder, Replacing
from minihost.folders.paths import canonical, parts
from minihost.folders.store import Facts, FolderStore

FILES, CHANGES = "files", "changes.jsonl"


class OverlayFolder:
    """`base` as it will be after the run; all changes lie under `stage`."""

    def __init__(self, base: FolderStore, stage: Path) -> None:
        self.base, self.stage = base, stage
        self.upper = LocalFolder(stage / FILES)
        self._seen = -1
        self._gone: set[str] = set()
        self._hidden = False

    def paths(self) -> list[str]:
        """Return the path of every file as it will be, sorted."""
        return sorted({*self.upper.paths(), *self.kept()})

    def kept(self) -> list[str]:
        """Return the paths of the base that nothing has deleted."""
        self._reread()
        return [] if self._hidden else [path for path in self.base.paths() if not self._deleted(path)]

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises OSError."""
        return self._holder(path).open(path)

    def facts(self, path: str) -> Facts | None:
        """Return what the storage says of a file or folder, None when it is missing."""
        return self._holder(path).facts(path)

    def children(self, path: str) -> list[str]:
        """Return the names in one folder, sorted."""
        self._reread()
        below = [] if self._hidden else self.base.children(path)
        here = canonical(path).rstrip("/")
        return sorted({*self.upper.children(path), *(name for name in below if not self._deleted(f"{here}/{name}"))})

    def writing(self, path: str) -> Replacing:
        """Open a file for writing; it appears, whole, when the stream is closed."""
        if parts(path) and isinstance(self.base, LocalFolder):
            self.base.place(path)  # raises where a link on the way leads out
        return self.upper.writing(path)

    def write(self, path: str, content: Any) -> None:
        """Write one file whole from a binary stream."""
        with self.writing(path) as stream:
            shutil.copyfileobj(content, stream, 1 << 20)

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with all it holds; nothing happens when it is missing."""
        if not parts(path):
            self.clear()
        else:
            self._note({"delete": canonical(path)})
            self.upper.delete(path)

    def clear(self) -> None:
        """Delete all that the folder holds."""
        self._note({"clear": True})
        self.upper.clear()

    def whole(self) -> Path:
        """Return a local folder with everything in it, to be changed at will; raises `DataError` on a full disk."""
        self._reread()
        if not self._hidden:
            names = [path for path in self.kept() if self.upper.facts(path) is None]
            sizes = [found.size for path in names if (found := self.base.facts(path)) is not None]
            free = shutil.disk_usage(self.stage).free
            if sum(sizes) > 0.9 * free:
                raise DataError(
                    f"The component asks for the path of a folder that it may change: {sum(sizes) >> 20} MiB to copy, "
                    f"{free >> 20} MiB are free. Free space, or declare the folder `in_place: true` in flow.yaml."
                )
            for path in names:
                self._copy(path)
            self._note({"clear": True})
        self.upper.root.mkdir(parents=True, exist_ok=True)
        return self.upper.root

    def touched(self) -> bool:
        """Whether anything was written or deleted."""
        return (self.stage / CHANGES).exists() or bool(self.upper.paths())

    def _copy(self, path: str) -> None:
        target = self.upper.place(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        source = self.base.place(path) if isinstance(self.base, LocalFolder) else None
        if source is not None and not source.is_symlink():
            shutil.copy2(source, target)
        elif source is not None:
            target.symlink_to(os.readlink(source))
        else:
            self.upper.write(path, self.base.open(path))

    def _holder(self, path: str) -> FolderStore:
        """The upper folder or the base: whoever has the path."""
        self._reread()
        if self.upper.facts(path) is not None or self._hidden or self._deleted(canonical(path)):
            return self.upper
        return self.base

    def _deleted(self, path: str) -> bool:
        if not self._gone:
            return False
        names = path.strip("/").split("/")
        return any("/" + "/".join(names[:length]) in self._gone for length in range(1, len(names) + 1))

    def _note(self, change: dict[str, Any]) -> None:
        with open(self.stage / CHANGES, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(change) + "\n")

    def _reread(self) -> None:
        """Learn of deletions, those of other threads and processes too."""
        try:
            size = os.stat(self.stage / CHANGES).st_size
        except FileNotFoundError:
            return
        if size == self._seen:
            return
        self._seen = size
        for line in (self.stage / CHANGES).read_text(encoding="utf-8").splitlines():
            change = json.loads(line)
            if "delete" in change:
                self._gone.add(change["delete"])
            self._hidden = self._hidden or bool(change.get("clear"))
