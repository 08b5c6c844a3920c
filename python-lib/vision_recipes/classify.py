"""The walk from a folder of pictures and a model to labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from vision_recipes import rows
from vision_recipes.engines.forward_path import Request, forward
from vision_recipes.errors import SettingsError
from vision_recipes.images.reading import list_pictures
from vision_recipes.models import Model, open_model
from vision_recipes.models.columns import encode
from vision_recipes.pictures import Picture
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import Store, Table
from vision_recipes.training.extra_columns import join


def classify(
    pictures: Store, model: Store, settings: ClassifySettings, cache: Store | None = None, extra: Table | None = None
) -> Iterator[dict[str, Any]]:
    """Return an iterator over one row (rows.CLASSIFIED) per file of the folder, in the folder's order.

    `extra` is the table of a model that was trained with columns beside the pictures. What is wrong with the job as a
    whole is raised before the first row: ModelFolderError, PictureFolderError, DeviceError, SettingsError.
    """
    opened = open_model(model)
    paths = list_pictures(pictures)
    request = Request(batch=settings.batch_size, verb="classified", extra=_columns(opened, paths, extra))
    scored = forward(pictures, paths, opened, settings.compute, request, cache=cache)
    return (
        rows.rejected(picture, rows.CLASSIFIED)
        if scores is None
        else rows.classified(picture, scores, opened.label_keys, settings)
        for picture, scores in scored
    )


def _columns(model: Model, paths: Sequence[str], extra: Table | None) -> Callable[[Picture], np.ndarray] | None:
    """Return what gives a picture's extra columns, or None for a model without any."""
    columns = model.config.head.extra if model.config.head else ()
    if not columns:
        return None
    names = list(dict.fromkeys(column.name for column in columns))
    if extra is None:
        raise SettingsError(
            f"extra_dataset: model {model.name!r} was trained with the columns {', '.join(names)} beside the pictures; "
            "none is connected. Connect a dataset with these columns and one with the pictures' paths."
        )
    encoded = {path: encode(columns, row) for path, row in join(extra, paths, names).items()}
    unknown = encode(columns, None)
    return lambda picture: encoded.get(picture.path, unknown)
