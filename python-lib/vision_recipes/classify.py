"""The walk from a folder of pictures and a model to labels, with verdicts where the model knows its limits."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import numpy as np

from vision_recipes import rows
from vision_recipes.dataset.extra_columns import encode_table
from vision_recipes.errors import SettingsError
from vision_recipes.images.reading import list_pictures
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.inference.outputs import BOTH, SCORES
from vision_recipes.model_folder import Model, open_model
from vision_recipes.model_folder.ood import KNOWN, OodDetector
from vision_recipes.pictures import Picture
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import OutputTable, Store, Table

log = logging.getLogger("vision_recipes")

LONGEST_REVIEW = 10_000

Row = dict[str, Any]


class Answers(Iterator[Row]):
    """The rows, as they come; `columns` are rows.CLASSIFIED, and a verdict where the model can give one."""

    def __init__(self, answers: Generator[Row, None, None], columns: tuple[rows.Column, ...]) -> None:
        self.columns = columns
        self._answers = answers

    def __next__(self) -> Row:
        return next(self._answers)

    def close(self) -> None:
        """End the work early; what is kept in a cache is kept."""
        self._answers.close()


def classify(
    pictures: Store,
    model: Store,
    settings: ClassifySettings,
    cache: Store | None = None,
    extra: Table | None = None,
    *,
    review: OutputTable | None = None,
) -> Answers:
    """Return an iterator over one row (see `Answers.columns`) per file of the folder, in the folder's order.

    `extra` is the table of a model that was trained with columns beside the pictures. `review` gets the pictures that
    are not known, the oddest first, when all rows have come. What is wrong with the job as a whole is raised before the
    first row: ModelFolderError, PictureFolderError, DeviceError, SettingsError.
    """
    opened = open_model(model)
    verdict = opened.ood_detector
    if review is not None and verdict is None:
        raise SettingsError(
            f"review_dataset: model {opened.name!r} cannot tell what it does not know, so there is nothing to review. "
            "Retrain it on labels of your own (with ten validation pictures at least), or leave the output empty."
        )
    paths = list_pictures(pictures)
    output = SCORES if verdict is None else BOTH
    request = Request(
        output,
        batch=settings.batch_size,
        verb="classified",
        extra=encode_table(opened.extra_columns, paths, extra, opened.name),
    )
    scored = forward(pictures, paths, opened, settings.compute, request, cache=cache)
    if verdict is None:
        return Answers(_answers(scored, opened, settings), rows.CLASSIFIED)
    return Answers(_judged(scored, opened, settings, verdict, review), (*rows.CLASSIFIED, rows.VERDICT))


Scored = Iterable[tuple[Picture, np.ndarray | None]]


def _answers(scored: Scored, model: Model, settings: ClassifySettings) -> Generator[Row, None, None]:
    for picture, scores in scored:
        if scores is None:
            yield rows.rejected(picture, rows.CLASSIFIED)
        else:
            yield rows.classified(picture, scores, model.label_keys, settings)


def _judged(
    scored: Scored, model: Model, settings: ClassifySettings, verdict: OodDetector, review: OutputTable | None
) -> Generator[Row, None, None]:
    count, odd, queue = model.config.n_classes, 0, _Queue()
    for picture, vector in scored:
        if vector is None:
            yield rows.rejected(picture, (*rows.CLASSIFIED, rows.VERDICT))
            continue
        scores, features = vector[:count], vector[count:]
        word, oddness = verdict.assess(scores, features)
        if word != KNOWN:
            odd += 1
            queue.add(oddness, rows.doubtful(picture, scores, model.label_keys, (word, oddness)))
        yield rows.classified(picture, scores, model.label_keys, settings) | {"verdict": word}
    log.info("%d pictures are unsure or unknown", odd)
    if review is not None:
        review.write(rows.REVIEW, queue.worst_first())


class _Queue:
    """The oddest pictures, as many as a person may ever look at."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Row]] = []
        self._count = 0

    def add(self, oddness: float, row: Row) -> None:
        self._count += 1
        item = (oddness, -self._count, row)
        if len(self._heap) < LONGEST_REVIEW:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def worst_first(self) -> list[Row]:
        if self._count > LONGEST_REVIEW:
            log.warning("%d pictures are to review; the %d oddest are listed", self._count, LONGEST_REVIEW)
        return [row for _, _, row in sorted(self._heap, key=lambda item: (-item[0], -item[1]))]
