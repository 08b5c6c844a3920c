"""A picture on its way from the folder to a row: path, pixels and digest in one record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REASONS = {
    "missing": "the file was listed but could not be found when it was read",
    "unreadable": "the file exists but could not be read (rights, device, storage error)",
    "outside_folder": "the path is a link that leaves the folder",
    "not_a_file": "the path is not a regular file (pipe, socket, device)",
    "empty": "the file has no bytes",
    "too_large": "the file or the picture in it is larger than the limits",
    "not_an_image": "the bytes are not a picture",
    "unsupported_format": "a picture, but of a format or kind that is not read here",
    "truncated": "the picture is cut off",
    "corrupt": "the picture's data is damaged",
    "timeout": "decoding took longer than the limit",
    "crashed": "decoding ended its process",
}
"""The fixed vocabulary of the `reason` column: why a file has no prediction."""


@dataclass(slots=True)
class Picture:
    """One file of a picture folder after reading, with one of three outcomes: `pixels`, `cached` or `reason`.

    `path` is as the store lists it, with a leading slash. `pixels` is uint8, shape (height, width, 3), RGB, upright.
    `cached` is the network's result from an earlier run, float32 (length,): the file was then not decoded, unless its
    pixels were asked for. `reason` is a key of REASONS, empty for the other outcomes; `detail` says more for the log.
    `digest` is the SHA-256 of the file's bytes in hex, empty when they could not be read. `repaired`: the file lacks
    its end, but none of its pixels.
    """

    path: str
    pixels: np.ndarray | None = None
    reason: str = ""
    detail: str = ""
    digest: str = ""
    cached: np.ndarray | None = None
    repaired: bool = False
