"""The recipe from feature vectors to a map of the pictures: positions, clusters with names, a page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np

from vision_recipes.default_model import open_default
from vision_recipes.local_folders import work_folder
from vision_recipes.map_settings import MapSettings
from vision_recipes.model_folder import Model, open_model
from vision_recipes.picture_map.cluster_names import NO_CLUSTER, name_clusters
from vision_recipes.picture_map.clusters import find_clusters, representatives
from vision_recipes.picture_map.joined_columns import all_columns
from vision_recipes.picture_map.layout import lay_out
from vision_recipes.picture_map.mapped_pictures import MappedPictures
from vision_recipes.picture_map.page import render_map_page
from vision_recipes.picture_map.sources import MapInputs, read_source
from vision_recipes.report_columns import MAPPED
from vision_recipes.reports.rendering import write_page
from vision_recipes.rows import Column, rounded
from vision_recipes.stores import OutputTable, Store
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

__all__ = ["MapInputs", "map_pictures"]


def map_pictures(
    inputs: MapInputs, settings: MapSettings, output: OutputTable, report: Store | None = None
) -> MappedPictures:
    """Write a row (report_columns.MAPPED, and the columns that are passed on) per picture; a page into `report`.

    Raises SettingsError, FeatureTableError, PictureFolderError, ModelFolderError, DeviceError before anything is
    written.
    """
    with work_folder("vision-map-") as workdir:
        source = read_source(inputs, _open, settings, workdir)
        columns = all_columns(source, {"label_dataset": inputs.labels, "scored_dataset": inputs.scored})
        layout = lay_out(source.vectors, settings.perplexity, settings.random_seed)
        clusters = find_clusters(layout, settings)
        names = name_clusters(clusters, columns, settings.name_column)
        stand_for = representatives(layout.reduced, clusters)
        mapped = MappedPictures(source, columns, layout.positions, clusters, names, stand_for)
        log.info("%s", _described(len(names), int((clusters < 0).sum())))
        if report is not None:
            write_page(report, render_map_page(mapped, inputs.pictures, settings, workdir))
    output.write([*MAPPED, *(Column(column.name, column.type) for column in columns)], _rows(mapped))
    return mapped


def _described(clusters: int, outside: int) -> str:
    if not clusters:
        return "no clusters"
    return f"{counted(clusters, 'cluster')}; {counted(outside, 'picture belongs', 'pictures belong')} to none"


def _open(store: Store | None) -> Model:
    return open_default() if store is None else open_model(store)


def _rows(mapped: MappedPictures) -> Iterator[dict[str, Any]]:
    """Yield a row per picture, those without a vector last."""
    medoids = np.zeros(len(mapped.source.paths), bool)
    medoids[mapped.representatives] = True
    for row, (path, (x, y), cluster) in enumerate(
        zip(mapped.source.paths, mapped.positions, mapped.clusters, strict=True)
    ):
        yield {
            "images": path,
            "x": rounded(x),
            "y": rounded(y),
            "cluster": int(cluster) + 1 if cluster >= 0 else None,
            "cluster_name": mapped.names[cluster] if cluster >= 0 else NO_CLUSTER,
            "representative": int(medoids[row]),
            "reason": "",
            **{column.name: column.cells[row] for column in mapped.columns},
        }
    for path, reason in mapped.source.rejected:
        empty = dict.fromkeys(["x", "y", "cluster", "cluster_name", *(column.name for column in mapped.columns)])
        yield {"images": path, **empty, "representative": 0, "reason": reason}
