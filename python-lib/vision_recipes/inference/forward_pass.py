"""A folder of pictures through a network: the one path of classifying, extracting, and features for training."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from vision_recipes.errors import listed
from vision_recipes.images.picture_decoder import Lookup
from vision_recipes.images.reading import READING, hidden, read
from vision_recipes.inference.engine import FEATURES, SCORES, SEVERAL_FEATURES, Engine, find_output
from vision_recipes.inference.feature_cache import FeatureCache, Find, find_too
from vision_recipes.inference.kept_engine import Opened, open_or_take
from vision_recipes.inference.opening import open_engine
from vision_recipes.model_folder import Model
from vision_recipes.pictures import Picture
from vision_recipes.settings import ComputeSettings
from vision_recipes.shards import WHOLE, Shard
from vision_recipes.stores import Store
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

_SEGMENTS = 64
_LOG_SECONDS = 2.0


@dataclass(frozen=True)
class Request:
    """What is asked of a network: `output`, `pooling` and `batch` as for open_engine; `verb` is for the log.

    `extra` gives a picture's standardised table columns, for networks that take some. Pictures with the paths
    `pixels` are decoded even if their result is cached. Of the pictures, those of the `shard` are read.
    """

    output: str | int = SCORES
    pooling: str = "avg"
    batch: int = 0
    verb: str = "scored"
    extra: Callable[[Picture], np.ndarray] | None = None
    pixels: Collection[str] = ()
    shard: Shard = WHOLE


def forward(
    pictures: Store,
    paths: Sequence[str],
    model: Model,
    compute: ComputeSettings,
    request: Request,
    *,
    cache: Store | None = None,
) -> Iterator[tuple[Picture, np.ndarray | None]]:
    """Return an iterator over every path's picture and its float32 vector, in order; None with the reason why not.

    `paths` are those of the whole folder, also when a shard of them is asked for: how a picture is computed never
    depends on the slice that it is in. The engine is opened and verified before this returns, so that mistakes show
    before an output is touched. With a `cache`, pictures that the same model has seen are not computed again: their
    vector is the one in `Picture.cached`.
    """
    mine = request.shard.of(paths)
    unusual = [path for path in mine if hidden(path)]
    if unusual:
        names = ", ".join(unusual[:10])
        files = counted(len(unusual), "hidden or system file is", "hidden or system files are")
        log.info("%s among the pictures, with a row each: %s", files, names)
    opened = open_kept(model, compute, request)
    engine, features = opened.it, None
    if cache is not None:
        every = max(8, len(paths) // _SEGMENTS)
        features = FeatureCache(cache, _cache_key(model, engine, request), engine.length, every=every)
    lookup = None if features is None or cache is None else _lookup(features, cache, model, engine, request)
    found = read(pictures, mine, model.preprocessing, lookup=lookup, decode_cached=request.pixels)
    return opened.after(_results(engine, found, request, features, Progress(request.verb, len(mine))))


def open_kept(model: Model, compute: ComputeSettings, request: Request) -> Opened[Engine]:
    """Return the engine of a request, with what keeps it for the next shard."""
    how = partial(open_engine, model, compute, request.output, pooling=request.pooling, batch=request.batch)
    circumstances = (model.folder_hash, request.output, request.pooling, compute, request.batch)
    return open_or_take(circumstances, how, request.shard)


def _results(
    engine: Engine, pictures: Iterator[Picture], request: Request, cache: FeatureCache | None, progress: Progress
) -> Iterator[tuple[Picture, np.ndarray | None]]:
    with nullcontext() if cache is None else closing(cache):
        for picture, vector in engine.run(pictures, request.extra):
            if cache is not None and vector is not None and picture.cached is None:
                cache.add(_content_key(picture, request), vector)
            progress.add(picture)
            yield picture, vector
    progress.finish()


def _lookup(features: FeatureCache, cache: Store, model: Model, engine: Engine, request: Request) -> Lookup:
    """Return a function that finds a picture's vector."""
    find: Find = features.get
    if request.output == FEATURES:
        several = _cache_key(model, engine, replace(request, output=SEVERAL_FEATURES))
        find = find_too(features, cache, several, several_length(model, engine.length))
    return lambda picture: find(_content_key(picture, request))


def several_length(model: Model, features: int) -> int:
    """Return how many numbers the features of several layers are, which begin with those of the feature layer."""
    from vision_recipes.model_folder.inner_layers import inner_layers  # scoring needs none of it

    return features + sum(2 * layer.size for layer in inner_layers(model.layers, model.feature_layer))


def _cache_key(model: Model, engine: Engine, request: Request) -> str:
    vector = find_output(model, request.output, request.pooling)
    parts = (model.folder_hash, engine.name, engine.precision, vector, READING)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _content_key(picture: Picture, request: Request) -> str:
    """Return what a picture's result depends on, as a SHA-256 in hex: the file's bytes and its table columns."""
    if request.extra is None:
        return picture.digest
    return hashlib.sha256(bytes.fromhex(picture.digest) + request.extra(picture).tobytes()).hexdigest()


class Progress:
    """A tally of pictures that writes a line every two seconds; `verb` is what was done, as in "classified"."""

    def __init__(self, verb: str, total: int) -> None:
        self._verb, self._total = verb, total
        self._done = self._cached = 0
        self._reasons: Counter[str] = Counter()
        self._repaired: list[str] = []
        self._unsupported: dict[str, list[str]] = {}
        self._started = self._logged = time.perf_counter()

    def add(self, picture: Picture) -> None:
        """Count a picture."""
        self._done += 1
        self._cached += picture.cached is not None
        if picture.reason:
            self._reasons[picture.reason] += 1
            log.debug("%s: %s %s", picture.path, picture.reason, picture.detail)
        if picture.reason == "unsupported_format":
            self._unsupported.setdefault(picture.detail, []).append(picture.path)
        if picture.repaired:
            self._repaired.append(picture.path)
        now = time.perf_counter()
        if now - self._logged >= _LOG_SECONDS:
            self._logged = now
            rate = self._done / (now - self._started)
            words = (self._verb, self._done, counted(self._total, "picture"), rate, (self._total - self._done) / rate)
            log.info("%s %d / %s, %.1f pictures/s, %.0f s left", *words)

    def finish(self) -> None:
        """Write the last lines: how many, how fast, how many without a result and why."""
        seconds = max(time.perf_counter() - self._started, 1e-9)
        read = self._done - self._reasons.total()
        cached = f" ({self._cached} from the cache)" if self._cached else ""
        words = (self._verb, read, counted(self._done, "file"), cached, seconds, self._done / seconds)
        log.info("%s %d of %s%s in %.1f s, %.1f pictures/s", *words)
        if self._reasons:
            counts = ", ".join(f"{reason} {count}" for reason, count in self._reasons.most_common())
            level = logging.INFO if read else logging.WARNING
            log.log(level, "%s no result: %s", counted(self._reasons.total(), "file has", "files have"), counts)
        for detail, paths in self._unsupported.items():
            log.info("unsupported_format: %s (%s: %s)", detail, counted(len(paths), "file"), listed(paths, 3))
        if self._repaired:
            names = listed(self._repaired, 5)
            count = counted(len(self._repaired), "picture was", "pictures were")
            log.info("%s repaired, only the end marker was missing: %s", count, names)
