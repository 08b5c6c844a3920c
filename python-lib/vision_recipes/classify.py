"""The recipe from a folder of pictures and a model to labels, and to verdicts where the model has a detector."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes import rows
from vision_recipes.errors import SettingsError
from vision_recipes.images.reading import list_pictures
from vision_recipes.inference.classification import Classification
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.model_folder import Model, open_model
from vision_recipes.pictures import Picture
from vision_recipes.settings import ClassifySettings
from vision_recipes.shards import shard_of
from vision_recipes.stores import OutputTable, Store, Table
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

MAX_REVIEW = 10_000

Row = dict[str, Any]


@dataclass(frozen=True)
class Classified:
    """The rows, as they come; `columns` are rows.CLASSIFIED, and rows.VERDICT for a model with a detector."""

    columns: tuple[rows.Column, ...]
    rows: Generator[Row, None, None]

    def __iter__(self) -> Iterator[Row]:
        return self.rows


def classify(
    pictures: Store,
    model: Store | None,
    settings: ClassifySettings,
    cache: Store | None = None,
    extra: Table | None = None,
    *,
    review: OutputTable | None = None,
) -> Classified:
    """Return one row (see `Classified.columns`) per file of the folder, in the folder's order, as they are computed.

    With several shards, the files are those of one of them. Without a `model`, the default network is used. `extra` is
    the table of a model trained with columns. `review` gets the pictures that are flagged unsure or unknown, the
    highest out-of-distribution score first, when all rows have come. Raises ModelFolderError, PictureFolderError,
    DeviceError, SettingsError before the first row.
    """
    if model is None:
        from vision_recipes.default_model import open_default
    opened = open_default() if model is None else open_model(model)
    classification = Classification(opened, settings)
    if review is not None and opened.ood_detector is None:
        raise SettingsError(
            f"review_dataset: model {opened.name!r} has no out-of-distribution detector, so no picture can be flagged. "
            "Retrain it on labels of your own (with ten validation pictures at least), or leave the output empty."
        )
    paths, encoded = list_pictures(pictures), None
    if opened.extra_columns:
        from vision_recipes.dataset.extra_columns import encode_table

        encoded = encode_table(opened.extra_columns, paths, extra, opened.name)
    request = Request(
        classification.output, batch=settings.batch_size, verb="classified", extra=encoded, shard=shard_of(settings)
    )
    results = forward(pictures, paths, opened, settings.compute, request, cache=cache)
    return Classified(classification.columns, _rows(results, classification, opened, review))


def _rows(
    results: Iterator[tuple[Picture, np.ndarray | None]],
    classification: Classification,
    model: Model,
    review: OutputTable | None,
) -> Generator[Row, None, None]:
    flagged = Flagged()
    for picture, vector in results:
        row, ood_score = classification.row(picture, vector)
        if vector is not None and ood_score is not None and row["verdict"] != rows.KNOWN:
            scores = vector[: model.config.n_classes]
            flagged.add(rows.flagged(picture, scores, model.label_keys, row["verdict"], ood_score))
        yield row
    if model.ood_detector is not None:
        log.info("%s unsure or unknown", counted(flagged.count, "picture is", "pictures are"))
    if review is not None:
        review.write(rows.REVIEW, flagged.highest_first())


class Flagged:
    """The flagged pictures with the highest scores, as many as a person may ever review; `count` is of all.

    Of equal scores, the first path comes first, so that shards give the same list as the whole folder.
    """

    def __init__(self) -> None:
        self.count = 0
        self._rows: list[Row] = []

    def add(self, row: Row) -> None:
        """Take a row (rows.REVIEW)."""
        self.count += 1
        self._rows.append(row)
        if len(self._rows) >= 2 * MAX_REVIEW:
            self._rows = self._highest()

    def highest_first(self) -> list[Row]:
        """Return the rows, the highest score first."""
        if self.count > MAX_REVIEW:
            log.warning("%d pictures are flagged; the %d with the highest scores are listed", self.count, MAX_REVIEW)
        return self._highest()

    def _highest(self) -> list[Row]:
        return sorted(self._rows, key=lambda row: (-row["oddness"], row["images"]))[:MAX_REVIEW]
