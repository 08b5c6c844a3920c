"""A host plugin: `drive://photos/2026` is a folder of the shared drive, wherever this machine has it."""

import os
from pathlib import Path

from minihost.errors import DataError
from minihost.folders.local import LocalFolder
from minihost.folders.paths import parts
from minihost.hookspecs import hookimpl

SCHEME = "drive://"


@hookimpl
def minihost_open_folder(reference):
    """Open URLs of the drive; leave all others to the host and to other plugins."""
    if not reference.path.startswith(SCHEME):
        return None
    drive = os.environ.get("SHARED_DRIVE")
    if not drive:
        raise DataError(f"{reference.path}: set SHARED_DRIVE to the folder where this machine has the shared drive.")
    return LocalFolder(Path(drive, *parts(reference.path.removeprefix(SCHEME))))
