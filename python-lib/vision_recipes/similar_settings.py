"""The parameters of the recipe for similar pictures; see settings."""

from __future__ import annotations

from dataclasses import dataclass

from vision_recipes.settings import ComputeSettings, Settings, preset, whole
from vision_recipes.training_settings import column, names


@dataclass(frozen=True)
class SimilarSettings(Settings):
    """Nearest neighbours and copies: how many, and among which pairs of pictures.

    `same_columns` and `different_columns` restrict pairs: to those with the same value in each of the former, and with
    different values in each of the latter. Empty `vector_column` and `path_column` are found.
    """

    nb_neighbours: int = whole(10, 1, 1000)
    same_columns: tuple[str, ...] = names()
    different_columns: tuple[str, ...] = names()
    vector_column: str = column()
    path_column: str = column()
    batch_size: int = whole(0, 0, 4096)
    compute: ComputeSettings = preset()
