"""The recipe from a folder of pictures and a model to one feature vector each, with what is known of the pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vision_recipes import rows
from vision_recipes.dataset.column_encoding import encode_missing
from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.images.reading import list_pictures
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.model_folder import Model, open_model
from vision_recipes.model_folder.config import Layer
from vision_recipes.shards import shard_of
from vision_recipes.stores import Store, Table
from vision_recipes.training_settings import ExtractSettings

if TYPE_CHECKING:
    from vision_recipes.dataset.columns_beside import ColumnsBeside

MAX_COLUMNS = 5000
"""The most columns that a vector is spread over; databases and data frames take no more than some thousands."""


@dataclass(frozen=True)
class Extracted:
    """The rows, as they come, and their `columns`: rows.EXTRACTED in either form, then label and joined columns."""

    columns: tuple[rows.Column, ...]
    rows: Iterator[dict[str, Any]]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.rows


def extract(
    pictures: Store,
    model: Store | None,
    settings: ExtractSettings,
    cache: Store | None = None,
    extra: Table | None = None,
) -> Extracted:
    """Return one row (see `Extracted.columns`) per file of the folder, in the folder's order, as they are computed.

    With several shards, the files are those of one of them. Spatial layers are averaged over the picture, or flattened
    (rows, columns, channels) when the settings say so. Without a `model`, the default network is used. The columns of
    `extra` join each picture by its path. What is wrong with the job as a whole is raised before the first row:
    ModelFolderError, PictureFolderError, DeviceError, LabelsError, SettingsError.
    """
    if model is None:
        from vision_recipes.default_model import open_default
    opened = open_default() if model is None else open_model(model)
    layer = _layer(opened, settings)
    vector = _vector_columns(layer, settings)
    columns = (rows.IMAGES, *vector, *rows.EXTRACTED[2:])
    paths = list_pictures(pictures)
    beside = _beside(paths, extra, settings, columns)
    pooling = "none" if settings.flatten else "avg"
    extra_inputs, shard = encode_missing(opened.extra_columns), shard_of(settings)
    request = Request(layer.index, pooling, settings.batch_size, "extracted", extra_inputs, shard=shard)
    results = forward(pictures, paths, opened, settings.compute, request, cache=cache)
    found: Iterator[dict[str, Any]] = (
        rows.rejected(picture, columns) if numbers is None else rows.extracted(picture, numbers, vector)
        for picture, numbers in results
    )
    if beside is None:
        return Extracted(columns, found)
    return Extracted((*columns, *beside.columns), (row | beside.cells(row["images"]) for row in found))


def _layer(model: Model, settings: ExtractSettings) -> Layer:
    layer = model.layer(settings.extract_layer_index)
    if model.extra_columns and layer.index == model.config.layers[-1].index:
        raise ModelFolderError(
            f"The last layer of model {model.name!r} answers from columns of a table ("
            f"{', '.join(column.name for column in model.extra_columns)}) too. Extract layer "
            f"{model.feature_layer.index} or -2, which see the picture alone, or score with vision-classify."
        )
    return layer


def _vector_columns(layer: Layer, settings: ExtractSettings) -> tuple[rows.Column, ...]:
    """Return the columns of a vector; raises SettingsError when they are too many."""
    if settings.features_as == "array":
        return (rows.VECTOR,)
    sizes = layer.shape if settings.flatten else (layer.size,)
    length = math.prod(size or MAX_COLUMNS + 1 for size in sizes)
    if length > MAX_COLUMNS:
        raise SettingsError(
            f"features_as: layer {layer.index} ({layer.name}) gives "
            f"{'vectors of no fixed length' if None in sizes else f'{length} numbers for each picture'}; at most "
            f"{MAX_COLUMNS} fit into columns of their own. Choose array, or another layer"
            + (", or switch flatten off." if settings.flatten else ".")
        )
    digits = len(str(length))
    return tuple(
        rows.Column(f"feature_{number:0{digits}d}", "double", f"Number {number} of the feature vector")
        for number in range(1, length + 1)
    )


def _beside(
    paths: Sequence[str], extra: Table | None, settings: ExtractSettings, taken: Sequence[rows.Column]
) -> ColumnsBeside | None:
    """Return the label and the table's columns of each picture, None where neither is asked for."""
    of_table = ("key_pattern", "col_filename", "extra_columns")
    if extra is None and (named := [name for name in of_table if getattr(settings, name)]):
        raise SettingsError(
            f"{named[0]} is about the columns of a dataset, but none is connected. Connect it as extra_dataset, or "
            f"leave {named[0]} empty."
        )
    if extra is None and not settings.labelled:
        return None
    from vision_recipes.dataset.columns_beside import columns_beside

    return columns_beside(paths, extra, settings, [column.name for column in taken])
