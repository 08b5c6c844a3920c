"""The walk from a folder of pictures and a model to labels."""

from __future__ import annotations

import logging
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
from vision_recipes.training.labels import path_finder

log = logging.getLogger("vision_recipes")


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
    names = [column.name for column in columns]
    if extra is None or not set(names) <= set(extra.columns):
        found = "none is connected" if extra is None else f"{extra.name} has {', '.join(extra.columns)}"
        raise SettingsError(
            f"extra_dataset: model {model.name!r} was trained with the columns {', '.join(names)} beside the pictures; "
            f"{found}. Connect a dataset with these columns and one with the pictures' paths."
        )
    find, joined, hits = path_finder(paths), {}, dict.fromkeys(set(extra.columns) - set(names), 0)
    for row in extra.rows():
        for column in hits:
            path = find(row.get(column))
            if path is not None:
                hits[column] += 1
                joined[column, path] = encode(columns, row)
    chosen = max(hits, key=lambda column: hits[column], default=None)
    if chosen is None or not hits[chosen]:
        raise SettingsError(
            f"extra_dataset: no column of {extra.name} holds paths of the folder's files (the first is {paths[0]!r})."
        )
    absent = sum((chosen, path) not in joined for path in paths)
    log.info(
        "extra columns come from %s by column %r; %d of %d files are not in it", extra.name, chosen, absent, len(paths)
    )
    unknown = encode(columns, {})
    return lambda picture: joined.get((chosen, picture.path), unknown)
