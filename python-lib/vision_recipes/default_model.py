"""Networks of the catalogue, made ready once per user and kept in the cache folder; one is used without a model."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
import time
from pathlib import Path

from vision_recipes.errors import DownloadError, ModelFolderError, OutputError
from vision_recipes.local_folders import cache_folder, make_work_folder
from vision_recipes.model_folder import Model, catalogue, open_model
from vision_recipes.model_folder.catalogue import Architecture
from vision_recipes.model_folder.config import VERSION
from vision_recipes.stores import LocalStore, has_digest

log = logging.getLogger("vision_recipes")

TITLE = "EfficientNet-Lite0, trained on ImageNet"
_SECONDS = 600
"""How long another process may take to make the network ready."""

_temporary: list[tempfile.TemporaryDirectory[str]] = []
"""Folders of networks that the cache could not take; each goes when the process ends."""


def open_default() -> Model:
    """Return the default network, every file verified; raises ModelFolderError."""
    log.info("no model_folder is connected: %s, is used", TITLE)
    return open_catalogued(catalogue.DEFAULT)


def open_catalogued(name: str) -> Model:
    """Return a network of the catalogue whose weights come as an installed package; raises ModelFolderError."""
    row = catalogue.find(name)
    folder = cache_folder() / "models" / _folder_name(row)
    return _open_whole(folder, row) or _make_ready(folder, row)


def _title(row: Architecture) -> str:
    return TITLE if row.name == catalogue.DEFAULT else row.name


def _folder_name(row: Architecture) -> str:
    """Return a name that changes with the catalogue's row, so that nothing made by another version is used."""
    return f"{row.name}-{hashlib.sha256(repr((row, VERSION)).encode()).hexdigest()[:8]}"


def _open_whole(folder: Path, row: Architecture) -> Model | None:
    """Return the model in a folder if every file of it is there and has its hash."""
    try:
        model = open_model(LocalStore(folder, _title(row)))
        entries = model.config.files.entries()
        return model if all(has_digest(folder / entry.name, entry.sha256) for entry in entries) else None
    except (ModelFolderError, OSError):
        return None


def _make_ready(folder: Path, row: Architecture) -> Model:
    """Return the network, made in the cache folder, or for this job alone where that cannot be written to."""
    from filelock import FileLock, Timeout

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock", timeout=_SECONDS, poll_interval=0.1):
            return _open_whole(folder, row) or _replace(folder, row)
    except (OSError, NotImplementedError, OutputError, Timeout) as err:  # not implemented: locks on that storage
        log.warning("the network cannot be kept in %s (%s), so it is made for this job alone", folder.parent, err)
    temporary = make_work_folder("vision-default-")
    _temporary.append(temporary)
    return _build(Path(temporary.name), row)


def _replace(folder: Path, row: Architecture) -> Model:
    """Make the network in a folder beside it, then give that its name; call it with the lock held."""
    part = folder.with_name(folder.name + ".part")
    for old in (part, folder):
        shutil.rmtree(old, ignore_errors=True)
    part.mkdir()
    _build(part, row)
    os.replace(part, folder)
    return open_model(LocalStore(folder, _title(row)))


def _build(folder: Path, row: Architecture) -> Model:
    from vision_recipes.macro_settings import DownloadSettings
    from vision_recipes.pretrained import published

    started = time.perf_counter()
    try:
        weights = published.obtain(row, DownloadSettings(source="package"), lambda done, total: None)
    except DownloadError as err:
        if row.name != catalogue.DEFAULT:
            raise ModelFolderError(f"{row.name} cannot be made ready: {err}") from err
        raise ModelFolderError(
            f"model_folder: none is connected, and {TITLE}, which is used then, cannot be made ready: {err}"
        ) from err
    log.info("it is made ready, which takes some seconds and is done once, as later jobs find it in the cache folder")
    published.save(row, weights, LocalStore(folder, _title(row)))
    log.info("it was made ready in %.1f s", time.perf_counter() - started)
    return open_model(LocalStore(folder, _title(row)))
