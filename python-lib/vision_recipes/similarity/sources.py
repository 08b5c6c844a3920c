"""Where pictures and their vectors come from: a dataset of features, a folder and a network, or both."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_recipes.dataset.column_encoding import encode_missing
from vision_recipes.dataset.feature_table import FeatureTable, read_feature_table
from vision_recipes.dataset.mapped_arrays import RowWriter
from vision_recipes.dataset.path_matching import match_paths
from vision_recipes.errors import FeatureTableError, PictureFolderError, SettingsError, listed
from vision_recipes.images.perceptual_hash import GRID, luminance_grid
from vision_recipes.images.reading import list_pictures, read
from vision_recipes.inference.engine import FEATURES
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.local_folders import reserve
from vision_recipes.model_folder import Model
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.similar_settings import SimilarSettings
from vision_recipes.similarity.picture_set import PictureSet
from vision_recipes.stores import Store, Table
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

ZERO = "zero_vector"
_SEEN = Preprocessing(224, 224)


@dataclass(frozen=True)
class PictureSource:
    """What is connected for one side: a dataset of features, a folder of pictures, or both."""

    features: Table | None = None
    pictures: Store | None = None

    def __bool__(self) -> bool:
        return self.features is not None or self.pictures is not None

    @property
    def needs_network(self) -> bool:
        """Whether the vectors have to be computed."""
        return self.features is None and self.pictures is not None


def read_pictures(
    source: PictureSource, model: Model | None, settings: SimilarSettings, workdir: Path, cache: Store | None
) -> PictureSet:
    """Return the pictures of a source; `model` computes the vectors of one without a dataset of features.

    Raises FeatureTableError, PictureFolderError, SettingsError, DeviceError, OutputError.
    """
    workdir.mkdir()
    restricting = tuple(dict.fromkeys((*settings.same_columns, *settings.different_columns)))
    if source.features is not None:
        return _of_table(source, model, settings, restricting, workdir)
    assert source.pictures is not None and model is not None
    if restricting:
        raise SettingsError(
            f"same_columns, different_columns: {listed(map(repr, restricting), 5)} must be columns of a dataset of "
            f"features, but only the folder {source.pictures.name} is connected. Extract its features with "
            "vision-extract, join the columns to them, and connect that dataset."
        )
    return _of_folder(source.pictures, model, settings, workdir, cache)


def _of_folder(store: Store, model: Model, settings: SimilarSettings, workdir: Path, cache: Store | None) -> PictureSet:
    """Return a folder's pictures: each is read, decoded and computed once."""
    paths = list_pictures(store)
    request = Request(
        *(FEATURES, "avg", settings.batch_size, "compared"),
        extra=encode_missing(model.extra_columns),
        pixels=frozenset(paths),
    )
    vectors, grids = RowWriter(workdir / "vectors"), RowWriter(workdir / "grids")
    usable, digests, rejected = list[str](), list[str](), list[tuple[str, str]]()
    for picture, vector in forward(store, paths, model, settings.compute, request, cache=cache):
        reason = picture.reason if vector is None else _reason(vector)
        if vector is None or reason:
            rejected.append((picture.path, reason))
            continue
        assert picture.pixels is not None
        vectors.append(np.asarray(vector, np.float32))
        grids.append(luminance_grid(picture.pixels))
        usable.append(picture.path)
        digests.append(picture.digest)
    if not usable:
        reasons = ", ".join(sorted({reason for _, reason in rejected}))
        raise PictureFolderError(
            f"No file of folder {store.name} could be compared ({reasons}). Connect a folder with pictures."
        )
    return PictureSet(store.name, usable, vectors.array(), {}, digests, grids.array(), usable, rejected, store)


def _of_table(
    source: PictureSource,
    model: Model | None,
    settings: SimilarSettings,
    restricting: Sequence[str],
    workdir: Path,
) -> PictureSet:
    assert source.features is not None
    table = read_feature_table(
        source.features,
        workdir,
        vector_column=settings.vector_column,
        path_column=settings.path_column,
        columns=restricting,
    )
    rejected = [(row.path, row.reason) for row in table.rejected]
    zero = [row for row, vector in enumerate(table.vectors) if _reason(vector)]
    table, rejected = _without(table, zero, rejected, workdir)
    if source.pictures is None:
        return PictureSet(table.name, table.paths, table.vectors, table.cells, rejected=rejected)
    store, preprocessing = source.pictures, model.preprocessing if model else _SEEN
    files, digests, grids = _look_at(store, table, preprocessing, workdir)
    return PictureSet(table.name, table.paths, table.vectors, table.cells, digests, grids, files, rejected, store)


def _without(
    table: FeatureTable, rows: Sequence[int], rejected: list[tuple[str, str]], workdir: Path
) -> tuple[FeatureTable, list[tuple[str, str]]]:
    """Return the table without some rows, which are rejected: vectors of zeros have no direction."""
    if not rows:
        return table, rejected
    left_out = set(rows)
    kept = [row for row in range(len(table)) if row not in left_out]
    if not kept:
        raise FeatureTableError(f"Every vector of dataset {table.name} consists of zeros. Extract another layer.")
    log.warning("%s of %s left out: %s", counted(len(rows), "row"), table.name, ZERO)
    writer = RowWriter(workdir / "kept")
    for row in kept:
        writer.append(table.vectors[row])
    cells = {name: [column[row] for row in kept] for name, column in table.cells.items()}
    paths = [table.paths[row] for row in kept]
    fewer = FeatureTable(table.name, table.path_column, paths, writer.array(), cells, table.types)
    return fewer, rejected + [(table.paths[row], ZERO) for row in rows]


def _look_at(
    store: Store, table: FeatureTable, preprocessing: Preprocessing, workdir: Path
) -> tuple[list[str], list[str], np.ndarray]:
    """Return the files, digests and luminances of a table's pictures, empty where they cannot be found or read."""
    listing = list_pictures(store)
    matches = match_paths(listing, table.paths)
    rows: dict[str, list[int]] = {}
    for row, path in enumerate(table.paths):
        if (found := matches.find(path)) is not None:
            rows.setdefault(found, []).append(row)
    if not rows:
        raise FeatureTableError(
            f"No path of dataset {table.name} ({listed(map(repr, table.paths), 3)}) is that of a file in folder "
            f"{store.name} ({listed(map(repr, listing), 3)}). Connect the folder that the features were extracted from."
        )
    for remark in matches.remarks:
        log.warning("%s", remark)
    digests = [""] * len(table)
    reserve(workdir / "luminances", len(table) * GRID * GRID, "small copies of the pictures")
    grids = np.memmap(workdir / "luminances", np.uint8, "r+", shape=(len(table), GRID, GRID))
    for picture in read(store, list(rows), preprocessing):
        if picture.pixels is not None:
            for row in rows[picture.path]:
                digests[row], grids[row] = picture.digest, luminance_grid(picture.pixels)
    missing = digests.count("")
    if missing:
        log.warning(
            "%s of %s not found or not readable in folder %s: not compared as copies",
            counted(missing, "picture"), table.name, store.name,
        )  # fmt: skip
    return [matches.find(path) or "" for path in table.paths], digests, grids


def _reason(vector: np.ndarray) -> str:
    return "" if np.any(vector) else ZERO
