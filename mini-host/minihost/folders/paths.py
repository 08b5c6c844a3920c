"""Paths inside a folder: one spelling for all, and none that leads out."""

from __future__ import annotations

import mimetypes
import posixpath
from functools import cache

from minihost.errors import DataError

OWN = ".minihost-"
"""What the names of the host's own files begin with; listings never show them."""

_MORE_TYPES = {".xml": "application/xml", ".ipynb": "application/x-ipynb+json", ".webp": "image/webp"}


class LinkOutside(DataError, OSError):
    """A path or a link that leads out of its folder."""

    reason = "outside_folder"


class NotAFile(DataError, OSError):
    """A pipe, a socket, a device or a folder where a file was asked for."""

    reason = "not_a_file"


def parts(path: str) -> list[str]:
    """Split a path into names: leading, doubled and trailing slashes do not count. Raises `LinkOutside` at `..`."""
    names = [name for name in (path or "").split("/") if name not in ("", ".")]
    if ".." in names or "\0" in (path or ""):
        raise LinkOutside(f"{path!r} is not a path inside the folder.")
    return names


def canonical(path: str) -> str:
    """Return the one spelling of a path: `/a/b.png`, and `/` for the folder itself."""
    return "/" + "/".join(parts(path))


@cache
def _types() -> mimetypes.MimeTypes:
    found = mimetypes.MimeTypes()
    for ending, kind in _MORE_TYPES.items():
        found.add_type(kind, ending)
    return found


def mime_type(path: str) -> str:
    """Return the MIME type by a file's ending; the same on every machine."""
    kind, packing = _types().guess_type(posixpath.basename(path), strict=False)
    return "application/octet-stream" if packing or not kind else kind
