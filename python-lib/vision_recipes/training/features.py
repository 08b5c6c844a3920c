"""The frozen part of a network, computed once for each labelled picture and each of its varied copies."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vision_recipes.dataset.column_encoding import encode_missing
from vision_recipes.dataset.mapped_arrays import RowWriter
from vision_recipes.errors import PictureFolderError, TrainingError
from vision_recipes.images.reading import READING, read
from vision_recipes.inference.engine import FEATURES
from vision_recipes.inference.feature_cache import FeatureCache
from vision_recipes.inference.forward_pass import Progress, Request, forward
from vision_recipes.inference.opening import open_engine
from vision_recipes.pictures import REASONS, Picture
from vision_recipes.settings import RetrainSettings
from vision_recipes.stores import Store
from vision_recipes.training.augmentation import Plan, variants

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

log = logging.getLogger("vision_recipes")

_SHOWN = 20


@dataclass(frozen=True)
class Source:
    """Where pictures come from and how they become features; `workdir` is for files that are mapped."""

    pictures: Store
    base: Model
    settings: RetrainSettings
    workdir: Path
    cache: Store | None = None

    @property
    def request(self) -> Request:
        """What is asked of the network."""
        settings = self.settings
        return Request(FEATURES, settings.model_pooling, settings.batch_size, "computed features of", self.no_columns)

    @property
    def no_columns(self) -> Callable[[Picture], np.ndarray] | None:
        """What a network takes for its former head's table columns, which do not matter to features."""
        return encode_missing(self.base.extra_columns)


@dataclass
class Usable:
    """The labelled pictures that can be read, without pixels, each with its row of `features` float32 (n, d)."""

    pictures: list[Picture] = field(default_factory=list)
    features: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    rejected: list[Picture] = field(default_factory=list)


def compute_features(source: Source, labels: dict[str, str]) -> Usable:
    """Return the labelled pictures with their features; those that cannot be read drop out with their labels.

    Raises PictureFolderError when none can be read.
    """
    usable, vectors = Usable(), RowWriter(source.workdir / "features")
    for picture, vector in forward(
        source.pictures, list(labels), source.base, source.settings.compute, source.request, cache=source.cache
    ):
        picture.label, picture.pixels = labels[picture.path], None
        if vector is None:
            usable.rejected.append(picture)
        else:
            usable.pictures.append(picture)
            vectors.append(vector)
    usable.features = vectors.array()
    if usable.rejected:
        names = ", ".join(f"{picture.path} ({picture.reason})" for picture in usable.rejected[:_SHOWN])
        more = len(usable.rejected) - _SHOWN
        log.warning(
            "%d labelled pictures cannot be read and are left out with their labels: %s%s",
            len(usable.rejected),
            names,
            f" and {more} more" if more > 0 else "",
        )
    if not usable.pictures:
        reasons = Counter(picture.reason for picture in usable.rejected)
        told = "; ".join(f"{count} {reason}: {REASONS.get(reason, reason)}" for reason, count in reasons.most_common())
        raise PictureFolderError(
            f"None of the {len(usable.rejected)} labelled pictures in {source.pictures.name!r} can be read ({told})."
        )
    return usable


def compute_copies(source: Source, pictures: Sequence[Picture], features: np.ndarray) -> np.ndarray:
    """Return features of each picture and then of its varied copies, (n * (1 + copies), d), picture by picture."""
    settings = source.settings
    plan = Plan.from_pairs(settings.model_custom_params_data_augmentation)
    copies, compute = settings.n_augmentation, settings.compute
    engine = open_engine(
        source.base,
        compute,
        FEATURES,
        pooling=settings.model_pooling,
        batch=settings.batch_size,
        pictures=len(pictures) * copies,
    )
    kept = None
    if source.cache is not None:
        told = (source.base.folder_hash, engine.name, engine.precision, settings.model_pooling, str(plan), READING)
        key = hashlib.sha256(repr((*told, settings.random_seed)).encode()).hexdigest()
        kept = FeatureCache(source.cache, key, engine.network.length, every=256)

    def lookup(picture: Picture) -> np.ndarray | None:
        """Return the features of all copies, (copies, d), when the cache has every one of them."""
        found = [None if kept is None else kept.get(_named(picture, copy)) for copy in range(copies)]
        return None if any(vector is None for vector in found) else np.stack(found)  # type: ignore[arg-type]

    def varied() -> Iterator[Picture]:
        paths = [picture.path for picture in pictures]
        for before, picture in zip(
            pictures, read(source.pictures, paths, source.base.preprocessing, lookup=lookup), strict=True
        ):
            require_same(before, picture)
            shown = None
            if picture.pixels is not None:
                shown = variants(picture.pixels, copies, plan, f"{settings.random_seed}:{picture.digest}")
            for copy in range(copies):
                pixels = None if shown is None else shown[copy]
                cached = None if picture.cached is None else picture.cached[copy]
                yield replace(picture, pixels=pixels, digest=_named(picture, copy), cached=cached)

    vectors, progress = (
        RowWriter(source.workdir / "copies"),
        Progress("computed varied copies:", len(pictures) * copies),
    )
    try:
        for row, (picture, vector) in enumerate(engine.run(varied(), source.no_columns)):
            assert vector is not None  # require_same lets no unreadable picture pass
            if kept is not None and picture.cached is None:
                kept.add(picture.digest, vector)
            if row % copies == 0:
                vectors.append(np.asarray(features[row // copies]))
            vectors.append(vector)
            progress.add(picture)
    finally:
        if kept is not None:
            kept.close()
    progress.finish()
    return vectors.array()


def require_same(before: Picture, now: Picture) -> None:
    """Raise TrainingError when a picture that was read before is gone or has changed."""
    if now.digest != before.digest or now.reason:
        what = f"cannot be read any more ({now.reason})" if now.reason else "has changed"
        raise TrainingError(f"{now.path} {what} since training began. Run the recipe again.")


def _named(picture: Picture, copy: int) -> str:
    return hashlib.sha256(f"{picture.digest}:{copy}".encode()).hexdigest()
