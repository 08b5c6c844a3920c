"""The recipe from pictures and a model to saliency maps: where the evidence for a label lies."""

from __future__ import annotations

import difflib
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from vision_recipes import rows
from vision_recipes.dataset.extra_columns import encode_table
from vision_recipes.dataset.path_matching import match_paths
from vision_recipes.dataset.path_suggestions import what_to_change
from vision_recipes.errors import SettingsError
from vision_recipes.images.reading import list_pictures, read
from vision_recipes.inference.kept_engine import open_or_take
from vision_recipes.inference.saliency import BATCH, HiResCam, SaliencyMap
from vision_recipes.model_folder import Model, open_model
from vision_recipes.model_folder.spec import require_keras
from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.report_columns import EXPLAINED
from vision_recipes.reports import overlays, saliency_maps
from vision_recipes.reports.predictions import true_labels, wrong_paths
from vision_recipes.settings import ExplainSettings
from vision_recipes.shards import shard_of
from vision_recipes.stores import Store, Table
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

_DRAWS = 3
"""How many random fifths the deletion test hides; one alone would often miss by chance."""


@dataclass(frozen=True)
class OptionalInputs:
    """What may be connected beside pictures and model.

    `judged` is the table of evaluated pictures, `extra` that of a model trained with columns, `overlays` takes the
    saliency maps.
    """

    judged: Table | None = None
    extra: Table | None = None
    overlays: Store | None = None


def explain(
    pictures: Store,
    model: Store | None,
    settings: ExplainSettings,
    inputs: OptionalInputs = OptionalInputs(),  # noqa: B008 - frozen
) -> Iterator[dict[str, Any]]:
    """Return an iterator over a row (report_columns.EXPLAINED) per picture, whose overlay is written by then.

    With several shards, the pictures are those that the whole run would explain, and of them those of one shard,
    numbered as in the whole run. Without a `model`, the default network is used. Raises SettingsError,
    PredictionsError, ModelFolderError, PictureFolderError or DeviceError before the first row.
    """
    if model is None:
        from vision_recipes.default_model import open_default
    opened = open_default() if model is None else open_model(model)
    require_keras(opened, "a saliency map", "Explain a model that was downloaded or imported from a Keras file.")
    label = _class_number(opened, settings.label)
    listed = list_pictures(pictures)
    paths = _paths(listed, settings, inputs.judged)
    extra = encode_table(opened.extra_columns, listed, inputs.extra, opened.name)
    shard = shard_of(settings)
    numbers = {path: number for number, path in enumerate(paths, 1)}
    mine, circumstances = shard.of(paths), ("saliency maps", opened.folder_hash, settings.compute)
    network = open_or_take(circumstances, partial(HiResCam, opened, settings.compute), shard)
    words = (counted(len(mine), "picture"), network.it.layer, network.it.device)
    log.info("saliency maps of %s, from %s, on %s", *words)
    explainer = _Explainer(network.it, settings, label, extra, numbers)
    drawing = None if inputs.overlays is None else _Drawing(pictures, inputs.overlays, opened.preprocessing)
    truths = _truths(listed, inputs.judged)
    found = read(pictures, mine, opened.preprocessing)
    return network.after(_rows(found, explainer, opened.label_keys, truths, drawing))


def _rows(
    pictures: Iterator[Picture],
    explainer: _Explainer,
    labels: Sequence[str],
    truths: Mapping[str, str],
    drawing: _Drawing | None,
) -> Iterator[dict[str, Any]]:
    shown = []
    while batch := list(islice(pictures, BATCH)):
        explained = explainer.explain([picture for picture in batch if picture.pixels is not None])
        for picture in batch:
            number = explainer.numbers[picture.path]
            if picture.pixels is None:
                yield rows.rejected(picture, EXPLAINED) | {"number": number}
                continue
            one, figures, saliency = next(explained)
            row: dict[str, Any] = {"images": picture.path, "number": number, "label": labels[one.label], **figures}
            row |= {"truth": truths.get(picture.path), "warning": saliency_maps.warning(figures)}
            row |= {"error": 0, "reason": ""}
            shown.append(row)
            if drawing is not None:
                best = int(one.probabilities.argmax())
                caption = overlays.Caption(
                    *(row["label"], row["probability"], labels[best], float(one.probabilities[best])),
                    *(row["truth"] or "", row["warning"]),
                )
                row["overlay"] = drawing.draw(number, picture, saliency, caption)
            yield row
    _report(shown)


def _report(explained: Sequence[Mapping[str, Any]]) -> None:
    """Log what the deletion test says over all pictures, and how many maps say little."""
    drops = [(row["drop_hottest"], row["drop_random"]) for row in explained if "drop_hottest" in row]
    if drops:
        hottest, random = np.mean(drops, axis=0)
        log.info(
            "deletion test over %s: hiding the most salient fifth lowers the probability by %.3f on average, "
            "hiding a random fifth by %.3f",
            *(counted(len(drops), "picture"), hottest, random),
        )
        if hottest <= random:
            log.warning("on average the most salient regions matter no more than others: these maps explain little")
    for reason, count in Counter(row["warning"] for row in explained if row["warning"]).items():
        maps = counted(len(explained), "saliency map")
        log.warning("of %s, %d of little use: %s (see the column warning)", maps, count, reason)


@dataclass(frozen=True)
class _Drawing:
    """Where overlays are written, and where their pictures come from, once more and larger than the network's."""

    pictures: Store
    target: Store
    preprocessing: Preprocessing

    def draw(self, number: int, picture: Picture, saliency: np.ndarray, caption: overlays.Caption) -> str:
        """Write the overlay of a map (height, width) of the network's size and return its path."""
        (large,) = read(self.pictures, [picture.path], overlays.shown_as())
        shown, aligned = picture.pixels, saliency
        if large.pixels is not None:
            shown, aligned = large.pixels, overlays.align(saliency, large.pixels.shape[:2], self.preprocessing)
        path = _file_name(number, picture.path)
        assert shown is not None
        self.target.write(path, overlays.overlay(shown, aligned, caption))
        return path


