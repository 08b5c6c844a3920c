"""The catalogue of pre-trained networks: rows of resource/catalogue.json, read without importing any framework."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, replace
from functools import cache

from vision_recipes import strict_json
from vision_recipes.errors import SettingsError, listed
from vision_recipes.model_folder.labels import read_labels
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.resources import resource_folder

DEFAULT = "efficientnet_lite0"
"""The network that is downloaded, and used, where none is chosen."""

RETIRED = {"starter": "the starter model is gone"}
"""Choices of earlier versions, which get the default network now, and what is said of them."""

_SHOWN = 8


@dataclass(frozen=True)
class WeightsFile:
    """A published file of weights. `hash` is MD5 or SHA-256 in hex, by its length; empty where none is published."""

    file: str
    url: str
    hash: str


@dataclass(frozen=True)
class WeightsFiles:
    """The weights of a network with its 1000 ImageNet classes on top, and without where that is published."""

    top: WeightsFile
    no_top: WeightsFile | None


@dataclass(frozen=True)
class Architecture:
    """A network of the catalogue.

    `width`, `height`: its own input size; `minimum`: the smallest side it takes without its top. `preprocessing` is one
    of preprocessing.SCALINGS ("raw" where the network scales by itself). `features`: length of the pooled vector of
    `feature_layer`. `aliases`: names that the predecessor plugin used. `package` is the Python package that the weights
    come in, with its version, empty for those that are downloaded. `resize`, `crop_fraction`: see Preprocessing.
    """

    name: str
    family: str
    builder: str
    width: int
    height: int
    minimum: int
    preprocessing: str
    parameters: int
    feature_layer: str
    features: int
    aliases: tuple[str, ...]
    licence: str
    source: str
    weights: WeightsFiles
    package: str = ""
    resize: str = "squash"
    crop_fraction: float = 1.0

    @property
    def input(self) -> Preprocessing:
        """How a picture becomes what the network takes, at its own size."""
        named = Preprocessing.named(self.preprocessing, self.width, self.height, resize=self.resize)
        return replace(named, crop_fraction=self.crop_fraction)

    @property
    def label(self) -> str:
        """What a person reads in a drop-down: name, input size, parameters and the size of the weights."""
        size, megabytes = f"{self.width} x {self.height}", round(self.parameters * 4 / 1e6)
        return f"{self.name}: {size}, {self.parameters / 1e6:.1f} M parameters, {megabytes} MB"


@cache
def architectures() -> dict[str, Architecture]:
    """Return every network by its name, in the order of the catalogue."""
    path = resource_folder() / "catalogue.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["networks"]
    found = (strict_json.read(Architecture, row, f"{path.name}, row {row.get('name')}") for row in rows)
    return {row.name: row for row in found}


def find(name: str) -> Architecture:
    """Return the network of that name, or else of that alias or name in any case, with or without `::imagenet`.

    `MobileNet` is MobileNet, while `mobilenet` is what the predecessor plugin called MobileNetV2.
    """
    if name.strip() in architectures():
        return architectures()[name.strip()]
    found = _by_any_name(name)
    if found is None:
        names = {key: row.name for key, row in _other_names().items()} | {key: key for key in RETIRED}
        close = dict.fromkeys(names[key] for key in difflib.get_close_matches(_plain(name), names, n=3))
        hint = f" Did you mean {', '.join(close)}?" if close else ""
        shown = listed([choice["value"] for choice in choices()], _SHOWN)
        raise SettingsError(f"There is no network {name!r} in the catalogue.{hint} It has {shown}.")
    return found


def _by_any_name(name: str) -> Architecture | None:
    return _other_names().get(_plain(name))


def _plain(name: str) -> str:
    return name.strip().removesuffix("::imagenet").lower()


def _other_names() -> dict[str, Architecture]:
    return {key.lower(): row for row in architectures().values() for key in (row.name, *row.aliases)}


def imagenet_labels() -> tuple[str, ...]:
    """Return the 1000 names of the ImageNet classes in the order of keras.applications; two are crane, two maillot."""
    return read_labels((resource_folder() / "imagenet_labels.csv").read_bytes(), "imagenet_labels.csv", 1000)


def choices(chosen: str = "") -> list[dict[str, str]]:
    """Return the networks that can be downloaded, for a drop-down: the default one, then the smallest first.

    `chosen` is what a form holds: another name of a network, or one of an earlier version, becomes a choice too.
    """
    rows = sorted(architectures().values(), key=lambda row: (row.name != DEFAULT, row.parameters))
    found = [{"value": row.name, "label": row.label} for row in rows]
    if chosen and chosen not in architectures() and (is_retired(chosen) or _by_any_name(chosen)):
        found.append({"value": chosen, "label": chosen})
    return found


def is_retired(name: str) -> bool:
    """Return whether a name is a choice of earlier versions."""
    return name.strip().lower() in RETIRED
