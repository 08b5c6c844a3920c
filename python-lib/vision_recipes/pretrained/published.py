"""The published weights of a network of the catalogue: obtained from where the user says, verified, made a network."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vision_recipes import local_folders
from vision_recipes.errors import DownloadError
from vision_recipes.macro_settings import DownloadSettings
from vision_recipes.model_folder import networks
from vision_recipes.model_folder.catalogue import Architecture, imagenet_labels
from vision_recipes.model_folder.config import Network
from vision_recipes.model_folder.keras2_weights import load_in_order
from vision_recipes.model_folder.saving import save_layers, save_model
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.pretrained import efficientnet_lite_weights, packages, transfers
from vision_recipes.stores import Store, file_digest


def cache_folder() -> Path:
    """Return the folder where downloads are kept until complete."""
    return local_folders.cache_folder() / "downloads"


def obtain(row: Architecture, settings: DownloadSettings, progress: transfers.Progress) -> Path:
    """Return a local file with the network's published weights, its hash verified; raises DownloadError."""
    if settings.source == "package" or (settings.source == "catalogue" and row.package):
        return _verified(packages.installed_file(row), row, progress)
    published, place = row.weights.top, settings.mirror
    if settings.source == "catalogue" or urlsplit(place).scheme in ("http", "https"):
        layout = f"/{published.file}" if row.package else urlsplit(published.url).path
        urls = {"catalogue": published.url, "file": place, "mirror": place.rstrip("/") + layout}
        # for the weights and the IR that is made of them
        purpose = f"making a model of {row.name}"
        transfers.require_space(Path(tempfile.gettempdir()), row.parameters * 4 * 3, purpose, "TMPDIR")
        remote = transfers.RemoteFile(urls[settings.source], published.hash, _max_bytes(row))
        return transfers.fetch(remote, cache_folder() / published.file, progress)
    return _verified(_local_file(Path(place).expanduser(), row, settings.source), row, progress)


def _verified(path: Path, row: Architecture, progress: transfers.Progress) -> Path:
    """Return the path of a file of this machine that is the published one; raises DownloadError."""
    published, size = row.weights.top, path.stat().st_size
    if size > _max_bytes(row):
        raise DownloadError(f"{path} has {size} bytes, too many for the weights of {row.name}. Choose another file.")
    found = file_digest(path, published.hash)
    if published.hash and found != published.hash.lower():
        raise DownloadError(
            f"{path} is not the published weights file of {row.name}: its hash is {found[:12]}…, not "
            f"{published.hash[:12]}… (expected: {published.url}). Import a model of your own with vision-import."
        )
    progress(size, size)
    return path


def _max_bytes(row: Architecture) -> int:
    return row.parameters * 5 + (16 << 20)


def discard(path: Path) -> None:
    """Remove a download that has become a model folder; files that came from elsewhere stay."""
    if path.parent == cache_folder():
        for name in (path, path.with_name(path.name + ".lock")):
            with suppress(OSError):
                name.unlink()


def save(row: Architecture, path: Path, output: Store) -> None:
    """Write a network with the weights of its published file as a model folder.

    Raises DownloadError, ModelFolderError, OutputError.
    """
    if row.package:
        save_layers(output, efficientnet_lite_weights.read_layers(row.builder, path), describe(row))
    else:
        save_model(output, build(row, path), describe(row))


def build(row: Architecture, path: Path) -> Any:
    """Return the keras.Model with the weights of a published file as Keras writes it."""
    network = networks.build(describe(row))
    load_in_order(network, path, path.name)
    networks.fold_deviations(row, network)
    return network


def describe(row: Architecture) -> ModelSpec:
    """Return the description of a network with its published weights."""
    return ModelSpec(
        name=row.name,
        network=Network(row.name),
        input=row.input,
        labels=imagenet_labels(),
        feature_layer=row.feature_layer,
        trained_on="ImageNet (ILSVRC 2012, 1000 classes)",
        source=f"{row.weights.top.url}; network: {row.source}",
        licence=row.licence,
        notes="" if row.weights.top.hash else "The publisher gives no hash of the weights; their shapes were checked.",
    )


def _local_file(place: Path, row: Architecture, source: str) -> Path:
    name = row.weights.top.file
    candidates, expected = [place], "the weights file"
    if source == "mirror":
        candidates = [place / name]
        if not row.package:
            candidates.insert(0, place / urlsplit(row.weights.top.url).path.lstrip("/"))
        expected = f"a folder that holds {name}"
    for path in candidates:
        if path.is_file():
            return path
    raise DownloadError(
        f"mirror: there is no file {' nor '.join(map(str, candidates))}. Give the URL or the path of {expected}."
    )
