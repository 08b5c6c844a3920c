"""A folder of pictures through a network: the one path of classifying, extracting, and features for training."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vision_recipes.images.reading import READING, hidden, read
from vision_recipes.inference.engine import Engine
from vision_recipes.inference.feature_cache import Kept
from vision_recipes.inference.opening import open_engine
from vision_recipes.inference.outputs import SCORES
from vision_recipes.inference.progress import Progress
from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.settings import ComputeSettings
from vision_recipes.stores import Store

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

log = logging.getLogger("vision_recipes")

_SEGMENTS = 64


@dataclass(frozen=True)
class Request:
    """What is asked of a network: `output`, `pooling` and `batch` as for open_engine; `verb` is for the log.

    `extra` gives a picture's standardised table columns, for networks that take some.
    """

    output: str | int = SCORES
    pooling: str = "avg"
    batch: int = 0
    verb: str = "scored"
    extra: Callable[[Picture], np.ndarray] | None = None


def forward(
    pictures: Store,
    paths: Sequence[str],
    model: Model,
    compute: ComputeSettings,
    request: Request = Request(),  # noqa: B008 - frozen
    *,
    cache: Store | None = None,
) -> Iterator[tuple[Picture, np.ndarray | None]]:
    """Return an iterator over every path's picture and its float32 vector, in order; None with the reason why not.

    The engine is opened and verified before this returns, so that mistakes show before an output is touched. With a
    `cache`, pictures that the same model has seen are not computed again: they come with a vector but without pixels.
    """
    unusual = [path for path in paths if hidden(path)]
    if unusual:
        log.info(
            "%d hidden or system files are among the pictures, each with a row: %s",
            len(unusual),
            ", ".join(unusual[:10]),
        )
    engine = open_engine(
        model, compute, request.output, pooling=request.pooling, batch=request.batch, pictures=len(paths)
    )
    kept = None
    if cache is not None:
        kept = Kept(cache, _key(model, engine, request), engine.network.length, every=max(8, len(paths) // _SEGMENTS))
    return _walk(engine, _Folder(pictures, paths, model.preprocessing), request, kept)


@dataclass(frozen=True)
class _Folder:
    store: Store
    paths: Sequence[str]
    preprocessing: Preprocessing


def _walk(
    engine: Engine, folder: _Folder, request: Request, kept: Kept | None
) -> Iterator[tuple[Picture, np.ndarray | None]]:
    def content(picture: Picture) -> str:
        if request.extra is None:
            return picture.digest
        return hashlib.sha256(bytes.fromhex(picture.digest) + request.extra(picture).tobytes()).hexdigest()

    def known(picture: Picture) -> bool:
        picture.vector = kept.get(content(picture)) if kept is not None else None
        return picture.vector is not None

    progress = Progress(request.verb, len(folder.paths))
    try:
        for picture, vector in engine.run(
            read(folder.store, folder.paths, folder.preprocessing, known=known), request.extra
        ):
            if kept is not None and vector is not None:
                kept.add(content(picture), vector)
            progress.add(picture, kept=picture.vector is not None)
            yield picture, picture.vector if vector is None else vector
    finally:
        if kept is not None:
            kept.close()
    progress.finish()


def _key(model: Model, engine: Engine, request: Request) -> str:
    told = (model.folder_hash, engine.name, engine.precision, request.output, request.pooling, READING)
    return hashlib.sha256(repr(told).encode()).hexdigest()
