"""From pictures, or their features, to the nearest neighbours of each, and to groups of copies."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.errors import FeatureTableError, OutputError, SettingsError
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder import open_model
from vision_recipes.report_columns import GROUPED, NEIGHBOURS
from vision_recipes.reports.rendering import write_page
from vision_recipes.rows import rounded
from vision_recipes.similar_settings import SimilarSettings
from vision_recipes.similarity.copies import MOST_PROPOSED
from vision_recipes.similarity.duplicate_groups import find_groups
from vision_recipes.similarity.nearest import Neighbours
from vision_recipes.similarity.page import SEARCHABLE, render_similar_page
from vision_recipes.similarity.picture_set import PictureSet
from vision_recipes.similarity.restrictions import Codes, encode
from vision_recipes.similarity.search import Searched, proposed
from vision_recipes.similarity.sources import PictureSource, read_pictures
from vision_recipes.stores import OutputTable, Store
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

__all__ = ["PictureSource", "SimilarInputs", "SimilarOutputs", "similar"]


Row = dict[str, Any]


@dataclass(frozen=True)
class SimilarInputs:
    """The pictures whose neighbours are looked for, `other` ones to look among, and what computes their vectors."""

    pictures: PictureSource
    other: PictureSource = field(default_factory=PictureSource)
    model: Store | None = None
    cache: Store | None = None


@dataclass(frozen=True)
class SimilarOutputs:
    """What is to be written; one of them at least."""

    neighbours: OutputTable | None = None
    groups: OutputTable | None = None
    report: Store | None = None


def similar(inputs: SimilarInputs, settings: SimilarSettings, outputs: SimilarOutputs) -> None:
    """Write the neighbours (report_columns.NEIGHBOURS) and the groups (GROUPED) of pictures, and a page of both.

    Without a model, the default network computes what a folder alone lacks. Raises SettingsError, FeatureTableError,
    PictureFolderError, ModelFolderError, DeviceError, OutputError before anything is written.
    """
    started = time.perf_counter()
    _require(inputs, outputs)
    with work_folder("vision-similar-") as workdir:
        searched = _read(inputs, settings, workdir)
        search = _Search(searched, settings.nb_neighbours)
        if outputs.neighbours is not None:
            outputs.neighbours.write(NEIGHBOURS, search.rows())
        if outputs.groups is not None or outputs.report is not None:
            groups = find_groups(searched, search.proposals())
            log.info("%s", groups.summary())
            if outputs.groups is not None:
                outputs.groups.write(GROUPED, groups.rows())
            if outputs.report is not None:
                write_page(outputs.report, render_similar_page(groups, search.first(), settings))
    log.info("compared %s in %.1f s", counted(len(searched.sets[0]), "picture"), time.perf_counter() - started)


def _require(inputs: SimilarInputs, outputs: SimilarOutputs) -> None:
    if not inputs.pictures:
        raise SettingsError("No pictures: connect feature_dataset, image_folder, or both.")
    if outputs.neighbours is None and outputs.groups is None and outputs.report is None:
        raise OutputError("No output: connect neighbour_dataset, group_dataset or report_folder.")


def _read(inputs: SimilarInputs, settings: SimilarSettings, workdir: Path) -> Searched:
    """Return all pictures with their vectors and what restricts pairs."""
    sources = [source for source in (inputs.pictures, inputs.other) if source]
    model = None
    if inputs.model is not None:
        model = open_model(inputs.model)
    elif any(source.needs_network for source in sources):
        from vision_recipes.default_model import open_default

        model = open_default()
    sets = tuple(
        read_pictures(source, model, settings, workdir / f"set-{place}", inputs.cache)
        for place, source in enumerate(sources)
    )
    widths = [one.vectors.shape[1] for one in sets]
    if len(set(widths)) > 1:
        raise FeatureTableError(
            f"The vectors of {sets[0].name} have {widths[0]} numbers, those of {sets[1].name} {widths[1]}. Extract "
            "both from the same layer of the same model."
        )
    codes = encode([one.cells for one in sets], [*map(len, sets)], settings.same_columns, settings.different_columns)
    _report_missing(sets, codes)
    return Searched.of(sets, tuple(codes), workdir)


def _report_missing(sets: tuple[PictureSet, ...], codes: list[Codes]) -> None:
    for one, code in zip(sets, codes, strict=True):
        if missing := int(code.missing.sum()):
            rows = counted(missing, "picture has no neighbours: it lacks", "pictures have no neighbours: they lack")
            log.warning("%s: %s a value in same_columns or different_columns", one.name, rows)


class _Search:
    """Neighbours as rows of a dataset; what may be copies is kept as they pass."""

    def __init__(self, searched: Searched, most: int) -> None:
        self._searched, self._most = searched, most
        self._offset = len(searched.sets[0]) if len(searched.sets) > 1 else 0
        self._proposals: list[tuple[np.ndarray, np.ndarray]] = []
        self._first: list[Neighbours] = []

    def rows(self) -> Iterator[Row]:
        """Yield a row (NEIGHBOURS) per neighbour, and one per picture without any."""
        pictures, among = self._searched.sets[0], self._searched.sets[-1]
        missing = self._searched.codes[0].missing
        for block in self._blocks():
            for place, (rows, similarities) in enumerate(zip(block.rows, block.similarities, strict=True)):
                path = pictures.paths[block.start + place]
                found = rows[rows >= 0][: self._most]
                if not len(found):
                    yield _without(path, "missing_value" if missing[block.start + place] else "no_neighbour", 0)
                for rank, row in enumerate(found):
                    similarity = rounded(similarities[rank])
                    names = {"images": path, "rank": rank + 1, "neighbour": among.paths[row]}
                    yield names | {"similarity": similarity, "error": 0, "reason": ""}
        for path, reason in pictures.rejected:
            yield _without(path, reason, 1)

    def proposals(self) -> tuple[np.ndarray, np.ndarray]:
        """Return pairs of rows that may be copies."""
        if not self._proposals:
            for _ in self._blocks():
                pass
        ones, others = zip(*self._proposals, strict=True)
        return np.concatenate(ones), np.concatenate(others)

    def first(self) -> Neighbours:
        """Return the neighbours of the pictures that the page can be searched for."""
        rows = np.concatenate([block.rows for block in self._first])[:SEARCHABLE]
        return Neighbours(0, rows, np.concatenate([block.similarities for block in self._first])[:SEARCHABLE])

    def _blocks(self) -> Iterator[Neighbours]:
        self._proposals, self._first = [], []
        for block in self._searched.neighbours(max(self._most, MOST_PROPOSED)):
            if block.start < SEARCHABLE:
                self._first.append(block)
            self._proposals.append(proposed(block, self._offset))
            yield block


def _without(path: str, reason: str, error: int) -> Row:
    return {"images": path, "rank": None, "neighbour": None, "similarity": None, "error": error, "reason": reason}
