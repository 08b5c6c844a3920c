"""The walk from pictures and a model to where the evidence for a label lies."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from vision_recipes import rows
from vision_recipes.dataset.extra_columns import encode_table
from vision_recipes.dataset.labels import path_finder
from vision_recipes.errors import SettingsError
from vision_recipes.images.reading import list_pictures, read
from vision_recipes.inference.saliency import BATCH, Heat, HeatNetwork
from vision_recipes.model_folder import Model, open_model
from vision_recipes.pictures import Picture
from vision_recipes.reports import saliency_maps
from vision_recipes.reports.predictions import wrong_paths
from vision_recipes.settings import ExplainSettings
from vision_recipes.stores import Store, Table

log = logging.getLogger("vision_recipes")


@dataclass(frozen=True)
class Beside:
    """What may be connected beside pictures and model.

    `judged` tells which pictures are wrong, `extra` is the table of a model trained with columns, `overlays` takes the
    overlay pictures.
    """

    judged: Table | None = None
    extra: Table | None = None
    overlays: Store | None = None


def explain(
    pictures: Store,
    model: Store,
    settings: ExplainSettings,
    beside: Beside = Beside(),  # noqa: B008 - frozen
) -> Iterator[dict[str, Any]]:
    """Return an iterator over a row (rows.EXPLAINED) per picture; its overlay is written before the row comes.

    Raises SettingsError, PredictionsError, ModelFolderError, PictureFolderError or DeviceError before the first row.
    """
    opened = open_model(model)
    chosen = _class(opened, settings.label)
    listed = list_pictures(pictures)
    paths = _paths(listed, settings, beside.judged)
    extra = encode_table(opened.extra_columns, listed, beside.extra, opened.name)
    network = HeatNetwork(opened, settings.compute)
    log.info("heat maps of %d pictures, from %s, on %s", len(paths), network.layer, network.device)
    walk = _Walk(network, opened, settings, beside.overlays, extra, chosen)
    return walk.rows(read(pictures, paths, opened.preprocessing))


@dataclass
class _Walk:
    network: HeatNetwork
    model: Model
    settings: ExplainSettings
    overlays: Store | None
    extra: Callable[[Picture], np.ndarray] | None
    chosen: int | None

    def rows(self, pictures: Iterator[Picture]) -> Iterator[dict[str, Any]]:
        number, drops = 0, []
        while batch := list(islice(pictures, BATCH)):
            for row in self._batch(batch, number):
                if row.get("drop_hottest") is not None:
                    drops.append((row["drop_hottest"], row["drop_random"]))
                yield row
            number += len(batch)
        if drops:
            hottest, random = np.array(drops).mean(axis=0)
            log.info(
                "deletion test over %d pictures: hiding the hottest fifth lowers the probability by %.3f on average, "
                "hiding a random fifth by %.3f",
                len(drops),
                hottest,
                random,
            )

    def _batch(self, batch: Sequence[Picture], number: int) -> Iterator[dict[str, Any]]:
        readable = [picture for picture in batch if picture.pixels is not None]
        told: dict[str, dict[str, Any]] = {}
        if readable:
            pixels = np.stack([picture.pixels for picture in readable if picture.pixels is not None])
            extra = np.stack([self.extra(picture) for picture in readable]) if self.extra else None
            heats = self.network.explain(pixels, self.chosen, extra)
            large = [saliency_maps.enlarge(heat.map, *pixels.shape[1:3]) for heat in heats]
            drops = self._drops(pixels, heats, large, extra, number) if self.settings.deletion_test else None
            for place, (picture, heat) in enumerate(zip(readable, heats, strict=True)):
                told[picture.path] = self._row(picture, heat, large[place])
                if drops is not None:
                    told[picture.path] |= {"drop_hottest": drops[0][place], "drop_random": drops[1][place]}
        for place, picture in enumerate(batch, start=number + 1):
            if picture.path not in told:
                yield rows.rejected(picture, rows.EXPLAINED)
                continue
            if self.overlays is not None and picture.pixels is not None:
                name = _file_name(place, picture.path)
                self.overlays.write(name, saliency_maps.overlay(picture.pixels, large[readable.index(picture)]))
                told[picture.path]["overlay"] = name
            yield told[picture.path]

    def _row(self, picture: Picture, heat: Heat, large: np.ndarray) -> dict[str, Any]:
        figures = saliency_maps.describe(large)
        return {
            "images": picture.path,
            "label": self.model.label_keys[heat.chosen],
            "probability": float(f"{heat.shares[heat.chosen]:.6g}"),
            "border_share": figures.border,
            "centre_x": figures.centre_x,
            "centre_y": figures.centre_y,
            "extent": figures.extent,
            "error": 0,
            "reason": "",
        }

    def _drops(
        self,
        pixels: np.ndarray,
        heats: Sequence[Heat],
        large: Sequence[np.ndarray],
        extra: np.ndarray | None,
        number: int,
    ) -> list[list[float]]:
        """Return how much hiding the hottest fifth, and a random one, lowers the probability of each picture."""
        shape = pixels.shape[1:3]
        cell = max(1, round(shape[0] / heats[0].map.shape[0])) if heats[0].map.shape[0] < shape[0] else shape[0] // 8
        draws = [np.random.default_rng((self.settings.random_seed, number + place)) for place in range(len(pixels))]
        hot = np.stack(
            [
                saliency_maps.hide(one, saliency_maps.most_salient_first(heat))
                for one, heat in zip(pixels, large, strict=True)
            ]
        )
        cold = np.stack(
            [
                saliency_maps.hide(one, saliency_maps.random_order((shape[0], shape[1]), max(1, cell), draw))
                for one, draw in zip(pixels, draws, strict=True)
            ]
        )
        before = np.array([heat.shares[heat.chosen] for heat in heats])
        chosen = np.array([heat.chosen for heat in heats])
        here = np.arange(len(heats))
        return [
            [float(f"{drop:.6g}") for drop in before - self.network.score(hidden, extra)[here, chosen]]
            for hidden in (hot, cold)
        ]


def _class(model: Model, label: str) -> int | None:
    if not label:
        return None
    if label in model.label_keys:
        return model.label_keys.index(label)
    close = difflib.get_close_matches(label, model.label_keys, 1)
    raise SettingsError(
        f"label: model {model.name!r} has no label {label!r}; it has {', '.join(model.label_keys[:10])}"
        + (" …" if len(model.label_keys) > 10 else "")
        + (f". Did you mean {close[0]!r}?" if close else ". Leave it empty for each picture's best label.")
    )


def _paths(listed: Sequence[str], settings: ExplainSettings, judged: Table | None) -> list[str]:
    paths = list(listed)
    if settings.which == "errors":
        if judged is None:
            raise SettingsError(
                "which: the errors are to be explained, but no judged dataset is connected. Connect the "
                "pictures_dataset of vision-evaluate, or choose all."
            )
        find = path_finder(listed)
        found = [find(path) for path in wrong_paths(judged)]
        paths = [path for path in dict.fromkeys(found) if path is not None]
        if not paths:
            raise SettingsError(
                f"which: dataset {judged.name} names no wrong picture of this folder. Is it the folder that was scored?"
            )
    return paths[: settings.nb_pictures or None]


def _file_name(number: int, path: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", path.rpartition("/")[2].rpartition(".")[0])[:60]
    return f"/{number:06d}_{stem or 'picture'}.jpg"
