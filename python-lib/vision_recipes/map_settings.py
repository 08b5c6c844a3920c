"""The parameters of the map recipe; see settings."""

from __future__ import annotations

from dataclasses import dataclass

from vision_recipes.settings import ComputeSettings, Settings, choice, number, preset, whole
from vision_recipes.training_settings import column


@dataclass(frozen=True)
class MapSettings(Settings):
    """Feature vectors to a plane, its clusters, and a page.

    `perplexity` is about how many neighbours each picture is placed by. `cluster_method` "density" finds how many
    clusters there are and leaves pictures between them out; "number" divides all pictures into `nb_clusters`.
    `page_size` is in megabytes.
    """

    vector_column: str = column()
    path_column: str = column()
    perplexity: float = number(30.0, 2.0, 100.0)
    cluster_method: str = choice("density", "number", "none")
    nb_clusters: int = whole(10, 2, 200)
    name_column: str = column()
    nb_thumbnails: int = whole(10_000, 0, 100_000)
    page_size: int = whole(12, 1, 200)
    random_seed: int = whole(1337, 0, 2**31 - 1)
    batch_size: int = whole(0, 0, 4096)
    compute: ComputeSettings = preset()
