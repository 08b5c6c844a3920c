"""Which pictures of a folder calibrate a network in int8, and which are held out to compare it with float32."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_recipes.dataset.mapped_arrays import RowWriter
from vision_recipes.errors import PictureFolderError
from vision_recipes.images.reading import hidden, read
from vision_recipes.macro_settings import QuantizeSettings
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import Store
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

FEWEST = 25
"""Files that a folder must have, and readable pictures of either kind that there must be, in fifths."""
_HELD_OUT = 0.4
"""The fraction of a small folder's pictures that is held out; of a large one, all that calibration leaves."""


@dataclass(frozen=True)
class ChosenPictures:
    """The paths of two sets of pictures, neither in the other."""

    calibration: list[str]
    held_out: list[str]


def choose_pictures(paths: Sequence[str], name: str, settings: QuantizeSettings) -> ChosenPictures:
    """Return paths of a folder's listing at random, as many as wanted or, of a small folder, as it has.

    Hidden files are left out. Raises PictureFolderError for fewer than FEWEST.
    """
    shown = [path for path in paths if not hidden(path)]
    if len(shown) < FEWEST:
        raise PictureFolderError(
            f"image_folder: {name!r} has {counted(len(shown), 'picture')}; at least {FEWEST} are needed, some to "
            "calibrate on and others to compare with float32. Take a folder with pictures like those to score."
        )
    mixed = [shown[place] for place in np.random.default_rng(settings.random_seed).permutation(len(shown))]
    spare = max(len(mixed) - settings.calibration_pictures, int(_HELD_OUT * len(mixed)))
    compared = min(settings.validation_pictures, spare)
    return ChosenPictures(mixed[compared : compared + settings.calibration_pictures], mixed[:compared])


def write_pixels(store: Store, paths: Sequence[str], preprocessing: Preprocessing, target: Path) -> set[str]:
    """Write the pixels of the readable pictures, uint8 (n, height, width, 3), and return their digests.

    The others are counted in the log. Raises PictureFolderError when there are too few.
    """
    rows, digests, reasons = RowWriter(target), set[str](), Counter[str]()
    for picture in read(store, paths, preprocessing):
        if picture.pixels is None:
            reasons[picture.reason] += 1
        elif picture.digest not in digests:
            rows.append(picture.pixels)
            digests.add(picture.digest)
    require_enough(len(digests), reasons, store.name, "calibrate on")
    rows.array()
    return digests


def require_enough(readable: int, reasons: Counter[str], name: str, purpose: str) -> None:
    """Say how many pictures are left out; raises PictureFolderError when fewer than two fifths of FEWEST are left."""
    counts = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    if reasons:
        log.info(
            "%s left out: %s", counted(reasons.total(), "unreadable picture is", "unreadable pictures are"), counts
        )
    least = FEWEST * 2 // 5
    if readable < least:
        raise PictureFolderError(
            f"image_folder: of the pictures chosen to {purpose} in {name!r}, only {readable} can be read and differ; "
            f"at least {least} are needed ({counts or 'the others repeat them'}). Take a folder with more pictures."
        )