@dataclass(frozen=True)
class _Explainer:
    """A network with what is asked of it; `label` is the number of a class, None for each picture's predicted one.

    `numbers` are those of the pictures, from 1, among all that are explained in any shard.
    """

    network: HiResCam
    settings: ExplainSettings
    label: int | None
    extra: Callable[[Picture], np.ndarray] | None
    numbers: Mapping[str, int]

    def explain(self, pictures: Sequence[Picture]) -> Iterator[tuple[SaliencyMap, dict[str, float], np.ndarray]]:
        """Yield the map, its figures, and it at the network's size, of at most BATCH pictures, which have pixels.

        The network always gets a whole batch: the last bits of its answers depend on how many pictures come together.
        """
        if not pictures:
            return
        pixels = np.stack([picture.pixels for picture in pictures if picture.pixels is not None])
        extra = _whole_batch(np.stack([self.extra(picture) for picture in pictures])) if self.extra else None
        found = self.network.maps(_whole_batch(pixels), self.label, extra)[: len(pictures)]
        large = [saliency_maps.enlarge(one.values, *pixels.shape[1:3]) for one in found]
        drops = {}
        if self.settings.deletion_test:
            salient = [saliency_maps.most_salient_first(saliency) for saliency in large]
            drops["drop_hottest"] = self._drops(pixels, salient, found, extra)
            numbers = [self.numbers[picture.path] for picture in pictures]
            draws = [
                self._drops(pixels, self._random(pixels, found, numbers, draw), found, extra) for draw in range(_DRAWS)
            ]
            drops["drop_random"] = [rows.rounded(drop) for drop in np.mean(draws, axis=0)]
        for place, (one, saliency) in enumerate(zip(found, large, strict=True)):
            cells = {"probability": rows.rounded(one.probabilities[one.label])} | saliency_maps.describe(saliency)
            yield one, cells | {name: values[place] for name, values in drops.items()}, saliency

    def _random(
        self, pixels: np.ndarray, found: Sequence[SaliencyMap], numbers: Sequence[int], draw: int
    ) -> list[np.ndarray]:
        """Return a random order of each picture's pixels, in squares about as large as a place of its map."""
        height, width = pixels.shape[1:3]
        places = found[0].values.shape[0]
        side = max(1, round(height / places) if places < height else height // 8)
        seeds = [(self.settings.random_seed, number - 1, draw) for number in numbers]
        return [saliency_maps.random_order((height, width), side, np.random.default_rng(one)) for one in seeds]

    def _drops(
        self, pixels: np.ndarray, orders: Sequence[np.ndarray], found: Sequence[SaliencyMap], extra: np.ndarray | None
    ) -> list[float]:
        """Return how much the probability of each picture falls when the first fifth of its pixels is hidden."""
        hidden = np.stack([saliency_maps.hide(one, order) for one, order in zip(pixels, orders, strict=True)])
        after = self.network.probabilities(_whole_batch(hidden), extra)
        pairs = zip(found, after[: len(found)], strict=True)
        return [rows.rounded(one.probabilities[one.label] - scores[one.label]) for one, scores in pairs]


def _whole_batch(given: np.ndarray) -> np.ndarray:
    """Return BATCH rows: those given, and the last one again in the places that are left."""
    return np.concatenate([given, np.repeat(given[-1:], BATCH - len(given), axis=0)])


def _class_number(model: Model, label: str) -> int | None:
    if not label:
        return None
    if label in model.label_keys:
        return model.label_keys.index(label)
    close = difflib.get_close_matches(label, model.label_keys, 1)
    raise SettingsError(
        f"label: model {model.name!r} has no label {label!r}; it has {', '.join(model.label_keys[:10])}"
        + (" …" if len(model.label_keys) > 10 else "")
        + (f". Did you mean {close[0]!r}?" if close else ". Leave it empty for each picture's predicted label.")
    )


def _paths(listed: Sequence[str], settings: ExplainSettings, judged: Table | None) -> list[str]:
    paths = list(listed)
    if settings.which == "errors":
        if judged is None:
            raise SettingsError(
                "which: only errors are to be explained, but judged_dataset is empty. Connect the "
                "pictures_dataset of vision-evaluate, or choose all."
            )
        wrong = list(wrong_paths(judged))
        if not wrong:
            log.info("%s lists no wrong prediction, so there is nothing to explain", judged.name)
            return []
        matches = match_paths(listed, wrong)
        for remark in matches.remarks:
            log.warning("%s: %s", judged.name, remark)
        found = [matches.find(path) for path in wrong]
        paths = [path for path in dict.fromkeys(found) if path is not None]
        if not paths:
            raise SettingsError(
                f"which: dataset {judged.name} lists no wrong prediction for a picture in this folder. "
                f"Is it the folder that was scored? {what_to_change(wrong[0], listed)}"
            )
    return paths[: settings.nb_pictures or None]


def _truths(listed: Sequence[str], judged: Table | None) -> dict[str, str]:
    """Return the true labels of pictures by path, as far as the evaluated pictures tell them."""
    if judged is None:
        return {}
    known = true_labels(judged)
    matches = match_paths(listed, list(known))
    return {path: truth for known_path, truth in known.items() if (path := matches.find(known_path)) is not None}


def _file_name(number: int, path: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", path.rpartition("/")[2].rpartition(".")[0])[:60]
    return f"/{number:06d}_{stem or 'picture'}.jpg"
