"""Where vectors come from: a dataset of them, or a folder of pictures that goes through a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.dataset.column_encoding import encode_missing
from vision_recipes.dataset.feature_table import read_feature_table
from vision_recipes.dataset.mapped_arrays import RowWriter
from vision_recipes.errors import PictureFolderError, SettingsError
from vision_recipes.images.reading import list_pictures
from vision_recipes.inference.engine import FEATURES, SCORES_AND_FEATURES
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.map_settings import MapSettings
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.reference_pictures import feature_width
from vision_recipes.rows import rounded
from vision_recipes.stores import Store, Table

OF_ROWS = ("error", "reason")
"""Columns of a row with a vector that say nothing about the picture."""
PREDICTED = "predicted_label"
PROBABILITY = "predicted_probability"


@dataclass(frozen=True)
class MapInputs:
    """A dataset of feature vectors, or pictures and a model to compute them; tables with columns to join by path.

    Beside a dataset of vectors, `pictures` are for the thumbnails.
    """

    features: Table | None = None
    pictures: Store | None = None
    model: Store | None = None
    labels: Table | None = None
    scored: Table | None = None
    cache: Store | None = None


@dataclass(frozen=True)
class MapColumn:
    """A column beside the pictures: its storage type, and a cell for each picture, None where it is empty."""

    name: str
    type: str
    cells: Sequence[Any]


@dataclass(frozen=True)
class MapSource:
    """The pictures with a vector: paths, vectors float32 (n, d), their columns; the reasons of the others by path."""

    name: str
    paths: Sequence[str]
    vectors: np.ndarray
    columns: Sequence[MapColumn] = ()
    rejected: Sequence[tuple[str, str]] = field(default_factory=list)


def read_source(
    inputs: MapInputs, open_given: Callable[[Store | None], Model], settings: MapSettings, workdir: Path
) -> MapSource:
    """Return the vectors to lay out, in a file of `workdir`; `open_given` opens the model where they are computed.

    Raises SettingsError, FeatureTableError, PictureFolderError, ModelFolderError or DeviceError.
    """
    if inputs.features is not None:
        return _from_table(inputs.features, settings, workdir)
    if inputs.pictures is None:
        raise SettingsError(
            "feature_dataset, image_folder: neither is connected. Connect a dataset of feature vectors, as "
            "vision-extract writes it, or a folder of pictures."
        )
    return _from_folder(inputs.pictures, open_given(inputs.model), settings, workdir, inputs.cache)


def _from_table(table: Table, settings: MapSettings, workdir: Path) -> MapSource:
    found = read_feature_table(table, workdir, vector_column=settings.vector_column, path_column=settings.path_column)
    columns = [MapColumn(name, found.types[name], cells) for name, cells in found.cells.items() if name not in OF_ROWS]
    return MapSource(
        found.name, found.paths, found.vectors, columns, [(row.path, row.reason) for row in found.rejected]
    )


def _from_folder(pictures: Store, model: Model, settings: MapSettings, workdir: Path, cache: Store | None) -> MapSource:
    """Compute the vectors; a model with labels gives those that it predicts as well, in the same pass."""
    labelled = not model.config.ends_in_features and not model.extra_columns
    request = Request(
        SCORES_AND_FEATURES if labelled else FEATURES,
        batch=settings.batch_size,
        verb="computed",
        extra=encode_missing(model.extra_columns),
    )
    classes, width = (model.config.n_classes if labelled else 0), _width(model)
    writer, paths, labels, probabilities = RowWriter(workdir / "vectors"), [], [], []
    rejected: list[tuple[str, str]] = []
    listed = list_pictures(pictures)
    for picture, vector in forward(pictures, listed, model, settings.compute, request, cache=cache):
        if vector is None:
            rejected.append((picture.path, picture.reason))
            continue
        writer.append(vector[classes : classes + width])
        paths.append(picture.path)
        if labelled:
            best = int(vector[:classes].argmax())
            labels.append(model.label_keys[best])
            probabilities.append(rounded(vector[best]))
    vectors = writer.array()
    if not paths:
        raise PictureFolderError(
            f"image_folder: no file of {pictures.name!r} could be read as a picture. Connect a folder with pictures."
        )
    columns = [MapColumn(PREDICTED, "string", labels), MapColumn(PROBABILITY, "double", probabilities)]
    return MapSource(pictures.name, paths, vectors, columns if labelled else (), rejected)


def _width(model: Model) -> int:
    return feature_width(model.config) if model.config.head else model.feature_layer.size
