"""The pictures of one side: their vectors, and what tells whether two of them are copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.stores import Store


@dataclass(frozen=True)
class PictureSet:
    """Pictures with a vector each, in the order of their dataset or folder.

    `vectors` float32 (n, d), usually on disk. `cells` holds the columns that restrict pairs. With a folder, `digests`
    are the SHA-256 of the files in hex, `grids` uint8 (n, GRID, GRID) their luminances, and `files` their paths in the
    folder; a picture that could not be read has an empty digest. `rejected` are the paths without a usable vector, with
    the reason why.
    """

    name: str
    paths: Sequence[str]
    vectors: np.ndarray
    cells: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    digests: Sequence[str] = ()
    grids: np.ndarray | None = None
    files: Sequence[str] = ()
    rejected: Sequence[tuple[str, str]] = ()
    store: Store | None = None

    def __len__(self) -> int:
        return len(self.paths)
