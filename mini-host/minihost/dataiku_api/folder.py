"""`dataiku.Folder`: a managed folder as paths and streams."""

from __future__ import annotations

import io
import json
import os
import posixpath
from pathlib import Path
from typing import Any, BinaryIO

from minihost.dataiku_api import session
from minihost.dataiku_api.handle import Handle
from minihost.dataiku_api.missing_names import Telling
from minihost.errors import DataError
from minihost.folders import is_remote, listing, open_folder
from minihost.folders.overlay import OverlayFolder
from minihost.folders.paths import canonical, mime_type, parts


class Folder(Handle):
    """A handle on a managed folder, looked up by id, name or full name."""

    _dss_name = "dataiku.Folder"
    _kind = session.FOLDER

    def __init__(self, lookup, project_key=None, ignore_flow=False):
        super().__init__(lookup, project_key, ignore_flow)
        self._opened: Any = None
        if self._known is not None:
            self._opened = open_folder(self._known)  # tells at once what is wrong with it
        self.lookup = lookup
        self.read_partitions = self._partitions or None
        self.writePartition = self._partitions[0] if self._partitions else None

    def get_id(self):
        """Return the id of the folder; here it is its name."""
        return self._reference.name

    def get_name(self):
        """Return the name of the folder."""
        return self._reference.name

    def get_info(self, sensitive_info=False):
        """Return where the folder lies: id, projectKey, name, type, path, accessInfo …"""
        remote = is_remote(self._reference.path)
        info = {
            "id": self._reference.name,
            "projectKey": self.project_key,
            "name": self._reference.name,
            "type": self._reference.path.partition("://")[0].upper() if remote else "Filesystem",
            "directoryBasedPartitioning": bool(self._reference.options.get("partitioning")),
            "accessInfo": {} if remote or self._session.job.streams_only else {"path": self._reference.path},
        }
        if not remote and not self._session.job.streams_only:
            info["path"] = self._reference.path
        return info

    def get_partition_info(self, partition):
        """Return the files of one partition as `paths`."""
        return {"partition": partition, "paths": self.list_paths_in_partition(partition)}

    def get_partition_folder(self, partition):
        """Return the local path of a partition's sub-folder; raises where `get_path` does."""
        return os.path.join(self.get_path(), partition)

    def is_partitioning_directory_based(self):
        """Tell whether partitions are sub-folders."""
        return bool(self._reference.options.get("partitioning"))

    def list_partitions(self):
        """Return the partitions: the names of the sub-folders of a partitioned folder, else one that is the whole."""
        if not self._reference.options.get("partitioning"):
            return ["NP"]
        return sorted({path.split("/")[1] for path in self._storage.paths() if path.count("/") > 1})

    def get_path(self):
        """Return the local path; raises for a folder that is elsewhere, or when only streams are allowed."""
        if self._session.job.streams_only:
            raise DataError(f"Folder {self.full_name}: get_path is refused in this run (--streams-only). Use streams.")
        if is_remote(self._reference.path):
            raise DataError(f"Folder {self.full_name} is not on the local disk and has no path. Use streams.")
        storage = self._storage
        if isinstance(storage, OverlayFolder):
            return str(storage.whole())
        if self._writable:
            Path(self._reference.path).mkdir(parents=True, exist_ok=True)
            stage = self._session.stage(self._reference, ignore_flow=self._ignore_flow)
            if stage is not None:
                return str(stage.folder.whole())
        return os.path.abspath(self._reference.path)

    def file_path(self, filename):
        """Return the local path of a file; raises where `get_path` does."""
        return os.path.join(self.get_path(), *parts(filename))

    def list_paths_in_partition(self, partition=""):
        """Return the path of every file, recursive, each with its leading slash, sorted."""
        paths = listing.of(self._reference) or self._storage.paths()
        if partition and self._reference.options.get("partitioning"):
            inside = f"/{partition}/"
            return [path for path in paths if path.startswith(inside)]
        return paths

    def get_path_details(self, path="/"):
        """Return what is at a path: exists, directory, fullPath, name, size, lastModified, children and so on."""
        details = self._details(canonical(path))
        if details["directory"]:
            here = canonical(path).rstrip("/")
            details["children"] = [self._details(f"{here}/{name}") for name in self._storage.children(canonical(path))]
        return details

    def _details(self, path: str) -> dict[str, Any]:
        facts = self._storage.facts(path)
        folder = path == "/" or (facts is not None and facts.folder)
        details = {
            "exists": folder or facts is not None,
            "directory": folder,
            "fullPath": path,
            "name": posixpath.basename(path),
            "pathElts": path.rstrip("/").split("/"),
            "size": 0 if folder or facts is None else facts.size,
            "lastModified": 0 if facts is None else int(facts.modified * 1000),
        }
        if facts is not None and not folder:
            details["mimeType"] = mime_type(path)
        return details

    def get_download_stream(self, path):
        """Return a file as a binary stream for `with`; it cannot seek. Raises OSError when the file is missing."""
        return io.BufferedReader(Unseekable(self._storage.open(canonical(path))), 1 << 16)

    def upload_stream(self, path, f):
        """Write a file from a stream (binary or text, read from where it stands), or from bytes or text."""
        with self.get_writer(path) as writer:
            if isinstance(f, bytes | bytearray | memoryview | str):
                writer.write(f)
                return
            while chunk := f.read(1 << 20):
                writer.write(chunk)

    def upload_data(self, path, data):
        """Write a file from bytes."""
        self.upload_stream(path, data)

    def upload_file(self, path, file_path):
        """Write a file from a local one."""
        with open(file_path, "rb") as stream:
            self.upload_stream(path, stream)

    def get_writer(self, path):
        """Return a stream to write a file with, for `with`; it takes bytes and text."""
        if not parts(path):
            raise DataError(f"Folder {self.full_name}: {path!r} is the folder itself; a file needs a name.")
        return FolderWriter(self._changing.writing(canonical(path)))

    def read_json(self, path):
        """Return the content of a JSON file."""
        with self.get_download_stream(path) as stream:
            return json.load(stream)

    def write_json(self, path, obj):
        """Write an object as a JSON file."""
        self.upload_stream(path, json.dumps(obj))

    def delete_path(self, path):
        """Delete a file or a folder; nothing happens when it is missing."""
        self._changing.delete(canonical(path))

    def clear(self):
        """Delete everything in the folder."""
        self._changing.clear()

    def clear_partition(self, partition):
        """Delete everything in one partition, or in the whole folder when it has none."""
        if partition and self._reference.options.get("partitioning"):
            self._changing.delete(canonical(partition))
        else:
            self._changing.clear()

    def clear_path(self, path):
        """Delete a file or a folder (the older name of `delete_path`)."""
        self.delete_path(path)

    @property
    def _writable(self) -> bool:
        declared = self._reference in self._session.job.outputs
        return declared or self._session.free(self._ignore_flow)

    @property
    def _base(self) -> Any:
        if self._opened is None:
            self._opened = open_folder(self._reference)
        return self._opened

    @property
    def _storage(self) -> Any:
        stage = self._session.current_stage(self._reference)
        return self._base if stage is None else OverlayFolder(self._base, stage.place)

    @property
    def _changing(self) -> Any:
        stage = self._session.stage(self._reference, ignore_flow=self._ignore_flow)
        return self._base if stage is None else OverlayFolder(self._base, stage.place)


class Unseekable(io.RawIOBase):
    """A binary stream that can only be read on."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        return self._stream.readinto(buffer)  # type: ignore[attr-defined,no-any-return]

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        super().close()


class FolderWriter(Telling):
    """A file being written; it appears when it is closed."""

    _dss_name = "ManagedFolderWriter"

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, data):
        """Write bytes or text (as UTF-8)."""
        return self._stream.write(data.encode("utf-8") if isinstance(data, str) else data)

    def flush(self):
        """Hand on what was written so far."""
        self._stream.flush()

    def close(self):
        """Put the file in its place."""
        self._stream.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._stream.close() if kind is None else self._stream.abandon()
