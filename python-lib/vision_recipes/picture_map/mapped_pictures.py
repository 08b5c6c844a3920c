"""The pictures of a map: where each lies, its cluster, its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision_recipes.picture_map.sources import MapColumn, MapSource


@dataclass(frozen=True)
class MappedPictures:
    """All that is known of the pictures of `source`, in its order.

    `positions` are float64 (n, 2) from -1 to 1, `clusters` int (n,) from 0 or -1 for none, `names` one for each
    cluster, `representatives` the row of the picture that stands for each.
    """

    source: MapSource
    columns: Sequence[MapColumn]
    positions: np.ndarray
    clusters: np.ndarray
    names: Sequence[str]
    representatives: np.ndarray
