"""The recipe from a folder of pictures and a model to one feature vector each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vision_recipes import rows
from vision_recipes.dataset.column_encoding import encode_missing
from vision_recipes.errors import ModelFolderError
from vision_recipes.images.reading import list_pictures
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.model_folder import open_model
from vision_recipes.settings import ExtractSettings
from vision_recipes.stores import Store


def extract(
    pictures: Store, model: Store | None, settings: ExtractSettings, cache: Store | None = None
) -> Iterator[dict[str, Any]]:
    """Return an iterator over one row (rows.EXTRACTED) per file of the folder, in the folder's order.

    Spatial layers are averaged over the picture, or flattened (rows, columns, channels) when the settings say so.
    Without a `model`, the default network is used. What is wrong with the job as a whole is raised before the first
    row: ModelFolderError, PictureFolderError, DeviceError.
    """
    if model is None:
        from vision_recipes.default_model import open_default
    opened = open_default() if model is None else open_model(model)
    layer = opened.layer(settings.extract_layer_index)
    if opened.extra_columns and layer.index == opened.config.layers[-1].index:
        raise ModelFolderError(
            f"The last layer of model {opened.name!r} answers from columns of a table ("
            f"{', '.join(column.name for column in opened.extra_columns)}) too. Extract layer "
            f"{opened.feature_layer.index} or -2, which see the picture alone, or score with vision-classify."
        )
    pooling = "none" if settings.flatten else "avg"
    request = Request(layer.index, pooling, settings.batch_size, "extracted", encode_missing(opened.extra_columns))
    results = forward(pictures, list_pictures(pictures), opened, settings.compute, request, cache=cache)
    return (
        rows.rejected(picture, rows.EXTRACTED) if vector is None else rows.extracted(picture, vector)
        for picture, vector in results
    )
