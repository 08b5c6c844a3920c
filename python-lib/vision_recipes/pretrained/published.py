"""The published weights of a network of the catalogue: obtained from where the user says, checked, made a network."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vision_recipes.errors import DownloadError
from vision_recipes.model_folder import hdf5, networks, weights
from vision_recipes.model_folder.catalogue import Architecture
from vision_recipes.model_folder.config import Network
from vision_recipes.model_folder.keras2_weights import read_in_order
from vision_recipes.model_folder.labels import imagenet_labels
from vision_recipes.model_folder.saving import ModelSpec
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.pretrained import transfers
from vision_recipes.settings import DownloadSettings
from vision_recipes.stores import file_digest

Progress = Callable[[int, int], None]


def cache_folder() -> Path:
    """Return the folder where downloads wait until they are whole: VISION_RECIPES_CACHE, or the user's cache folder."""
    import platformdirs

    told = os.environ.get("VISION_RECIPES_CACHE")
    return (Path(told) if told else platformdirs.user_cache_path("vision-recipes", appauthor=False)) / "downloads"


def obtain(row: Architecture, settings: DownloadSettings, progress: Progress) -> Path:
    """Return a local file with the network's published weights, its hash checked; raises DownloadError."""
    published, most_bytes = row.weights.top, row.parameters * 5 + (16 << 20)
    if settings.source == "catalogue":
        _require_work_space(row)
        return _fetch(published.url, row, progress)
    place = settings.mirror
    if urlsplit(place).scheme in ("http", "https"):
        _require_work_space(row)
        if settings.source == "file":
            return _fetch(place, row, progress)
        return _fetch(place.rstrip("/") + urlsplit(published.url).path, row, progress)
    path = _local_file(Path(place).expanduser(), row, settings.source)
    size = path.stat().st_size
    if size > most_bytes:
        raise DownloadError(
            f"{path} has {size} bytes, more than the weights of {row.name} can have. Choose another file."
        )
    found = file_digest(path, published.hash)
    if published.hash and found != published.hash.lower():
        raise DownloadError(
            f"{path} is not the published weights file of {row.name}: its hash is {found[:12]}…, not "
            f"{published.hash[:12]}… (expected: {published.url}). A model of your own comes in with vision-import."
        )
    progress(size, size)
    return path


def discard(path: Path) -> None:
    """Remove a download that has become a model folder; files that came from elsewhere stay."""
    if path.parent == cache_folder():
        for name in (path, path.with_name(path.name + ".lock")):
            with suppress(OSError):
                name.unlink()


def build(row: Architecture, path: Path) -> tuple[Any, ModelSpec]:
    """Return the keras.Model with the weights of a published file, and its description for `save_model`."""
    network = networks.build(networks.Blueprint(Network(row.name), row.width, row.height))
    with hdf5.open_hdf5(path, path.name) as file:
        weights.set_weights(network, read_in_order(file, network, path.name), path.name)
    networks.fold_deviations(row, network)
    return network, ModelSpec(
        name=row.name,
        network=Network(row.name),
        input=Preprocessing.named(row.preprocessing, row.width, row.height),
        labels=imagenet_labels(),
        feature_layer=row.feature_layer,
        trained_on="ImageNet (ILSVRC 2012, 1000 classes)",
        source=f"{row.weights.top.url}; network: {row.source}",
        licence=row.licence,
        notes="" if row.weights.top.hash else "The publisher tells no hash of the weights; their shapes were checked.",
    )


def _fetch(url: str, row: Architecture, progress: Progress) -> Path:
    wanted = transfers.Wanted(url, row.weights.top.hash, row.parameters * 5 + (16 << 20))
    return transfers.fetch(wanted, cache_folder() / row.weights.top.file, progress)


def _local_file(place: Path, row: Architecture, source: str) -> Path:
    if source == "file":
        candidates = [place]
    else:
        candidates = [place / urlsplit(row.weights.top.url).path.lstrip("/"), place / row.weights.top.file]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise DownloadError(
            f"mirror: there is no file {' nor '.join(map(str, candidates))}. Give the URL or the path of "
            + ("the weights file." if source == "file" else f"a folder that holds {row.weights.top.file}.")
        )
    return found


def _require_work_space(row: Architecture) -> None:
    """Raise DownloadError when the temporary folder cannot hold the weights and the IR that are made of them."""
    needed, folder = row.parameters * 4 * 3, tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DownloadError(
            f"{folder} has {free / 1e6:.0f} MB free, but making a model of {row.name} takes {needed / 1e6:.0f} MB. "
            "Free some space, or set TMPDIR to a folder with more."
        )
