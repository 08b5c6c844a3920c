"""Managed folders as stores: streams only, so that folders on any storage work."""

from __future__ import annotations

from typing import BinaryIO

import dataiku

from dss_ports.recipes import input_name, input_names, output_name
from vision_recipes.errors import OutputError


class ManagedFolder:
    """A managed folder of the host, as the core's Store."""

    def __init__(self, folder: dataiku.Folder) -> None:
        self._folder = folder
        self.name = str(folder.get_name())

    def paths(self) -> list[str]:
        """Return the path of every file in the partitions to read, sorted, each with its leading slash."""
        partitions = self._folder.read_partitions or [""]
        return sorted(path for part in partitions for path in self._folder.list_paths_in_partition(part))

    def open(self, path: str) -> BinaryIO:
        """Return a stream for `with`, which cannot seek; raises OSError."""
        try:
            return self._folder.get_download_stream(path)
        except OSError:
            raise
        except Exception as err:  # hosts raise types of their own for storage errors
            if self.size(path) is None:
                raise FileNotFoundError(f"{path} is not in folder {self.name}") from err
            raise OSError(f"{path} in folder {self.name} could not be read: {err}") from err

    def size(self, path: str) -> int | None:
        """Return the size in bytes, or None when there is no such file."""
        details = self._folder.get_path_details(path)
        return details.get("size") if details.get("exists") else None

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """Write one file whole; raises OutputError."""
        try:
            self._folder.upload_stream(path, content)
        except Exception as err:
            raise OutputError(
                f"Could not write {path} into folder {self.name}: {err}. Check rights and space."
            ) from err

    def delete(self, path: str) -> None:
        """Delete one file; nothing happens when it is missing."""
        if self.size(path) is not None:
            self._folder.delete_path(path)


def input_folder(role: str) -> ManagedFolder | None:
    """Return the folder that fills an input role, or None when the role is empty."""
    name = input_name(role)
    return ManagedFolder(dataiku.Folder(name)) if name else None


def input_folders(role: str) -> list[ManagedFolder]:
    """Return the folders that fill an input role which takes several, in order."""
    return [ManagedFolder(dataiku.Folder(name)) for name in input_names(role)]


def output_folder(role: str) -> ManagedFolder | None:
    """Return the folder that fills an output role, or None when the role is empty."""
    name = output_name(role)
    return ManagedFolder(dataiku.Folder(name)) if name else None


def folder_to_fill(project_key: str, chosen: str, new_name: str) -> ManagedFolder:
    """Return the folder that a macro fills: the chosen one, or a new one with the given name."""
    if not chosen:
        chosen = dataiku.api_client().get_project(project_key).create_managed_folder(new_name).id
    return ManagedFolder(dataiku.Folder(chosen, project_key=project_key))


def folder_to_read(project_key: str, chosen: str) -> ManagedFolder | None:
    """Return the folder that a macro reads, or None when none was chosen."""
    return ManagedFolder(dataiku.Folder(chosen, project_key=project_key)) if chosen else None
